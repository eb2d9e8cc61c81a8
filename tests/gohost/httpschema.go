package main

import (
	"fmt"
	"net/http"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// httpSchema is the fields of the ServeHTTP stream's messages.
type httpSchema struct {
	method protoreflect.MethodDescriptor

	request         protoreflect.MessageDescriptor
	requestInit     protoreflect.FieldDescriptor
	requestChunk    protoreflect.FieldDescriptor
	requestComplete protoreflect.FieldDescriptor

	response         protoreflect.MessageDescriptor
	responseInit     protoreflect.FieldDescriptor
	responseChunk    protoreflect.FieldDescriptor
	responseComplete protoreflect.FieldDescriptor
	responseFlush    protoreflect.FieldDescriptor
	responseStatus   protoreflect.FieldDescriptor
	responseHeaders  protoreflect.FieldDescriptor
}

// initFields is what initMessage sets.
var initFields = []protoreflect.Name{
	"plugin_context", "method", "url", "proto", "proto_major", "proto_minor", "headers",
	"host", "remote_addr", "request_uri", "content_length",
}

func newHTTPSchema(method protoreflect.MethodDescriptor) (*httpSchema, error) {
	s := &httpSchema{method: method, request: method.Input(), response: method.Output()}
	lookups := []struct {
		target  *protoreflect.FieldDescriptor
		message protoreflect.MessageDescriptor
		name    protoreflect.Name
	}{
		{&s.requestInit, s.request, "init"},
		{&s.requestChunk, s.request, "body_chunk"},
		{&s.requestComplete, s.request, "body_complete"},
		{&s.responseInit, s.response, "init"},
		{&s.responseChunk, s.response, "body_chunk"},
		{&s.responseComplete, s.response, "body_complete"},
		{&s.responseFlush, s.response, "flush"},
	}
	for _, lookup := range lookups {
		*lookup.target = lookup.message.Fields().ByName(lookup.name)
		if *lookup.target == nil {
			return nil, fmt.Errorf("%s has no field %s", lookup.message.FullName(), lookup.name)
		}
	}
	for _, name := range initFields {
		if s.requestInit.Message().Fields().ByName(name) == nil {
			return nil, fmt.Errorf("%s has no field %s", s.requestInit.Message().FullName(), name)
		}
	}
	fields := s.responseInit.Message().Fields()
	s.responseStatus, s.responseHeaders = fields.ByName("status_code"), fields.ByName("headers")
	if s.responseStatus == nil || s.responseHeaders == nil {
		return nil, fmt.Errorf("%s lacks a field", s.responseInit.Message().FullName())
	}
	return s, nil
}

// requestMessage is one message to the plugin; init is nil after the first.
func (s *httpSchema) requestMessage(init *dynamicpb.Message, chunk []byte, complete bool) *dynamicpb.Message {
	message := dynamicpb.NewMessage(s.request)
	if init != nil {
		message.Set(s.requestInit, protoreflect.ValueOfMessage(init))
	}
	if len(chunk) > 0 {
		message.Set(s.requestChunk, protoreflect.ValueOfBytes(chunk))
	}
	if complete {
		message.Set(s.requestComplete, protoreflect.ValueOfBool(true))
	}
	return message
}

// initMessage describes the request. context is the fields of the PluginContext.
func (s *httpSchema) initMessage(r *http.Request, context map[string]string) *dynamicpb.Message {
	init := dynamicpb.NewMessage(s.requestInit.Message())
	setText := func(message protoreflect.Message, name, value string) {
		message.Set(message.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOfString(value))
	}
	field := func(name protoreflect.Name) protoreflect.FieldDescriptor {
		return init.Descriptor().Fields().ByName(name)
	}
	pluginContext := init.Mutable(field("plugin_context")).Message()
	for name, value := range context {
		setText(pluginContext, name, value)
	}
	setText(init, "method", r.Method)
	setText(init, "url", r.URL.String())
	setText(init, "proto", r.Proto)
	init.Set(field("proto_major"), protoreflect.ValueOfInt32(int32(r.ProtoMajor)))
	init.Set(field("proto_minor"), protoreflect.ValueOfInt32(int32(r.ProtoMinor)))
	headers := init.Mutable(field("headers")).List()
	for key, values := range r.Header {
		header := headers.AppendMutable().Message()
		setText(header, "key", key)
		list := header.Mutable(header.Descriptor().Fields().ByName("values")).List()
		for _, value := range values {
			list.Append(protoreflect.ValueOfString(value))
		}
	}
	setText(init, "host", r.Host)
	setText(init, "remote_addr", r.RemoteAddr)
	setText(init, "request_uri", r.RequestURI)
	init.Set(field("content_length"), protoreflect.ValueOfInt64(r.ContentLength))
	return init
}

// responseStart reads the status and the headers of an init. No init is 200
// without headers, and so is a status of 0.
func (s *httpSchema) responseStart(message *dynamicpb.Message) (int, http.Header) {
	headers := http.Header{}
	if !message.Has(s.responseInit) {
		return http.StatusOK, headers
	}
	init := message.Get(s.responseInit).Message()
	list := init.Get(s.responseHeaders).List()
	for i := range list.Len() {
		header := list.Get(i).Message()
		fields := header.Descriptor().Fields()
		key := header.Get(fields.ByName("key")).String()
		values := header.Get(fields.ByName("values")).List()
		for j := range values.Len() {
			headers.Add(key, values.Get(j).String())
		}
	}
	code := int(init.Get(s.responseStatus).Int())
	if code == 0 {
		code = http.StatusOK
	}
	return code, headers
}
