package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// What the Mattermost host sets for a Python plugin.
const (
	cookieKey           = "MATTERMOST_PLUGIN"
	cookieValue         = "Securely message teams, anywhere."
	apiTargetKey        = "MATTERMOST_PLUGIN_API_TARGET"
	nobodyListens       = "127.0.0.1:1"
	protocolVersion     = 1
	defaultStartTimeout = 10 * time.Second
	waitDelay           = 5 * time.Second
)

// connectionName is what the plugin set calls the only entry; nothing sends it.
const connectionName = "hooks"

// failedStartReap bounds the wait for a plugin that did not start: a child that
// holds its pipes keeps go-plugin from reaping it.
const failedStartReap = 10 * time.Second

type startParams struct {
	Cmd              []string           `json:"cmd"`
	Env              map[string]*string `json:"env"`
	Dir              string             `json:"dir"`
	StartTimeoutMS   int64              `json:"start_timeout_ms"`
	ProtocolVersion  *uint              `json:"protocol_version"`
	ProtocolVersions []int              `json:"protocol_versions"`
	Cookie           *string            `json:"cookie"`
	AutoMTLS         bool               `json:"auto_mtls"`
	Multiplex        bool               `json:"multiplex"`
	SkipHostEnv      bool               `json:"skip_host_env"`
}

type startResult struct {
	Plugin     string  `json:"plugin"`
	PID        int     `json:"pid"`
	Network    string  `json:"network"`
	Address    string  `json:"address"`
	Protocol   string  `json:"protocol"`
	AppVersion int     `json:"app_version"`
	ElapsedMS  float64 `json:"elapsed_ms"`
}

type failedStart struct {
	Plugin string `json:"plugin"`
	PID    int    `json:"pid"`
	exitStatus
}

// connection is what the plugin set hands out: the bare connection, as the
// Mattermost host uses it, and the context that ends with the process.
type connection struct {
	conn *grpc.ClientConn
	done context.Context
}

type connectionPlugin struct {
	plugin.NetRPCUnsupportedPlugin
}

func (connectionPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("gohost serves no plugin")
}

func (connectionPlugin) GRPCClient(ctx context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &connection{conn: conn, done: ctx}, nil
}

func (h *host) start(params startParams) (any, error) {
	if len(params.Cmd) == 0 {
		return nil, errors.New("cmd is empty")
	}
	p := newHosted(params)
	// Known before it runs: the end of gohost must find it.
	id := h.addPlugin(p)
	begin := time.Now()
	connected, err := p.connect()
	if err != nil {
		p.reapFailed()
		return failedStart{Plugin: id, PID: p.pid(), exitStatus: p.exitStatus()}, err
	}
	elapsed := time.Since(begin)
	p.setConnection(connected.conn)
	go func() {
		<-connected.done.Done()
		close(p.exited)
	}()
	address := p.client.ReattachConfig().Addr
	return startResult{
		Plugin:     id,
		PID:        p.pid(),
		Network:    address.Network(),
		Address:    address.String(),
		Protocol:   string(p.client.Protocol()),
		AppVersion: p.client.NegotiatedVersion(),
		ElapsedMS:  inMillis(elapsed),
	}, nil
}

func newHosted(params startParams) *hosted {
	cmd := exec.Command(params.Cmd[0], params.Cmd[1:]...)
	cmd.Dir = params.Dir
	cmd.Env = environment(params)
	cmd.WaitDelay = waitDelay

	p := &hosted{cmd: cmd, capture: newCapture(cmd.Path), exited: make(chan struct{})}
	config := &plugin.ClientConfig{
		HandshakeConfig:     handshake(params),
		Cmd:                 cmd,
		AllowedProtocols:    []plugin.Protocol{plugin.ProtocolGRPC},
		StartTimeout:        millis(params.StartTimeoutMS, defaultStartTimeout),
		AutoMTLS:            params.AutoMTLS,
		GRPCBrokerMultiplex: params.Multiplex,
		// environment has put the host's variables where the test's can override
		// them; go-plugin would append them last.
		SkipHostEnv: true,
		Logger:      p.capture.logger,
		Stderr:      &p.capture.stderr,
		SyncStdout:  &p.capture.syncStdout,
		SyncStderr:  &p.capture.syncStderr,
	}
	set := plugin.PluginSet{connectionName: connectionPlugin{}}
	if len(params.ProtocolVersions) == 0 {
		config.Plugins = set
	} else {
		config.VersionedPlugins = map[int]plugin.PluginSet{}
		for _, version := range params.ProtocolVersions {
			config.VersionedPlugins[version] = set
		}
	}
	p.client = plugin.NewClient(config)
	return p
}

func handshake(params startParams) plugin.HandshakeConfig {
	config := plugin.HandshakeConfig{
		ProtocolVersion:  protocolVersion,
		MagicCookieKey:   cookieKey,
		MagicCookieValue: cookieValue,
	}
	if params.ProtocolVersion != nil {
		config.ProtocolVersion = *params.ProtocolVersion
	}
	if params.Cookie != nil {
		config.MagicCookieValue = *params.Cookie
	}
	return config
}

// environment is the host's environment changed by the test's variables. A null
// value removes a variable.
func environment(params startParams) []string {
	env := []string{}
	if _, changed := params.Env[apiTargetKey]; !changed {
		// The gRPC host always says where its plugin API listens; nothing does here.
		env = append(env, apiTargetKey+"="+nobodyListens)
	}
	if !params.SkipHostEnv {
		for _, entry := range os.Environ() {
			name, _, _ := strings.Cut(entry, "=")
			if _, changed := params.Env[name]; !changed {
				env = append(env, entry)
			}
		}
	}
	for name, value := range params.Env {
		if value != nil {
			env = append(env, name+"="+*value)
		}
	}
	return env
}

// connect starts the process and opens go-plugin's own streams.
func (p *hosted) connect() (*connection, error) {
	protocol, err := p.client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(connectionName)
	if err != nil {
		return nil, err
	}
	connected, ok := raw.(*connection)
	if !ok {
		return nil, errors.New("the plugin set dispensed something else")
	}
	return connected, nil
}

// reapFailed ends a process whose start failed and waits until it is gone.
func (p *hosted) reapFailed() {
	go func() {
		p.client.Kill()
		close(p.exited)
	}()
	select {
	case <-p.exited:
	case <-time.After(failedStartReap):
		p.capture.logger.Log(hclog.Error, "process of a failed start does not end", "pid", p.pid())
	}
}
