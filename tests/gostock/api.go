package main

import (
	"bufio"
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
		go func() { send(response, a.answer(name, args, laidOut, broker)) }()
	}
}

func (a *api) answer(name string, args reflect.Value, laidOut json.RawMessage, broker *plugin.MuxBroker) any {
	seen := args.Interface()
	if id := args.Elem().FieldByName("PluginStreamID"); id.IsValid() {
		seen = map[string]any{"args": seen, "content": takeContent(broker, uint32(id.Uint()))}
	}
	a.mutex.Lock()
	a.calls = append(a.calls, apiCall{name, seen})
	a.mutex.Unlock()
	returns := "plugin.Z_" + name + "Returns"
	if name == "LoadPluginConfiguration" {
		returns = "plugin.Z_LoadPluginConfigurationArgsReturns"
	}
	reply := reflect.New(types[returns])
	if err := json.Unmarshal(laidOut, reply.Interface()); err != nil {
		log.Print("api: ", err)
	}
	return reply.Interface()
}

// takeContent reads a stream as the server's reader does, 32 KiB at a time.
func takeContent(broker *plugin.MuxBroker, id uint32) []byte {
	connection, err := broker.Dial(id)
	if err != nil {
		log.Print("content: ", err)
		return nil
	}
	content, err := io.ReadAll(&remoteReader{conn: connection})
	if err != nil {
		log.Print("content: ", err)
	}
	_ = connection.Close()
	return content
}
