package main

import "fmt"

// rawCodec passes bytes through: malformed messages, and measurements without
// the cost of protobuf on this side.
type rawCodec struct{}

// Name is the name of the codec it stands in for, which goes into the content type.
func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(value any) ([]byte, error) {
	raw, ok := value.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("cannot send a %T raw", value)
	}
	return *raw, nil
}

func (rawCodec) Unmarshal(data []byte, value any) error {
	raw, ok := value.(*[]byte)
	if !ok {
		return fmt.Errorf("cannot receive a %T raw", value)
	}
	*raw = append([]byte{}, data...)
	return nil
}
