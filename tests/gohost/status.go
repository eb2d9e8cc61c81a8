package main

import (
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/status"
)

// outcome is a gRPC status in a result.
type outcome struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// outcomeOf reads the status of an error of grpc-go; nil is OK.
func outcomeOf(err error) outcome {
	s := status.Convert(err)
	return outcome{Code: code.Code(s.Code()).String(), Message: s.Message()}
}
