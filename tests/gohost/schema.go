package main

import (
	"fmt"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const hooksService = "mattermost.pluginapi.v1.PluginHooks"

// schema is the protos of the descriptor set: gohost is built without them.
type schema struct {
	files   *protoregistry.Files
	encoder protojson.MarshalOptions
	decoder protojson.UnmarshalOptions
}

func loadSchema(path string) (*schema, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read --descriptors: %w", err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(raw, set); err != nil {
		return nil, fmt.Errorf("%s is no FileDescriptorSet: %w", path, err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	types := dynamicpb.NewTypes(files)
	return &schema{
		files:   files,
		encoder: protojson.MarshalOptions{UseProtoNames: true, Resolver: types},
		decoder: protojson.UnmarshalOptions{Resolver: types},
	}, nil
}

// method finds "OnActivate" (of PluginHooks) or "package.Service/Method".
func (s *schema) method(name string) (protoreflect.MethodDescriptor, error) {
	service, short, qualified := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !qualified {
		service, short = hooksService, name
	}
	found, err := s.files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("no service %s in the descriptors: %w", service, err)
	}
	descriptor, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service", service)
	}
	method := descriptor.Methods().ByName(protoreflect.Name(short))
	if method == nil {
		return nil, fmt.Errorf("service %s has no method %q", service, short)
	}
	return method, nil
}

func fullMethod(method protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
}

// message makes a message of protojson; no text means the empty message.
func (s *schema) message(descriptor protoreflect.MessageDescriptor, text []byte) (*dynamicpb.Message, error) {
	message := dynamicpb.NewMessage(descriptor)
	if len(text) == 0 {
		return message, nil
	}
	if err := s.decoder.Unmarshal(text, message); err != nil {
		return nil, fmt.Errorf("not a %s: %w", descriptor.FullName(), err)
	}
	return message, nil
}

func (s *schema) json(message proto.Message) ([]byte, error) {
	return s.encoder.Marshal(message)
}
