package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/json"
	"io"
	"log"
	"net/rpc"
	"reflect"
	"strings"
	"sync"

	"github.com/hashicorp/go-plugin"
)

// api answers the plugin's calls with what the test has laid out. It stands in
// for rpc.Server, whose methods must be there when it is compiled.
type api struct {
	answers map[string]json.RawMessage
	mutex   sync.Mutex
	calls   []apiCall
	// Closed when there is one more call.
	noted chan struct{}
}

type apiCall struct {
	Method string `json:"method"`
	Args   any    `json:"args"`
}

func (a *api) seen() []apiCall {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return append([]apiCall{}, a.calls...)
}

func (a *api) note(method string, args any) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.calls = append(a.calls, apiCall{method, args})
	if a.noted != nil {
		close(a.noted)
		a.noted = nil
	}
}

type waitParams struct {
	Method string `json:"method"`
}

// wait gives the first call of a method, when there is one.
func (a *api) wait(params waitParams) (any, error) {
	for {
		a.mutex.Lock()
		for _, call := range a.calls {
			if call.Method == params.Method {
				a.mutex.Unlock()
				return call, nil
			}
		}
		if a.noted == nil {
			a.noted = make(chan struct{})
		}
		noted := a.noted
		a.mutex.Unlock()
		<-noted
	}
}

func (a *api) serve(connection io.ReadWriteCloser, broker *plugin.MuxBroker) {
	defer connection.Close()
	decoder := gob.NewDecoder(bufio.NewReader(connection))
	buffer := bufio.NewWriter(connection)
	encoder := gob.NewEncoder(buffer)
	var sending sync.Mutex
	send := func(response rpc.Response, body any) {
		sending.Lock()
		defer sending.Unlock()
		if err := encoder.Encode(response); err != nil {
			log.Print("api: ", err)
		}
		if err := encoder.Encode(body); err != nil {
			log.Print("api: ", err)
		}
		_ = buffer.Flush()
	}
	for {
		var request rpc.Request
		if decoder.Decode(&request) != nil {
			return
		}
		name := strings.TrimPrefix(request.ServiceMethod, "Plugin.")
		response := rpc.Response{ServiceMethod: request.ServiceMethod, Seq: request.Seq}
		laidOut, known := a.answers[name]
		argsType := types["plugin.Z_"+name+"Args"]
		if name == "LoadPluginConfiguration" {
			argsType = types["plugin.Z_LoadPluginConfigurationArgsArgs"]
		}
		if !known || argsType == nil {
			_ = decoder.Decode(nil)
			response.Error = "rpc: can't find method " + request.ServiceMethod
			send(response, struct{}{})
			continue
		}
		args := reflect.New(argsType)
		if err := decoder.Decode(args.Interface()); err != nil {
			response.Error = err.Error()
			send(response, struct{}{})
			continue
		}
		go func() {
			if name == "PluginHTTPStream" {
				reply, err := a.pluginHTTP(args, broker)
				if err != nil {
					response.Error, reply = err.Error(), struct{}{}
				}
				send(response, reply)
				return
			}
			send(response, a.answer(name, args, laidOut, broker))
		}()
	}
}

func (a *api) answer(name string, args reflect.Value, laidOut json.RawMessage, broker *plugin.MuxBroker) any {
	seen := args.Interface()
	if id := args.Elem().FieldByName("PluginStreamID"); id.IsValid() {
		seen = map[string]any{"args": seen, "content": takeContent(broker, uint32(id.Uint()), laidOut)}
	}
	a.note(name, seen)
	returns := "plugin.Z_" + name + "Returns"
	if name == "LoadPluginConfiguration" {
		returns = "plugin.Z_LoadPluginConfigurationArgsReturns"
	}
	reply := reflect.New(types[returns])
	if err := readLaidOut(laidOut, reply.Interface()); err != nil {
		log.Print("api: ", err)
	}
	return reply.Interface()
}

// readLaidOut reads JSON by Go's field names, or {"$gob": base64}, which keeps
// the types of what interfaces hold.
func readLaidOut(laidOut json.RawMessage, into any) error {
	var packed struct {
		Gob []byte `json:"$gob"`
	}
	if json.Unmarshal(laidOut, &packed) == nil && packed.Gob != nil {
		return gob.NewDecoder(bytes.NewReader(packed.Gob)).Decode(into)
	}
	return json.Unmarshal(laidOut, into)
}
