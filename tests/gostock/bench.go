package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const mebibyte = 1 << 20

// bench calls a hook many times. Replies are decoded, as the server does.
func (h *host) bench(params struct {
	hookParams
	Count       int `json:"count"`
	Concurrency int `json:"concurrency"`
}) (any, error) {
	args, newReply, err := h.prepare(params.hookParams)
	if err != nil {
		return nil, err
	}
	return h.measure(params.Count, params.Concurrency, func() error {
		return h.rpc.Call("Plugin."+params.Name, args, newReply())
	})
}

func (h *host) measure(count, concurrency int, call func() error) (any, error) {
	latencies := make([]time.Duration, count)
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var running sync.WaitGroup
	begin := time.Now()
	for range concurrency {
		running.Add(1)
		go func() {
			defer running.Done()
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				start := time.Now()
				if err := call(); err != nil {
					failure.CompareAndSwap(nil, &err)
				}
				latencies[i] = time.Since(start)
			}
		}()
	}
	running.Wait()
	seconds := time.Since(begin).Seconds()
	if err := failure.Load(); err != nil {
		return nil, *err
	}
	slices.Sort(latencies)
	return map[string]any{
		"p50_us": latencies[count/2].Microseconds(),
		"p99_us": latencies[count*99/100].Microseconds(),
		"per_s":  int(float64(count) / seconds),
		"pid":    h.client.ID(),
	}, nil
}

// benchHTTP asks many times, or lets the plugin echo a large body once.
func (h *host) benchHTTP(params struct {
	Path  string `json:"path"`
	MiB   int    `json:"mib"`
	Count int    `json:"count"`
}) (any, error) {
	if _, err := h.front(); err != nil {
		return nil, err
	}
	url := "http://" + h.address + params.Path
	if params.MiB == 0 {
		return h.measure(params.Count, 1, func() error {
			response, err := http.Get(url)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			_, err = io.Copy(io.Discard, response.Body)
			return err
		})
	}
	body := make([]byte, params.MiB*mebibyte)
	_, _ = rand.Read(body)
	begin := time.Now()
	response, err := http.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	echo, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	seconds := time.Since(begin).Seconds()
	if !bytes.Equal(echo, body) {
		return nil, errors.New("the echo differs from the body")
	}
	return map[string]any{"mib_per_s": float64(params.MiB) / seconds}, nil
}
