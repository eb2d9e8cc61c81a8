package main

import (
	"fmt"
	"sync"

	"google.golang.org/grpc"
)

// host is everything that gohost knows: the protos, the plugins and the open streams.
type host struct {
	schema *schema

	mu      sync.Mutex
	serial  int
	plugins map[string]*hosted
	streams map[string]*hookStream
}

func newHost(s *schema) *host {
	return &host{schema: s, plugins: map[string]*hosted{}, streams: map[string]*hookStream{}}
}

func (h *host) handlers() map[string]handler {
	return map[string]handler{
		"start":     typed(h.start),
		"kill":      typed(h.kill),
		"signal":    typed(h.signal),
		"wait_exit": typed(h.waitExit),
		"quit":      typed(h.quit),

		"logs":     typed(h.logs),
		"wait_log": typed(h.waitLog),
		"output":   typed(h.output),

		"call":     typed(h.call),
		"call_raw": typed(h.callRaw),
		"ping":     typed(h.ping),
		"health":   typed(h.health),

		"stream":            typed(h.stream),
		"stream_open":       typed(h.streamOpen),
		"stream_send":       typed(h.streamSend),
		"stream_half_close": typed(h.streamHalfClose),
		"stream_receive":    typed(h.streamReceive),
		"stream_cancel":     typed(h.streamCancel),

		"http_front": typed(h.httpFront),

		"bench":      typed(h.bench),
		"bench_http": typed(h.benchHTTP),
	}
}

// nextID returns "p1", "s2", ...: one count for all kinds, so that no two ids look alike.
func (h *host) nextID(kind string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serial++
	return fmt.Sprintf("%s%d", kind, h.serial)
}

func (h *host) plugin(id string) (*hosted, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.plugins[id]
	if !ok {
		return nil, fmt.Errorf("no plugin %q", id)
	}
	return p, nil
}

// running is plugin for commands that need a connection.
func (h *host) running(id string) (*hosted, *grpc.ClientConn, error) {
	p, err := h.plugin(id)
	if err != nil {
		return nil, nil, err
	}
	conn := p.connection()
	if conn == nil {
		return nil, nil, fmt.Errorf("plugin %q did not start", id)
	}
	return p, conn, nil
}

func (h *host) addPlugin(p *hosted) string {
	id := h.nextID("p")
	h.mu.Lock()
	defer h.mu.Unlock()
	h.plugins[id] = p
	return id
}
