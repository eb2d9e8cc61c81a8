package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const defaultWaitLog = 30 * time.Second

// Who a record comes from. go-plugin names its loggers <base> and
// <base>.<executable>; the HTTP front is <base>.http.
const (
	loggerBase   = "plugin"
	loggerHTTP   = "http"
	sourceHost   = "host"
	sourceHTTP   = "http"
	sourcePlugin = "plugin"
)

// record is one log record as the host classified it.
type record struct {
	Index   int            `json:"index"`
	Source  string         `json:"source"`
	Name    string         `json:"name"`
	Level   string         `json:"level"`
	Message string         `json:"message"`
	Pairs   map[string]any `json:"pairs"`
}

// capture keeps everything that a plugin wrote and all that go-plugin said about it.
type capture struct {
	logger     hclog.InterceptLogger
	pluginName string
	stderr     textBuffer
	syncStdout textBuffer
	syncStderr textBuffer

	mu      sync.Mutex
	records []record
	// grown closes and is replaced at each new record.
	grown chan struct{}
}

var _ hclog.SinkAdapter = (*capture)(nil)

func newCapture(executable string) *capture {
	c := &capture{
		logger: hclog.NewInterceptLogger(&hclog.LoggerOptions{
			Name:   loggerBase,
			Level:  hclog.Trace,
			Output: os.Stderr,
		}),
		pluginName: loggerBase + "." + filepath.Base(executable),
		grown:      make(chan struct{}),
	}
	c.logger.RegisterSink(c)
	return c
}

// Accept takes a record from hclog.
func (c *capture) Accept(name string, level hclog.Level, message string, args ...any) {
	r := record{Source: sourceHost, Name: name, Level: level.String(), Message: message, Pairs: pairs(args)}
	switch name {
	case c.pluginName:
		r.Source = sourcePlugin
	case loggerBase + "." + loggerHTTP:
		r.Source = sourceHTTP
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Index = len(c.records)
	c.records = append(c.records, r)
	close(c.grown)
	c.grown = make(chan struct{})
}

func pairs(args []any) map[string]any {
	result := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		result[fmt.Sprint(args[i])] = jsonValue(args[i+1])
	}
	return result
}

// jsonValue keeps what JSON can carry, which is all that a plugin can send.
func jsonValue(value any) any {
	if err, ok := value.(error); ok {
		return err.Error()
	}
	if _, err := json.Marshal(value); err != nil {
		return fmt.Sprint(value)
	}
	return value
}

func (c *capture) mark() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.records)
}

// find returns the index of the first record from after on that matches, or -1.
func (c *capture) find(after int, match func(record) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := max(after, 0); i < len(c.records); i++ {
		if match(c.records[i]) {
			return i
		}
	}
	return -1
}

func (c *capture) since(after int) []record {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := min(max(after, 0), len(c.records))
	return append([]record{}, c.records[from:]...)
}

func (c *capture) wait(after int, limit time.Duration, match func(record) bool) (int, error) {
	timeout := time.After(limit)
	for {
		c.mu.Lock()
		grown := c.grown
		c.mu.Unlock()
		if found := c.find(after, match); found >= 0 {
			return found, nil
		}
		select {
		case <-grown:
		case <-timeout:
			return 0, fmt.Errorf("no such log record in %v", limit)
		}
	}
}

func (h *host) logs(params struct {
	pluginParams
	After int `json:"after"`
}) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	return struct {
		Records []record `json:"records"`
	}{p.capture.since(params.After)}, nil
}

func (h *host) waitLog(params struct {
	pluginParams
	Contains  string `json:"contains"`
	Level     string `json:"level"`
	Source    string `json:"source"`
	After     int    `json:"after"`
	TimeoutMS int64  `json:"timeout_ms"`
}) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	found, err := p.capture.wait(params.After, millis(params.TimeoutMS, defaultWaitLog), func(r record) bool {
		return strings.Contains(r.Message, params.Contains) &&
			(params.Level == "" || r.Level == params.Level) &&
			(params.Source == "" || r.Source == params.Source)
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for %q: %w", params.Contains, err)
	}
	return struct {
		Record record `json:"record"`
	}{p.capture.since(found)[0]}, nil
}

func (h *host) output(params pluginParams) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	return struct {
		Stderr     string `json:"stderr"`
		SyncStdout string `json:"sync_stdout"`
		SyncStderr string `json:"sync_stderr"`
	}{p.capture.stderr.String(), p.capture.syncStdout.String(), p.capture.syncStderr.String()}, nil
}

// textBuffer is a bytes.Buffer that may be read while it is written.
type textBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *textBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *textBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
