package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"os/exec"
	"reflect"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "MATTERMOST_PLUGIN",
	MagicCookieValue: "Securely message teams, anywhere.",
}

// A stock server gives a plugin this long.
const startTimeout = 3 * time.Second

type host struct {
	client      *plugin.Client
	cmd         *exec.Cmd
	protocol    plugin.ClientProtocol
	broker      *plugin.MuxBroker
	rpc         *rpc.Client
	api         *api
	address     string
	began       time.Time
	implemented []string
	installed   installed
	log         hostLog
	driver      *dbDriver
}

type hooksPlugin struct{ host *host }

func (hooksPlugin) Server(*plugin.MuxBroker) (any, error) {
	return nil, errors.New("gostock serves no plugin")
}

func (p hooksPlugin) Client(broker *plugin.MuxBroker, client *rpc.Client) (any, error) {
	p.host.broker, p.host.rpc = broker, client
	return p.host, nil
}

type startParams struct {
	Cmd []string                   `json:"cmd"`
	Env map[string]string          `json:"env"`
	API map[string]json.RawMessage `json:"api"`
}

func (h *host) start(params startParams) (any, error) {
	cmd := exec.Command(params.Cmd[0], params.Cmd[1:]...)
	cmd.Env = os.Environ()
	for name, value := range params.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	h.api = &api{answers: params.API}
	return h.connect(cmd, &plugin.ClientConfig{
		Logger: hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Info}),
	})
}

// connect starts a plugin's process and asks what it implements.
func (h *host) connect(cmd *exec.Cmd, config *plugin.ClientConfig) (any, error) {
	config.HandshakeConfig = handshake
	config.Plugins = plugin.PluginSet{"hooks": hooksPlugin{h}}
	config.Cmd = cmd
	config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolNetRPC}
	config.StartTimeout = startTimeout
	h.cmd = cmd
	h.began = time.Now()
	h.client = plugin.NewClient(config)
	var err error
	if h.protocol, err = h.client.Client(); err != nil {
		return nil, err
	}
	if _, err = h.protocol.Dispense("hooks"); err != nil {
		return nil, err
	}
	h.implemented = nil
	if err := h.rpc.Call("Plugin.Implemented", struct{}{}, &h.implemented); err != nil {
		return nil, err
	}
	elapsed := float64(time.Since(h.began).Microseconds()) / 1000
	return map[string]any{"elapsed_ms": elapsed, "implemented": h.implemented}, nil
}

func (h *host) activate() (any, error) {
	apiID, driverID := h.broker.NextId(), h.broker.NextId()
	go func() {
		if connection, err := h.broker.Accept(apiID); err == nil {
			h.api.serve(connection, h.broker)
		}
	}()
	h.driver = newDriver()
	go h.broker.AcceptAndServe(driverID, h.driver)
	var reply OnActivateReturns
	err := h.rpc.Call("Plugin.OnActivate", OnActivateArgs{APIMuxId: apiID, DriverMuxId: driverID}, &reply)
	return map[string]any{"error": reply.A}, err
}

type hookParams struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

func (h *host) prepare(params hookParams) (any, func() any, error) {
	argsType, ok := types["plugin.Z_"+params.Name+"Args"]
	replyType, known := types["plugin.Z_"+params.Name+"Returns"]
	if !ok || !known {
		return nil, nil, fmt.Errorf("no types of %s", params.Name)
	}
	args := reflect.New(argsType)
	if len(params.Args) > 0 {
		if err := json.Unmarshal(params.Args, args.Interface()); err != nil {
			return nil, nil, err
		}
	}
	return args.Interface(), func() any { return reflect.New(replyType).Interface() }, nil
}

// hook calls a hook and decodes its reply as the server does: into nothing.
func (h *host) hook(params hookParams) (any, error) {
	args, newReply, err := h.prepare(params)
	if err != nil {
		return nil, err
	}
	reply := newReply()
	if err := h.rpc.Call("Plugin."+params.Name, args, reply); err != nil {
		return nil, err
	}
	return map[string]any{"reply": reply}, nil
}

func (h *host) upload(params struct {
	Info    FileInfo `json:"info"`
	Content []byte   `json:"content"`
}) (any, error) {
	fileID, replacementID := h.broker.NextId(), h.broker.NextId()
	go func() {
		if connection, err := h.broker.Accept(fileID); err == nil {
			serveReader(bytes.NewReader(params.Content), connection)
		}
	}()
	var replacement bytes.Buffer
	done := make(chan error, 1)
	go func() {
		connection, err := h.broker.Accept(replacementID)
		if err == nil {
			_, err = io.Copy(&replacement, connection)
			_ = connection.Close()
		}
		done <- err
	}()
	args := FileWillBeUploadedArgs{&PluginContext{}, &params.Info, fileID, replacementID}
	reply := FileWillBeUploadedReturns{A: &params.Info}
	if err := h.rpc.Call("Plugin.FileWillBeUploaded", args, &reply); err != nil {
		return nil, err
	}
	if err := <-done; err != nil {
		return nil, err
	}
	return map[string]any{"reply": reply, "content": replacement.Bytes()}, nil
}

func (h *host) front() (any, error) {
	if h.address != "" {
		return map[string]any{"address": h.address}, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = http.Serve(listener, h) }()
	h.address = listener.Addr().String()
	return map[string]any{"address": h.address}, nil
}

func (h *host) kill() float64 {
	if h.client == nil {
		return 0
	}
	begin := time.Now()
	h.client.Kill()
	return float64(time.Since(begin).Microseconds()) / 1000
}
