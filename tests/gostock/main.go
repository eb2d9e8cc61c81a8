// Command gostock is a stock host that a test drives: it starts a plugin over
// go-plugin's net/rpc as released Mattermost servers do, with real yamux, gob,
// net/rpc and MuxBroker, and tells the test what it saw.
//
// Commands come on stdin, one JSON object a line, and are answered on stdout in
// the order in which they finish:
//
//	{"id": 1, "command": "hook", "params": {...}}
//	{"id": 1, "result": {...}} or {"id": 1, "error": "text"}
//
// Values of Go structs are JSON objects by Go's field names.
//
//	start      {cmd, env?, api?} -> {elapsed_ms, implemented}; api: answers by method,
//	           as JSON or {"$gob": base64}
//	install    {bundle, directory} -> {plugin}, the folder that an uploaded bundle is put into
//	start_installed {plugin, api?, checksum?} -> as start; checksum is base64
//	to_active  as start_installed -> {active_ms, cpu_ms, started, activated}
//	activate   {} -> {error}
//	hook       {name, args?} -> {reply}
//	upload     {info, content} -> {reply, content}; contents are base64
//	front      {} -> {address} of a real HTTP server that passes requests on
//	ping       {} -> {}
//	check_health {} -> {restarted, ended?, again?}
//	pid        {} -> {pid}
//	log        {} -> {text}, of plugins that were installed
//	api_calls  {} -> {calls: [{method, args}]}
//	wait_api_call {method} -> {method, args}, when there is one
//	deactivate {} -> {error, exit_code}
//	driver     {} -> {conns, txs, stmts, rows}: how many of the database the plugin has
//	kill       {} -> {elapsed_ms}
//	bench      {name, args?, count, concurrency} -> {p50_us, p99_us, per_s, pid}
//	bench_http {path, mib?, count?} -> {p50_us, p99_us, per_s, pid} or {mib_per_s}
//
// With the argument "plugin", or started by a host, it is a Go plugin itself, to
// be measured on the same host.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

type command struct {
	ID      int             `json:"id"`
	Command string          `json:"command"`
	Params  json.RawMessage `json:"params"`
}

type answer struct {
	ID     int    `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "plugin" || os.Getenv(handshake.MagicCookieKey) != "" {
		servePlugin()
		return
	}
	var output sync.Mutex
	encoder := json.NewEncoder(os.Stdout)
	h := &host{}
	var running sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 256<<20)
	for lines.Scan() {
		line := append([]byte(nil), lines.Bytes()...)
		running.Add(1)
		go func() {
			defer running.Done()
			var c command
			result, err := any(nil), json.Unmarshal(line, &c)
			if err == nil {
				result, err = h.run(c)
			}
			reply := answer{ID: c.ID, Result: result}
			if err != nil {
				reply.Error = err.Error()
			}
			output.Lock()
			defer output.Unlock()
			_ = encoder.Encode(reply)
		}()
	}
	running.Wait()
	h.kill()
}

func (h *host) run(c command) (any, error) {
	switch c.Command {
	case "start":
		return with(c, h.start)
	case "install":
		return with(c, h.install)
	case "start_installed":
		return with(c, h.startInstalled)
	case "to_active":
		return with(c, h.toActive)
	case "activate":
		return h.activate()
	case "hook":
		return with(c, h.hook)
	case "upload":
		return with(c, h.upload)
	case "front":
		return h.front()
	case "ping":
		return nil, h.protocol.Ping()
	case "check_health":
		return h.checkHealth()
	case "pid":
		return map[string]any{"pid": h.cmd.Process.Pid}, nil
	case "log":
		return map[string]any{"text": h.log.String()}, nil
	case "deactivate":
		return h.deactivate()
	case "api_calls":
		return map[string]any{"calls": h.api.seen()}, nil
	case "wait_api_call":
		return with(c, h.api.wait)
	case "driver":
		return h.driver.left(), nil
	case "kill":
		return map[string]any{"elapsed_ms": h.kill()}, nil
	case "bench":
		return with(c, h.bench)
	case "bench_http":
		return with(c, h.benchHTTP)
	}
	return nil, fmt.Errorf("unknown command %q", c.Command)
}

func with[P any](c command, do func(P) (any, error)) (any, error) {
	var params P
	if err := json.Unmarshal(c.Params, &params); err != nil {
		return nil, err
	}
	return do(params)
}
