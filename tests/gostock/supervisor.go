package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// The version that the stand-in gives itself.
const serverVersion = "10.11.0"

// A server asks a plugin this often before it takes it for crashed.
const pings = 3

// installed is a plugin that is started from its folder, as the server starts
// what was uploaded.
type installed struct {
	Plugin string                     `json:"plugin"`
	API    map[string]json.RawMessage `json:"api"`
	// Checksum is what the executable must have. Without it, it is taken just
	// before the start, as the server does.
	Checksum []byte `json:"checksum"`
}

// startInstalled starts a plugin by its verified executable. It gets what the
// server's plugins get: no arguments, this process's folder, environment and
// standard input.
func (h *host) startInstalled(params installed) (any, error) {
	about, err := readManifest(params.Plugin)
	if err != nil {
		return nil, err
	}
	if err := about.requireVersion(serverVersion); err != nil {
		return nil, err
	}
	executable, err := about.executable(params.Plugin)
	if err != nil {
		return nil, err
	}
	expected := params.Checksum
	if len(expected) == 0 {
		if expected, err = checksum(executable); err != nil {
			return nil, err
		}
	}
	h.installed = params
	h.api = &api{answers: params.API}
	result, err := h.connect(exec.Command(executable), &plugin.ClientConfig{
		SecureConfig: &plugin.SecureConfig{Checksum: expected, Hash: sha256.New()},
		Logger:       hclog.New(&hclog.LoggerOptions{Output: &h.log, Level: hclog.Debug, JSONFormat: true}),
		SyncStdout:   &h.log,
		SyncStderr:   &h.log,
	})
	if err != nil {
		h.client.Kill()
	}
	return result, err
}

// toActive starts a plugin and activates it; the times are from the start of
// its process on.
func (h *host) toActive(params installed) (any, error) {
	started, err := h.startInstalled(params)
	if err != nil {
		return nil, err
	}
	activated, err := h.activate()
	if err != nil {
		return nil, err
	}
	elapsed := float64(time.Since(h.began).Microseconds()) / 1000
	return map[string]any{
		"active_ms": elapsed, "cpu_ms": cpuTime(h.cmd.Process.Pid), "started": started, "activated": activated,
	}, nil
}

// cpuTime is what the threads of a process have used so far, in milliseconds.
func cpuTime(pid int) float64 {
	total := 0.0
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		var nanoseconds float64
		text, _ := os.ReadFile(thread)
		_, _ = fmt.Sscan(string(text), &nanoseconds)
		total += nanoseconds / 1e6
	}
	return total
}

// deactivate ends a plugin as the server does when it is disabled.
func (h *host) deactivate() (any, error) {
	failure := ""
	if slices.Contains(h.implemented, "OnDeactivate") {
		if err := h.rpc.Call("Plugin.OnDeactivate", struct{}{}, &OnDeactivateReturns{}); err != nil {
			failure = err.Error()
		}
	}
	h.client.Kill()
	if h.cmd.ProcessState == nil {
		return nil, errors.New("the plugin's process is still there")
	}
	return map[string]any{"error": failure, "exit_code": h.cmd.ProcessState.ExitCode()}, nil
}

// checkHealth does what the server does each 30 s: it starts a plugin anew that
// does not answer.
func (h *host) checkHealth() (any, error) {
	for range pings {
		if h.protocol.Ping() == nil {
			return map[string]any{"restarted": false}, nil
		}
	}
	ended, err := h.deactivate()
	if err != nil {
		return nil, err
	}
	again, err := h.toActive(h.installed)
	return map[string]any{"restarted": true, "ended": ended, "again": again}, err
}

// hostLog keeps what a server would have in its log.
type hostLog struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *hostLog) Write(data []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(data)
}

func (l *hostLog) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}
