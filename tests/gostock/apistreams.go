package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-plugin"
)

// What a server may be told beside an answer: to take so many bytes of a
// content and give the rest up.
type takeSome struct {
	Take *int64 `json:"$take"`
}

// takeContent reads a stream as the server's reader does, 32 KiB at a time.
func takeContent(broker *plugin.MuxBroker, id uint32, laidOut json.RawMessage) []byte {
	connection, err := broker.Dial(id)
	if err != nil {
		log.Print("content: ", err)
		return nil
	}
	defer connection.Close()
	var some takeSome
	_ = json.Unmarshal(laidOut, &some)
	reader := io.Reader(&remoteReader{conn: connection})
	if some.Take != nil {
		reader = io.LimitReader(reader, *some.Take)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		log.Print("content: ", err)
	}
	return content
}

// pluginHTTP passes a request on as the server does: it dials the stream of the
// answer, then that of the request's body, and copies the answer while the
// plugin has the reply already.
func (a *api) pluginHTTP(args reflect.Value, broker *plugin.MuxBroker) (any, error) {
	fields := args.Elem()
	subset := fields.FieldByName("Request").Interface().(*HTTPRequestSubset)
	answer, err := broker.Dial(uint32(fields.FieldByName("ResponseBodyStream").Uint()))
	if err != nil {
		return nil, err
	}
	request := &http.Request{
		Method: subset.Method, URL: subset.URL, Header: http.Header(subset.Header), Body: http.NoBody,
	}
	if id := uint32(fields.FieldByName("RequestBodyStream").Uint()); id != 0 {
		body, err := broker.Dial(id)
		if err != nil {
			_ = answer.Close()
			return nil, err
		}
		request.Body = &remoteBody{remoteReader{conn: body}, body}
	}
	response := &pipedResponse{header: http.Header{}, status: make(chan int, 1)}
	body, out := io.Pipe()
	response.out = out
	go func() {
		a.otherPlugin(response, request)
		response.WriteHeader(http.StatusOK)
		_ = request.Body.Close()
		_ = out.Close()
	}()
	reply := reflect.New(types["plugin.Z_PluginHTTPStreamReturns"])
	status := <-response.status
	reply.Elem().FieldByName("StatusCode").SetInt(int64(status))
	reply.Elem().FieldByName("Header").Set(reflect.ValueOf(HTTPHeader(response.header)))
	go func() {
		defer answer.Close()
		if _, err := io.Copy(answer, body); err != nil {
			// Lets the other plugin's writes fail.
			_ = body.CloseWithError(err)
		}
	}()
	return reply.Interface(), nil
}

// otherPlugin is who gets the requests: each path is a plugin of its own kind.
func (a *api) otherPlugin(w http.ResponseWriter, r *http.Request) {
	var seen bytes.Buffer
	broken := ""
	defer func() {
		a.note("PluginHTTPStream", map[string]any{
			"method": r.Method, "url": r.URL.String(), "header": r.Header, "content": seen.Bytes(), "broken": broken,
		})
	}()
	body := io.TeeReader(r.Body, &seen)
	kind, size, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/other/"), "/")
	w.Header()["X-Many"] = []string{"1", "2"}
	switch kind {
	case "echo":
		w.WriteHeader(http.StatusCreated)
		_, _ = io.Copy(w, body)
	case "digest":
		_, _ = io.Copy(io.Discard, body)
		_, _ = io.WriteString(w, strconv.Itoa(seen.Len()))
	case "early":
		// Answers without the body, of which it takes some bytes.
		count, _ := strconv.ParseInt(size, 10, 64)
		_, _ = io.CopyN(io.Discard, body, count)
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, "too much")
	case "endless":
		for {
			if _, err := w.Write(make([]byte, 32*1024)); err != nil {
				// What is left of the request must not look like its end.
				if _, err := io.Copy(io.Discard, body); err != nil {
					broken = err.Error()
				}
				return
			}
		}
	default:
		http.NotFound(w, r)
	}
}

type remoteBody struct {
	remoteReader
	io.Closer
}

// pipedResponse is a response whose status is known before its body.
type pipedResponse struct {
	header http.Header
	once   sync.Once
	status chan int
	out    *io.PipeWriter
}

func (p *pipedResponse) Header() http.Header { return p.header }

func (p *pipedResponse) WriteHeader(status int) {
	p.once.Do(func() { p.status <- status })
}

func (p *pipedResponse) Write(data []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.out.Write(data)
}
