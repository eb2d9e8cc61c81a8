package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
)

const (
	defaultWaitExit = 30 * time.Second
	// killAllLimit bounds the end of gohost: Kill waits for ever for the children
	// of a plugin that hold its pipes.
	killAllLimit = 20 * time.Second
)

// notGraceful is go-plugin's own message before it sends SIGKILL.
const notGraceful = "plugin failed to exit gracefully"

// hosted is one started plugin.
type hosted struct {
	client  *plugin.Client
	cmd     *exec.Cmd
	capture *capture
	// exited closes when go-plugin has reaped the process.
	exited chan struct{}

	mu     sync.Mutex
	conn   *grpc.ClientConn
	fronts []*http.Server
}

type exitStatus struct {
	Exited   bool   `json:"exited"`
	ExitCode int    `json:"exit_code"`
	Signal   string `json:"signal"`
}

type pluginParams struct {
	Plugin string `json:"plugin"`
}

type killResult struct {
	ElapsedMS float64 `json:"elapsed_ms"`
	Graceful  bool    `json:"graceful"`
	exitStatus
}

func (p *hosted) pid() int {
	if p.cmd.Process == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// exitStatus reads the process state that go-plugin's Wait has filled in.
func (p *hosted) exitStatus() exitStatus {
	select {
	case <-p.exited:
	default:
		return exitStatus{}
	}
	state := p.cmd.ProcessState
	if state == nil {
		return exitStatus{}
	}
	status := exitStatus{Exited: true, ExitCode: state.ExitCode()}
	if wait, ok := state.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		status.Signal = unix.SignalName(wait.Signal())
	}
	return status
}

func (h *host) kill(params pluginParams) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	return p.kill(), nil
}

func (p *hosted) kill() killResult {
	p.closeFronts()
	mark := p.capture.mark()
	begin := time.Now()
	p.client.Kill()
	elapsed := time.Since(begin)
	// Kill returns when the process is reaped; the goroutine that closes exited is
	// a moment behind.
	<-p.exited
	forced := p.capture.find(mark, func(r record) bool {
		return r.Source == sourceHost && r.Message == notGraceful
	})
	return killResult{ElapsedMS: inMillis(elapsed), Graceful: forced < 0, exitStatus: p.exitStatus()}
}

func (h *host) signal(params struct {
	pluginParams
	Signal string `json:"signal"`
}) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	number := unix.SignalNum(params.Signal)
	if number == 0 {
		return nil, fmt.Errorf("unknown signal %q", params.Signal)
	}
	if p.cmd.Process == nil {
		return nil, fmt.Errorf("plugin %q has no process", params.Plugin)
	}
	return empty{}, p.cmd.Process.Signal(number)
}

func (h *host) waitExit(params struct {
	pluginParams
	TimeoutMS int64 `json:"timeout_ms"`
}) (any, error) {
	p, err := h.plugin(params.Plugin)
	if err != nil {
		return nil, err
	}
	limit := millis(params.TimeoutMS, defaultWaitExit)
	select {
	case <-p.exited:
		return p.exitStatus(), nil
	case <-time.After(limit):
		return nil, fmt.Errorf("plugin %q still runs after %v", params.Plugin, limit)
	}
}

func (h *host) quit(empty) (any, error) {
	h.killAll()
	return empty{}, nil
}

// killAll ends every plugin; a second call finds them ended.
func (h *host) killAll() {
	h.mu.Lock()
	plugins := make([]*hosted, 0, len(h.plugins))
	for _, p := range h.plugins {
		plugins = append(plugins, p)
	}
	h.mu.Unlock()

	done := make(chan struct{})
	go func() {
		var wg sync.WaitGroup
		for _, p := range plugins {
			wg.Add(1)
			go func() {
				defer wg.Done()
				p.kill()
			}()
		}
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(killAllLimit):
	}
}

func (p *hosted) setConnection(conn *grpc.ClientConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
}

// connection is nil until the plugin has started.
func (p *hosted) connection() *grpc.ClientConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn
}

func (p *hosted) addFront(server *http.Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fronts = append(p.fronts, server)
}

func (p *hosted) closeFronts() {
	p.mu.Lock()
	fronts := p.fronts
	p.fronts = nil
	p.mu.Unlock()
	for _, server := range fronts {
		_ = server.Close()
	}
}

func inMillis(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}
