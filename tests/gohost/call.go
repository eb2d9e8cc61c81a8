package main

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/dynamicpb"
)

// hookTimeout is the Mattermost host's deadline on a unary hook.
const hookTimeout = 30 * time.Second

type callOptions struct {
	TimeoutMS int64             `json:"timeout_ms"`
	Metadata  map[string]string `json:"metadata"`
}

func (o callOptions) context() (context.Context, context.CancelFunc) {
	ctx := metadata.NewOutgoingContext(context.Background(), metadata.New(o.Metadata))
	return context.WithTimeout(ctx, millis(o.TimeoutMS, hookTimeout))
}

type callResult struct {
	outcome
	Response  json.RawMessage `json:"response,omitempty"`
	ElapsedMS float64         `json:"elapsed_ms"`
}

func (h *host) call(params struct {
	pluginParams
	callOptions
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
}) (any, error) {
	_, conn, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	method, err := h.schema.method(params.Method)
	if err != nil {
		return nil, err
	}
	request, err := h.schema.message(method.Input(), params.Request)
	if err != nil {
		return nil, err
	}
	response := dynamicpb.NewMessage(method.Output())
	ctx, cancel := params.context()
	defer cancel()
	begin := time.Now()
	err = conn.Invoke(ctx, fullMethod(method), request, response)
	result := callResult{outcome: outcomeOf(err), ElapsedMS: inMillis(time.Since(begin))}
	if err != nil {
		return result, nil
	}
	result.Response, err = h.schema.json(response)
	return result, err
}

type rawResult struct {
	outcome
	Response  []byte  `json:"response_b64,omitempty"`
	ElapsedMS float64 `json:"elapsed_ms"`
}

func (h *host) callRaw(params struct {
	pluginParams
	callOptions
	FullMethod string `json:"full_method"`
	Request    []byte `json:"request_b64"`
}) (any, error) {
	_, conn, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	ctx, cancel := params.context()
	defer cancel()
	var response []byte
	begin := time.Now()
	err = conn.Invoke(ctx, params.FullMethod, &params.Request, &response, grpc.ForceCodec(rawCodec{}))
	return rawResult{outcome: outcomeOf(err), Response: response, ElapsedMS: inMillis(time.Since(begin))}, nil
}

type pingResult struct {
	OK        bool    `json:"ok"`
	Message   string  `json:"message,omitempty"`
	ElapsedMS float64 `json:"elapsed_ms"`
}

// ping is go-plugin's own Ping, which has no deadline: a Ping that hangs is left behind.
func (h *host) ping(params struct {
	pluginParams
	TimeoutMS int64 `json:"timeout_ms"`
}) (any, error) {
	p, _, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	protocol, err := p.client.Client()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	answered := make(chan error, 1)
	go func() { answered <- protocol.Ping() }()
	result := pingResult{}
	select {
	case err := <-answered:
		result.OK = err == nil
		if err != nil {
			result.Message = err.Error()
		}
	case <-time.After(millis(params.TimeoutMS, hookTimeout)):
		result.Message = "no answer in time"
	}
	result.ElapsedMS = inMillis(time.Since(begin))
	return result, nil
}

type healthResult struct {
	outcome
	Status string `json:"status,omitempty"`
}

func (h *host) health(params struct {
	pluginParams
	callOptions
	Service string `json:"service"`
}) (any, error) {
	_, conn, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	ctx, cancel := params.context()
	defer cancel()
	request := &grpc_health_v1.HealthCheckRequest{Service: params.Service}
	response, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, request)
	result := healthResult{outcome: outcomeOf(err)}
	if err == nil {
		result.Status = response.GetStatus().String()
	}
	return result, nil
}
