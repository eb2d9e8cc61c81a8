package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"time"
)

const (
	maxBenchMiB      = 8192
	mebibyte         = 1 << 20
	defaultBenchHTTP = 5 * time.Minute
)

type benchHTTPResult struct {
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	MiBPerSec float64 `json:"mib_per_s"`
}

// benchHTTP posts a body to a plugin that echoes it and reads the echo at the
// same time. An echo that differs is an error.
func (h *host) benchHTTP(params struct {
	pluginParams
	MiB       int64  `json:"mib"`
	Path      string `json:"path"`
	TimeoutMS int64  `json:"timeout_ms"`
}) (any, error) {
	if params.MiB < 1 || params.MiB > maxBenchMiB {
		return nil, fmt.Errorf("mib %d is not in 1..%d", params.MiB, maxBenchMiB)
	}
	address, err := h.openFront(frontParams{pluginParams: params.pluginParams})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), millis(params.TimeoutMS, defaultBenchHTTP))
	defer cancel()
	body := newPattern(params.MiB * mebibyte)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+params.Path, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = body.size
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()

	begin := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	echo := crc32.New(castagnoli)
	received, err := io.CopyBuffer(writerOnly{echo}, response.Body, make([]byte, bodyRead))
	seconds := time.Since(begin).Seconds()
	switch {
	case err != nil:
		return nil, fmt.Errorf("after %d bytes: %w", received, err)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the plugin answered %s", response.Status)
	case received != body.size:
		return nil, fmt.Errorf("sent %d bytes, got %d back", body.size, received)
	case echo.Sum32() != body.sum.Sum32():
		return nil, errors.New("the echo differs from the body")
	}
	return benchHTTPResult{received, seconds, float64(params.MiB) / seconds}, nil
}

// castagnoli has an instruction of its own on most processors: the checksum must
// not be what is measured.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writerOnly hides every method but Write, so that io.CopyBuffer uses its buffer.
type writerOnly struct{ io.Writer }

// pattern is a body of blocks that all differ, so that a block lost, doubled or
// moved changes the checksum.
type pattern struct {
	size, sent int64
	sum        hash.Hash32
	block      []byte
	rest       []byte
}

const patternBlock = 4096

func newPattern(size int64) *pattern {
	block := make([]byte, patternBlock)
	for i := range block {
		block[i] = byte(i * 7)
	}
	return &pattern{size: size, sum: crc32.New(castagnoli), block: block}
}

// Read is used by one goroutine, which has ended when the response has.
func (p *pattern) Read(buffer []byte) (int, error) {
	if p.sent == p.size {
		return 0, io.EOF
	}
	total := 0
	for total < len(buffer) && p.sent < p.size {
		if len(p.rest) == 0 {
			binary.LittleEndian.PutUint64(p.block, uint64(p.sent))
			p.rest = p.block
		}
		n := copy(buffer[total:], p.rest[:min(int64(len(p.rest)), p.size-p.sent)])
		p.rest = p.rest[n:]
		p.sent += int64(n)
		total += n
	}
	_, _ = p.sum.Write(buffer[:total])
	return total, nil
}
