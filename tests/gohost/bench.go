package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Bounds of a measurement, so that no mistyped number keeps a machine busy.
const (
	maxBenchCalls       = 1_000_000
	maxBenchConcurrency = 1024
)

type benchResult struct {
	Count      int     `json:"count"`
	Seconds    float64 `json:"seconds"`
	P50Micros  float64 `json:"p50_us"`
	P99Micros  float64 `json:"p99_us"`
	Errors     int64   `json:"errors"`
	FirstError string  `json:"first_error,omitempty"`
}

// bench calls one method count times. The request is encoded once and the
// responses are not decoded: it measures the plugin.
func (h *host) bench(params struct {
	pluginParams
	Method      string          `json:"method"`
	Request     json.RawMessage `json:"request"`
	Concurrency int             `json:"concurrency"`
	Count       int             `json:"count"`
}) (any, error) {
	if params.Count < 1 || params.Count > maxBenchCalls {
		return nil, fmt.Errorf("count %d is not in 1..%d", params.Count, maxBenchCalls)
	}
	if params.Concurrency < 1 || params.Concurrency > maxBenchConcurrency {
		return nil, fmt.Errorf("concurrency %d is not in 1..%d", params.Concurrency, maxBenchConcurrency)
	}
	_, conn, err := h.running(params.Plugin)
	if err != nil {
		return nil, err
	}
	method, err := h.schema.method(params.Method)
	if err != nil {
		return nil, err
	}
	message, err := h.schema.message(method.Input(), params.Request)
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	run := benchRun{
		call:      func() error { return invokeRaw(conn, fullMethod(method), request) },
		latencies: make([]time.Duration, params.Count),
	}
	seconds := run.run(params.Concurrency)
	slices.Sort(run.latencies)
	result := benchResult{
		Count:     params.Count,
		Seconds:   seconds,
		P50Micros: inMicros(percentile(run.latencies, 50)),
		P99Micros: inMicros(percentile(run.latencies, 99)),
		Errors:    run.errors.Load(),
	}
	if first := run.firstError.Load(); first != nil {
		result.FirstError = (*first).Error()
	}
	return result, nil
}

func invokeRaw(conn *grpc.ClientConn, method string, request []byte) error {
	ctx, cancel := callOptions{}.context()
	defer cancel()
	var response []byte
	return conn.Invoke(ctx, method, &request, &response, grpc.ForceCodec(rawCodec{}))
}

type benchRun struct {
	call       func() error
	latencies  []time.Duration
	next       atomic.Int64
	errors     atomic.Int64
	firstError atomic.Pointer[error]
}

// run fills latencies from so many goroutines and returns the seconds it took.
func (b *benchRun) run(concurrency int) float64 {
	var wg sync.WaitGroup
	begin := time.Now()
	for range concurrency {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := b.next.Add(1) - 1; i < int64(len(b.latencies)); i = b.next.Add(1) - 1 {
				start := time.Now()
				if err := b.call(); err != nil {
					b.errors.Add(1)
					b.firstError.CompareAndSwap(nil, &err)
				}
				b.latencies[i] = time.Since(start)
			}
		}()
	}
	wg.Wait()
	return time.Since(begin).Seconds()
}

// percentile is the nearest rank in sorted values.
func percentile(sorted []time.Duration, percent int) time.Duration {
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

func inMicros(d time.Duration) float64 {
	return float64(d) / float64(time.Microsecond)
}
