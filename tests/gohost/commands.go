package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"sync"
	"time"
)

// handler runs one command. Its result goes out as JSON; with an error it may be nil.
type handler func(params json.RawMessage) (any, error)

type command struct {
	ID      int64           `json:"id"`
	Command string          `json:"command"`
	Params  json.RawMessage `json:"params"`
}

type answer struct {
	ID     int64  `json:"id"`
	Error  string `json:"error,omitempty"`
	Result any    `json:"result,omitempty"`
}

type empty struct{}

// typed makes a handler of a function that takes its parameters as a struct.
func typed[P any](run func(P) (any, error)) handler {
	return func(raw json.RawMessage) (any, error) {
		var params P
		if len(raw) > 0 {
			decoder := json.NewDecoder(bytes.NewReader(raw))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&params); err != nil {
				return nil, fmt.Errorf("bad parameters: %w", err)
			}
		}
		return run(params)
	}
}

// serveCommands answers commands until quit or the end of the input. Commands
// that still run then go unanswered.
func serveCommands(input io.Reader, output io.Writer, handlers map[string]handler) {
	reply := answerer(output)
	reader := bufio.NewReader(input)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			reply(answer{Error: fmt.Sprintf("not a command: %v", err)})
			continue
		}
		run, ok := handlers[c.Command]
		if !ok {
			reply(answer{ID: c.ID, Error: fmt.Sprintf("unknown command %q", c.Command)})
			continue
		}
		if c.Command == "quit" {
			result, _ := run(c.Params)
			reply(answer{ID: c.ID, Result: result})
			return
		}
		go func() {
			result, err := run(c.Params)
			a := answer{ID: c.ID, Result: result}
			if err != nil {
				a.Error = err.Error()
			}
			reply(a)
		}()
	}
}

// answerer returns what writes answers, from any goroutine.
func answerer(output io.Writer) func(answer) {
	var mu sync.Mutex
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	return func(a answer) {
		mu.Lock()
		defer mu.Unlock()
		if err := encoder.Encode(a); err != nil {
			log.Printf("cannot answer command %d: %v", a.ID, err)
		}
	}
}

// millis turns a timeout_ms parameter into a duration.
func millis(value int64, fallback time.Duration) time.Duration {
	if value <= 0 {
		return fallback
	}
	return time.Duration(value) * time.Millisecond
}
