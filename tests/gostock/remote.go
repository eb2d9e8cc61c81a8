package main

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/rpc"
)

// remoteReader asks for as many bytes as it is asked for.
type remoteReader struct {
	conn io.ReadWriter
	left int64
}

func (r *remoteReader) Read(buffer []byte) (int, error) {
	if r.left == 0 {
		var credit [binary.MaxVarintLen64]byte
		n := binary.PutVarint(credit[:], int64(len(buffer)))
		if _, err := r.conn.Write(credit[:n]); err != nil {
			return 0, err
		}
		r.left = int64(len(buffer))
	}
	if int64(len(buffer)) > r.left {
		buffer = buffer[:r.left]
	}
	n, err := r.conn.Read(buffer)
	r.left -= int64(n)
	return n, err
}

// remoteWriter is a plugin's end of the response writer, with the round trips
// that Go plugins make.
type remoteWriter struct {
	client *rpc.Client
	header http.Header
}

func (w *remoteWriter) Header() http.Header {
	if w.header == nil {
		_ = w.client.Call("Plugin.Header", struct{}{}, &w.header)
		if w.header == nil {
			w.header = http.Header{}
		}
	}
	return w.header
}

func (w *remoteWriter) WriteHeader(status int) {
	if w.client.Call("Plugin.SyncHeader", w.header, nil) == nil {
		_ = w.client.Call("Plugin.WriteHeader", status, nil)
	}
}

func (w *remoteWriter) Write(data []byte) (int, error) {
	if err := w.client.Call("Plugin.SyncHeader", w.header, nil); err != nil {
		return 0, err
	}
	if err := w.client.Call("Plugin.Write", data, nil); err != nil {
		return 0, err
	}
	return len(data), nil
}
