package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/dynamicpb"
)

// bodyRead is how much of a request body the Mattermost host reads at a time;
// each read becomes one message.
const bodyRead = 64 * 1024

// bridge turns HTTP requests into calls of the ServeHTTP stream, by the rules of
// the Mattermost host.
type bridge struct {
	conn       *grpc.ClientConn
	schema     *httpSchema
	logger     hclog.Logger
	requestID  func() string
	userID     string
	sessionID  string
	pluginID   string
	fullDuplex bool
}

var errInvalidStatus = errors.New("status code outside 100..999")

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The end of this handler cancels the call, as does the client's disconnect.
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	controller := http.NewResponseController(w)
	if b.fullDuplex {
		if err := controller.EnableFullDuplex(); err != nil {
			b.logger.Error("no full duplex", "error", err)
		}
	}
	b.prepare(r)
	stream, err := b.conn.NewStream(ctx, anyStream, fullMethod(b.schema.method))
	if err != nil {
		b.logger.Error("cannot open the stream", "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	sent := make(chan error, 1)
	go func() { sent <- b.sendRequest(stream, r) }()

	written, err := b.copyResponse(stream, w, controller)
	if err != nil {
		cancel()
	}
	sendErr := b.awaitSender(sent, err != nil, controller)
	b.logger.Info("request finished", "method", r.Method, "url", r.URL.String(),
		"written", written, "error", text(err), "send_error", text(sendErr))
}

// awaitSender waits for the sender as the host does, after an early answer too:
// such a request ends when its body does. Only a failed one stops the reading.
func (b *bridge) awaitSender(sent <-chan error, stop bool, controller *http.ResponseController) error {
	if !stop {
		return <-sent
	}
	select {
	case err := <-sent:
		return err
	default:
	}
	if err := controller.SetReadDeadline(time.Unix(1, 0)); err != nil {
		b.logger.Error("cannot stop reading the body", "error", err)
	}
	return <-sent
}

// prepare does what the server does before the hook: the prefix goes and only
// the server says who the user is.
func (b *bridge) prepare(r *http.Request) {
	if b.pluginID != "" {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/plugins/"+b.pluginID)
	}
	r.Header.Del("Mattermost-User-Id")
	if b.userID != "" {
		r.Header.Set("Mattermost-User-Id", b.userID)
	}
}

func (b *bridge) pluginContext(r *http.Request) map[string]string {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	return map[string]string{
		"session_id":      b.sessionID,
		"request_id":      b.requestID(),
		"ip_address":      address,
		"accept_language": r.Header.Get("Accept-Language"),
		"user_agent":      r.UserAgent(),
	}
}

// sendRequest sends init with the first read of the body, then read by read. A
// body that cannot be read to its end is half-closed without body_complete.
func (b *bridge) sendRequest(stream grpc.ClientStream, r *http.Request) error {
	init := b.schema.initMessage(r, b.pluginContext(r))
	for {
		buffer := make([]byte, bodyRead)
		n, readErr := r.Body.Read(buffer)
		complete := errors.Is(readErr, io.EOF)
		cut := readErr != nil && !complete
		if init != nil || n > 0 || !cut {
			if err := stream.SendMsg(b.schema.requestMessage(init, buffer[:n], complete)); err != nil {
				return err
			}
		}
		switch {
		case complete:
			return stream.CloseSend()
		case cut:
			return errors.Join(readErr, stream.CloseSend())
		}
		init = nil
	}
}

// copyResponse writes the plugin's answer. The end of the stream is the end of
// the answer, with or without body_complete; nothing is read after that flag.
func (b *bridge) copyResponse(stream grpc.ClientStream, w http.ResponseWriter, controller *http.ResponseController) (int64, error) {
	var written int64
	for first := true; ; first = false {
		message := dynamicpb.NewMessage(b.schema.response)
		if err := stream.RecvMsg(message); err != nil {
			if first {
				http.Error(w, http.StatusText(http.StatusBadGateway), http.StatusBadGateway)
				return 0, fmt.Errorf("no first message: %w", err)
			}
			if errors.Is(err, io.EOF) {
				return written, nil
			}
			return written, fmt.Errorf("response cut short: %w", err)
		}
		if first {
			if err := b.writeStart(w, message); err != nil {
				return 0, err
			}
		}
		if chunk := message.Get(b.schema.responseChunk).Bytes(); len(chunk) > 0 {
			n, err := w.Write(chunk)
			written += int64(n)
			if err != nil {
				return written, fmt.Errorf("cannot write to the client: %w", err)
			}
		}
		if message.Get(b.schema.responseFlush).Bool() {
			if err := controller.Flush(); err != nil {
				b.logger.Debug("cannot flush", "error", err)
			}
		}
		if message.Get(b.schema.responseComplete).Bool() {
			return written, nil
		}
	}
}

func (b *bridge) writeStart(w http.ResponseWriter, message *dynamicpb.Message) error {
	status, headers := b.schema.responseStart(message)
	if status < 100 || status > 999 {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return fmt.Errorf("%w: %d", errInvalidStatus, status)
	}
	for key, values := range headers {
		for _, value := range values {
			w.Header().Add(key, value)
		}
	}
	w.WriteHeader(status)
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
