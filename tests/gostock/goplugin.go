package main

import (
	"errors"
	"io"
	"net/http"
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// servePlugin is a Go plugin with the behaviour of the Python one that is
// measured beside it.
func servePlugin() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{"hooks": goHooksPlugin{}},
	})
}

type goHooksPlugin struct{}

func (goHooksPlugin) Server(broker *plugin.MuxBroker) (any, error) {
	return &goHooks{broker: broker}, nil
}

func (goHooksPlugin) Client(*plugin.MuxBroker, *rpc.Client) (any, error) {
	return nil, errors.New("this is a plugin")
}

type goHooks struct {
	broker *plugin.MuxBroker
	api    *rpc.Client
}

func (*goHooks) Implemented(_ struct{}, reply *[]string) error {
	*reply = []string{"MessageWillBePosted", "MessageHasBeenPosted", "ServeHTTP"}
	return nil
}

func (g *goHooks) OnActivate(args *OnActivateArgs, _ *OnActivateReturns) error {
	connection, err := g.broker.Dial(args.APIMuxId)
	if err != nil {
		return err
	}
	if _, err := g.broker.Dial(args.DriverMuxId); err != nil {
		return err
	}
	g.api = rpc.NewClient(connection)
	return nil
}

func (*goHooks) OnDeactivate(_ *OnDeactivateArgs, _ *OnDeactivateReturns) error { return nil }

func (*goHooks) MessageWillBePosted(args *MessageWillBePostedArgs, reply *MessageWillBePostedReturns) error {
	args.B.Message += "!"
	reply.A = args.B
	return nil
}

func (g *goHooks) MessageHasBeenPosted(args *MessageHasBeenPostedArgs, _ *MessageHasBeenPostedReturns) error {
	var reply GetUserReturns
	return g.api.Call("Plugin.GetUser", &GetUserArgs{A: args.B.UserId}, &reply)
}

func (g *goHooks) ServeHTTP(args *ServeHTTPArgs, _ *struct{}) error {
	connection, err := g.broker.Dial(args.ResponseWriterStream)
	if err != nil {
		return err
	}
	client := rpc.NewClient(connection)
	defer client.Close()
	body := io.Reader(http.NoBody)
	if args.RequestBodyStream != 0 {
		stream, err := g.broker.Dial(args.RequestBodyStream)
		if err != nil {
			return err
		}
		defer stream.Close()
		body = &remoteReader{conn: stream}
	}
	writer := &remoteWriter{client: client}
	if args.Request.URL.Path == "/echo" {
		_, err = io.Copy(writer, body)
		return err
	}
	writer.Header().Set("Content-Type", "text/plain")
	writer.WriteHeader(http.StatusOK)
	_, err = writer.Write([]byte("hello"))
	return err
}
