package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/rpc"
)

// ServeHTTP passes a request to the plugin as the server does.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// What the server has set before a plugin is asked.
	w.Header().Set("X-Preset", "server")
	writerID := h.broker.NextId()
	go func() {
		connection, err := h.broker.Accept(writerID)
		if err != nil {
			log.Print("writer: ", err)
			return
		}
		defer connection.Close()
		server := rpc.NewServer()
		if err := server.RegisterName("Plugin", &responseWriter{w: w}); err != nil {
			log.Print("writer: ", err)
			return
		}
		server.ServeConn(connection)
	}()
	bodyID := uint32(0)
	if r.Body != nil {
		bodyID = h.broker.NextId()
		go func() {
			connection, err := h.broker.Accept(bodyID)
			if err != nil {
				log.Print("body: ", err)
				return
			}
			serveReader(r.Body, connection)
		}()
	}
	args := ServeHTTPArgs{
		ResponseWriterStream: writerID,
		Request: &HTTPRequestSubset{
			Method: r.Method, URL: r.URL, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
			Header: HTTPHeader(r.Header), Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI,
		},
		Context:           &PluginContext{RequestId: "request", UserAgent: r.UserAgent()},
		RequestBodyStream: bodyID,
	}
	if err := h.rpc.Call("Plugin.ServeHTTP", args, nil); err != nil {
		log.Print("ServeHTTP: ", err)
		http.Error(w, "500 internal server error", http.StatusInternalServerError)
	}
}

// responseWriter is the server's end of a plugin's response writer.
type responseWriter struct {
	w    http.ResponseWriter
	conn net.Conn
}

func (r *responseWriter) Header(_ struct{}, reply *http.Header) error {
	*reply = r.w.Header()
	return nil
}

func (r *responseWriter) SyncHeader(header http.Header, _ *struct{}) error {
	own := r.w.Header()
	for name := range own {
		if _, kept := header[name]; !kept {
			delete(own, name)
		}
	}
	for name, values := range header {
		own[name] = values
	}
	return nil
}

func (r *responseWriter) WriteHeader(status int, _ *struct{}) error {
	if status < 100 || status > 999 {
		return errors.New("invalid http status code")
	}
	r.w.WriteHeader(status)
	return nil
}

func (r *responseWriter) Write(data []byte, _ *struct{}) error {
	_, err := r.w.Write(data)
	return err
}

func (r *responseWriter) Flush(_ struct{}, _ *struct{}) error {
	if flusher, ok := r.w.(http.Flusher); ok {
		flusher.Flush()
	}
	return nil
}

func (r *responseWriter) HijackResponse(_ struct{}, _ *struct{}) error {
	hijacker, ok := r.w.(http.Hijacker)
	if !ok {
		return errors.New("response cannot be hijacked")
	}
	var err error
	r.conn, _, err = hijacker.Hijack()
	return err
}

func (r *responseWriter) HjConnClose(_ struct{}, _ *struct{}) error {
	if r.conn == nil {
		return errors.New("response is not hijacked")
	}
	return r.conn.Close()
}

// serveReader answers the credits of who reads a stream.
func serveReader(reader io.Reader, connection io.ReadWriteCloser) {
	defer connection.Close()
	credits := bufio.NewReader(connection)
	for {
		n, err := binary.ReadVarint(credits)
		if err != nil {
			return
		}
		if written, err := io.CopyN(connection, reader, n); err != nil || written < n {
			return
		}
	}
}
