package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

type frontParams struct {
	pluginParams
	Method           string `json:"method"`
	UserID           string `json:"user_id"`
	SessionID        string `json:"session_id"`
	PluginID         string `json:"plugin_id"`
	FullDuplex       *bool  `json:"full_duplex"`
	CheckImplemented *bool  `json:"check_implemented"`
}

// httpFront starts a server whose requests go to the plugin. A plugin that does
// not name the hook in Implemented gets no calls: the host answers 404 itself.
func (h *host) httpFront(params frontParams) (any, error) {
	address, err := h.openFront(params)
	if err != nil {
		return nil, err
	}
	return struct {
		Address string `json:"address"`
	}{address}, nil
}

func (h *host) openFront(params frontParams) (string, error) {
	p, conn, err := h.running(params.Plugin)
	if err != nil {
		return "", err
	}
	if params.Method == "" {
		params.Method = "ServeHTTP"
	}
	method, err := h.schema.method(params.Method)
	if err != nil {
		return "", err
	}
	schema, err := newHTTPSchema(method)
	if err != nil {
		return "", err
	}
	logger := p.capture.logger.Named(loggerHTTP)
	handler, err := h.frontHandler(params, &bridge{
		conn:       conn,
		schema:     schema,
		logger:     logger,
		requestID:  func() string { return h.nextID("request") },
		userID:     params.UserID,
		sessionID:  params.SessionID,
		pluginID:   params.PluginID,
		fullDuplex: params.FullDuplex == nil || *params.FullDuplex,
	})
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:  handler,
		ErrorLog: logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Error}),
	}
	p.addFront(server)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("front ended", "error", err)
		}
	}()
	return listener.Addr().String(), nil
}

// frontHandler is the bridge, or 404 for a hook that the plugin does not name.
func (h *host) frontHandler(params frontParams, b *bridge) (http.Handler, error) {
	if params.CheckImplemented != nil && !*params.CheckImplemented {
		return b, nil
	}
	names, err := h.implemented(params.Plugin)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, string(b.schema.method.Name())) {
		return http.NotFoundHandler(), nil
	}
	return b, nil
}

// implemented asks the plugin which hooks it handles.
func (h *host) implemented(id string) ([]string, error) {
	_, conn, err := h.running(id)
	if err != nil {
		return nil, err
	}
	method, err := h.schema.method("Implemented")
	if err != nil {
		return nil, err
	}
	response := dynamicpb.NewMessage(method.Output())
	ctx, cancel := callOptions{}.context()
	defer cancel()
	if err := conn.Invoke(ctx, fullMethod(method), dynamicpb.NewMessage(method.Input()), response); err != nil {
		return nil, fmt.Errorf("Implemented: %w", err)
	}
	field := response.Descriptor().Fields().ByName("hooks")
	if field == nil || !field.IsList() || field.Kind() != protoreflect.StringKind {
		return nil, fmt.Errorf("%s has no list of hooks", response.Descriptor().FullName())
	}
	list := response.Get(field).List()
	names := make([]string, list.Len())
	for i := range names {
		names[i] = list.Get(i).String()
	}
	return names, nil
}
