package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// hookStream is one streaming call that a test steers message by message. It
// carries bytes, so that a test can send what protobuf would not.
type hookStream struct {
	schema *schema
	method protoreflect.MethodDescriptor
	cancel context.CancelFunc
	grpc.ClientStream
}

var anyStream = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}

type openParams struct {
	pluginParams
	callOptions
	Method string `json:"method"`
}

func (h *host) openStream(params openParams) (*hookStream, error) {
	_, conn, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	method, err := h.schema.method(params.Method)
	if err != nil {
		return nil, err
	}
	ctx, cancel := params.context()
	stream, err := conn.NewStream(ctx, anyStream, fullMethod(method), grpc.ForceCodec(rawCodec{}))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("cannot open the stream: %w", err)
	}
	return &hookStream{h.schema, method, cancel, stream}, nil
}

// send takes protojson, or a JSON string with the base64 of raw bytes. It
// reports whether the plugin has ended the call already.
func (s *hookStream) send(text json.RawMessage) (bool, error) {
	var raw []byte
	if len(text) > 0 && text[0] == '"' {
		if err := json.Unmarshal(text, &raw); err != nil {
			return false, fmt.Errorf("not base64: %w", err)
		}
	} else {
		message, err := s.schema.message(s.method.Input(), text)
		if err != nil {
			return false, err
		}
		if raw, err = proto.Marshal(message); err != nil {
			return false, err
		}
	}
	err := s.SendMsg(&raw)
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// receive returns the next message as protojson, or nil and how the call ended.
func (s *hookStream) receive() (json.RawMessage, outcome, error) {
	var raw []byte
	err := s.RecvMsg(&raw)
	if errors.Is(err, io.EOF) {
		return nil, outcomeOf(nil), nil
	}
	if err != nil {
		return nil, outcomeOf(err), nil
	}
	message := dynamicpb.NewMessage(s.method.Output())
	if err := proto.Unmarshal(raw, message); err != nil {
		return nil, outcome{}, fmt.Errorf("the plugin sent no %s: %w", s.method.Output().FullName(), err)
	}
	text, err := s.schema.json(message)
	return text, outcome{}, err
}

type streamResult struct {
	outcome
	Messages []json.RawMessage `json:"messages"`
}

// stream plays a whole call: it sends all, then receives to the end.
func (h *host) stream(params struct {
	openParams
	Messages    []json.RawMessage `json:"messages"`
	HalfClose   bool              `json:"half_close"`
	CancelAfter int               `json:"cancel_after"`
}) (any, error) {
	s, err := h.openStream(params.openParams)
	if err != nil {
		return nil, err
	}
	defer s.cancel()
	for _, message := range params.Messages {
		ended, err := s.send(message)
		if err != nil {
			return nil, err
		}
		if ended {
			break
		}
	}
	if params.HalfClose {
		if err := s.CloseSend(); err != nil {
			return nil, err
		}
	}
	result := streamResult{Messages: []json.RawMessage{}}
	for {
		message, end, err := s.receive()
		if err != nil {
			return nil, err
		}
		if message == nil {
			result.outcome = end
			return result, nil
		}
		result.Messages = append(result.Messages, message)
		if len(result.Messages) == params.CancelAfter {
			s.cancel()
		}
	}
}

type streamParams struct {
	Stream string `json:"stream"`
}

func (h *host) streamOpen(params openParams) (any, error) {
	s, err := h.openStream(params)
	if err != nil {
		return nil, err
	}
	id := h.nextID("s")
	h.mu.Lock()
	h.streams[id] = s
	h.mu.Unlock()
	return streamParams{Stream: id}, nil
}

func (h *host) openedStream(id string) (*hookStream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.streams[id]
	if !ok {
		return nil, fmt.Errorf("no stream %q", id)
	}
	return s, nil
}

func (h *host) streamSend(params struct {
	streamParams
	Message json.RawMessage `json:"message"`
}) (any, error) {
	s, err := h.openedStream(params.Stream)
	if err != nil {
		return nil, err
	}
	ended, err := s.send(params.Message)
	return struct {
		Ended bool `json:"ended"`
	}{ended}, err
}

func (h *host) streamHalfClose(params streamParams) (any, error) {
	s, err := h.openedStream(params.Stream)
	if err != nil {
		return nil, err
	}
	return empty{}, s.CloseSend()
}

func (h *host) streamReceive(params streamParams) (any, error) {
	s, err := h.openedStream(params.Stream)
	if err != nil {
		return nil, err
	}
	message, end, err := s.receive()
	if err != nil {
		return nil, err
	}
	if message != nil {
		return struct {
			Message json.RawMessage `json:"message"`
		}{message}, nil
	}
	h.mu.Lock()
	delete(h.streams, params.Stream)
	h.mu.Unlock()
	s.cancel()
	return end, nil
}

func (h *host) streamCancel(params streamParams) (any, error) {
	s, err := h.openedStream(params.Stream)
	if err != nil {
		return nil, err
	}
	s.cancel()
	return empty{}, nil
}
