package main

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// dbDriver serves the database as the server does: it believes every id, so an
// unknown one of a transaction, statement or result ends this process. Behind it
// is one table, things(id bigint primary key, name text).
type dbDriver struct {
	mutex  sync.Mutex
	lastID int
	things map[int64]string
	conns  map[string]*dbConn
	txs    map[string]*dbTx
	stmts  map[string]*dbStmt
	rows   map[string]*dbRows
}

type dbConn struct {
	readOnly bool
	undo     []func()
}

type dbTx struct{ conn *dbConn }

type dbStmt struct {
	conn      string
	statement string
}

type dbRows struct {
	names, types []string
	values       [][]any
}

func newDriver() *dbDriver {
	return &dbDriver{
		things: map[int64]string{}, conns: map[string]*dbConn{}, txs: map[string]*dbTx{},
		stmts: map[string]*dbStmt{}, rows: map[string]*dbRows{},
	}
}

// left tells what the plugin has not given back.
func (d *dbDriver) left() map[string]int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return map[string]int{"conns": len(d.conns), "txs": len(d.txs), "stmts": len(d.stmts), "rows": len(d.rows)}
}

func (d *dbDriver) newID(kind string) string {
	d.lastID++
	return fmt.Sprint(kind, d.lastID)
}

// encodable is what the server makes of errors before it sends them.
func encodable(err error) any {
	var postgres *pgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &postgres):
		return &PQError{Severity: "ERROR", Code: PQErrorCode(postgres.code), Message: postgres.message, Constraint: postgres.constraint}
	case errors.Is(err, io.EOF):
		return &ErrorString{Code: 1, Err: err.Error()}
	case errors.Is(err, driver.ErrBadConn):
		return &ErrorString{Code: 6, Err: err.Error()}
	}
	return &ErrorString{Err: err.Error()}
}

type pgError struct{ code, message, constraint string }

func (e *pgError) Error() string { return "pq: " + e.message }

// Exported, for net/rpc serves no others.
type (
	DbStrErr struct {
		A string
		B any
	}
	DbErr    struct{ A any }
	DbResult struct {
		LastID            int64
		LastIDError       any
		RowsAffected      int64
		RowsAffectedError any
	}
	DbResultErr struct {
		A DbResult
		B any
	}
	DbConnArgs struct {
		A, B string
		C    []driver.NamedValue
	}
	DbTxArgs struct {
		A string
		B driver.TxOptions
	}
	DbStmtArgs      struct{ A, B string }
	DbStmtQueryArgs struct {
		A string
		B []driver.NamedValue
	}
	DbScanArgs struct {
		A string
		B []driver.Value
	}
	DbScan struct {
		A any
		B []driver.Value
	}
	DbColumnArgs struct {
		A string
		B int
	}
	DbStrings struct{ A []string }
)

// Conn takes a connection.
func (d *dbDriver) Conn(isMaster bool, reply *DbStrErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	reply.A = d.newID("conn")
	d.conns[reply.A] = &dbConn{}
	return nil
}

// ConnClose gives a connection back.
func (d *dbDriver) ConnClose(id string, reply *DbErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.conns[id] == nil {
		reply.A = encodable(driver.ErrBadConn)
	}
	delete(d.conns, id)
	return nil
}

// Tx begins a transaction.
func (d *dbDriver) Tx(args *DbTxArgs, reply *DbStrErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	conn := d.conns[args.A]
	if conn == nil {
		reply.B = encodable(driver.ErrBadConn)
		return nil
	}
	conn.readOnly = args.B.ReadOnly
	reply.A = d.newID("tx")
	d.txs[reply.A] = &dbTx{conn}
	return nil
}

// TxCommit ends a transaction.
func (d *dbDriver) TxCommit(id string, _ *DbErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.txs[id].conn.undo = nil
	delete(d.txs, id)
	return nil
}

// TxRollback ends a transaction and undoes it.
func (d *dbDriver) TxRollback(id string, _ *DbErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	conn := d.txs[id].conn
	for _, undo := range conn.undo {
		undo()
	}
	conn.undo = nil
	delete(d.txs, id)
	return nil
}

// Stmt prepares a statement.
func (d *dbDriver) Stmt(args *DbStmtArgs, reply *DbStrErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	reply.A = d.newID("stmt")
	d.stmts[reply.A] = &dbStmt{args.A, args.B}
	return nil
}

// StmtClose ends a statement.
func (d *dbDriver) StmtClose(id string, _ *DbErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	_ = d.stmts[id].conn
	delete(d.stmts, id)
	return nil
}

// StmtQuery runs a prepared statement.
func (d *dbDriver) StmtQuery(args *DbStmtQueryArgs, reply *DbStrErr) error {
	d.mutex.Lock()
	stmt := *d.stmts[args.A]
	d.mutex.Unlock()
	return d.ConnQuery(&DbConnArgs{stmt.conn, stmt.statement, args.B}, reply)
}

// ConnQuery runs a statement for its rows.
func (d *dbDriver) ConnQuery(args *DbConnArgs, reply *DbStrErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	conn := d.conns[args.A]
	if conn == nil {
		reply.B = encodable(driver.ErrBadConn)
		return nil
	}
	rows, err := d.query(args.B, args.C)
	if err != nil {
		reply.B = encodable(err)
		return nil
	}
	reply.A = d.newID("rows")
	d.rows[reply.A] = rows
	return nil
}

func (d *dbDriver) query(statement string, args []driver.NamedValue) (*dbRows, error) {
	switch {
	case strings.HasPrefix(statement, "SELECT id, name FROM things"):
		rows := &dbRows{names: []string{"id", "name"}, types: []string{"INT8", "TEXT"}}
		for id := int64(0); id < 1_000_000 && len(rows.values) < len(d.things); id++ {
			if name, ok := d.things[id]; ok {
				rows.values = append(rows.values, []any{id, name})
			}
		}
		return rows, nil
	case statement == "SELECT now()":
		return &dbRows{[]string{"now"}, []string{"TIMESTAMPTZ"}, [][]any{{time.Now()}}}, nil
	case statement == "SELECT a time that the database calls a text":
		return &dbRows{[]string{"now"}, []string{"TEXT"}, [][]any{{time.Now()}}}, nil
	case strings.HasPrefix(statement, "SELECT $1"):
		rows := &dbRows{values: [][]any{nil}}
		for _, arg := range args {
			rows.names = append(rows.names, fmt.Sprint("c", arg.Ordinal))
			rows.types = append(rows.types, map[bool]string{true: "BYTEA"}[fmt.Sprintf("%T", arg.Value) == "[]uint8"])
			rows.values[0] = append(rows.values[0], arg.Value)
		}
		return rows, nil
	}
	return nil, &pgError{code: "42601", message: "syntax error"}
}

// ConnExec runs a statement for its effect. Only INSERT is known.
func (d *dbDriver) ConnExec(args *DbConnArgs, reply *DbResultErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	conn := d.conns[args.A]
	if conn == nil {
		reply.B = encodable(driver.ErrBadConn)
		return nil
	}
	if conn.readOnly {
		reply.B = encodable(&pgError{code: "25006", message: "cannot execute INSERT in a read-only transaction"})
		return nil
	}
	id := args.C[0].Value.(int64)
	if _, found := d.things[id]; found {
		reply.B = encodable(&pgError{"23505", "duplicate key value violates unique constraint", "things_pkey"})
		return nil
	}
	d.things[id] = args.C[1].Value.(string)
	conn.undo = append(conn.undo, func() { delete(d.things, id) })
	reply.A.RowsAffected = 1
	return nil
}

// RowsColumns tells the names of a result's columns.
func (d *dbDriver) RowsColumns(id string, reply *DbStrings) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	reply.A = d.rows[id].names
	return nil
}

// RowsColumnTypeDatabaseTypeName tells a column's type.
func (d *dbDriver) RowsColumnTypeDatabaseTypeName(args *DbColumnArgs, reply *string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	*reply = d.rows[args.A].types[args.B]
	return nil
}

// RowsNext fills the values that it was sent. At the end they stay as they were.
func (d *dbDriver) RowsNext(args *DbScanArgs, reply *DbScan) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	rows := d.rows[args.A]
	if len(rows.values) == 0 {
		reply.A = encodable(io.EOF)
	} else {
		for i, value := range rows.values[0] {
			args.B[i] = value
		}
		rows.values = rows.values[1:]
	}
	reply.B = args.B
	return nil
}

// RowsClose ends a result.
func (d *dbDriver) RowsClose(id string, _ *DbErr) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	_ = d.rows[id].names
	delete(d.rows, id)
	return nil
}
