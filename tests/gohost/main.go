// Command gohost is a go-plugin host that a test drives: it starts plugins
// exactly as the Mattermost server's gRPC host does, talks to them as that host
// does, and tells the test what it saw.
//
// Usage:
//
//	gohost --descriptors FILE
//
// FILE is a serialized google.protobuf.FileDescriptorSet (with imports) that
// holds the service mattermost.pluginapi.v1.PluginHooks.
//
// # Protocol
//
// Commands come on stdin, one JSON object a line:
//
//	{"id": 1, "command": "call", "params": {...}}
//
// Every command runs in its own goroutine and is answered on stdout by one line,
// in the order in which they finish:
//
//	{"id": 1, "result": {...}}
//	{"id": 1, "error": "text", "result": {...}}
//
// "error" means that the command itself failed; its "result" is there only for
// start. A gRPC status is no error of the command: it is "code" (UPPER_SNAKE
// name) and "message" in the result. Unknown parameters are errors. Messages are
// protojson with proto field names and without unset fields. A parameter
// timeout_ms that is absent or 0 takes the command's default. Logs go to stderr.
// EOF on stdin does what quit does.
//
// # Commands
//
// Processes:
//
//	start      {cmd, env?, dir?, start_timeout_ms?, protocol_version?, protocol_versions?,
//	           cookie?, auto_mtls?, multiplex?, skip_host_env?}
//	           -> {plugin, pid, network, address, protocol, app_version, elapsed_ms}
//	           on error {plugin, pid, exited, exit_code, signal}: logs still works on it
//	kill       {plugin} -> {elapsed_ms, graceful, exited, exit_code, signal}
//	signal     {plugin, signal: "SIGTERM"} -> {}
//	wait_exit  {plugin, timeout_ms?} -> {exited, exit_code, signal}
//	quit       {} -> {}; kills every plugin, then gohost ends
//
// env values override gohost's own environment; null removes a variable. exit_code
// is -1 if a signal ended the process, whose name is then in signal.
//
// Logs, as the host classified them:
//
//	logs       {plugin, after?} -> {records: [{index, source, name, level, message, pairs}]}
//	wait_log   {plugin, contains, level?, source?, after?, timeout_ms?} -> {record}
//	output     {plugin} -> {stderr, sync_stdout, sync_stderr}
//
// source is "plugin" for a line of the plugin's stderr, "http" for the HTTP
// front and "host" for go-plugin itself. after leaves out the records before that index.
//
// Calls:
//
//	call       {plugin, method, request?, timeout_ms?, metadata?}
//	           -> {code, message?, response?, elapsed_ms}
//	call_raw   {plugin, full_method, request_b64?, timeout_ms?, metadata?}
//	           -> {code, message?, response_b64?, elapsed_ms}
//	ping       {plugin, timeout_ms?} -> {ok, message?, elapsed_ms}
//	health     {plugin, service?, timeout_ms?} -> {code, message?, status?}
//
// method is a method of PluginHooks ("OnActivate") or "package.Service/Method".
//
// Streams, for what the HTTP front cannot do. A message is protojson, or a
// string: the base64 of raw bytes.
//
//	stream            {plugin, method, messages, half_close, cancel_after?, timeout_ms?}
//	                  -> {messages, code, message?}; cancel_after = cancel the call after
//	                  that many received messages
//	stream_open       {plugin, method, timeout_ms?} -> {stream}
//	stream_send       {stream, message} -> {ended}; true if the plugin has ended the call
//	stream_half_close {stream} -> {}
//	stream_receive    {stream} -> {message} or {code, message?} at the end
//	stream_cancel     {stream} -> {}
//
// HTTP, bridged to the ServeHTTP stream by a real net/http server:
//
//	http_front {plugin, method?, user_id?, session_id?, plugin_id?, full_duplex?,
//	           check_implemented?} -> {address}
//
// The front plays the host with its faults: after an early answer it still waits
// for the request body, and a response that fails half-way ends as if complete.
// full_duplex (default true) reads the body while the response is written. Each
// request is logged as "request finished" (source "http") with its errors. An
// Implemented call precedes, unless check_implemented is false: a hook that is
// not named answers 404.
//
// Measurements:
//
//	bench      {plugin, method, request?, concurrency, count}
//	           -> {count, seconds, p50_us, p99_us, errors, first_error?}
//	bench_http {plugin, mib, path?, timeout_ms?} -> {bytes, seconds, mib_per_s}
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gohost: ")
	descriptors := flag.String("descriptors", "", "serialized FileDescriptorSet of the plugin protos")
	flag.Parse()

	schema, err := loadSchema(*descriptors)
	if err != nil {
		log.Fatal(err)
	}
	commands, err := takeStdin()
	if err != nil {
		log.Fatal(err)
	}
	// A Ctrl-C at the terminal reaches this process too: the test decides when it
	// ends. Caught and not ignored, because plugins would inherit that.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	host := newHost(schema)
	serveCommands(commands, os.Stdout, host.handlers())
	host.killAll()
}

// takeStdin returns the command pipe and puts the null device in its place:
// go-plugin gives the host's stdin to every plugin, which must not get hold of
// the commands.
func takeStdin() (*os.File, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	commands := os.Stdin
	os.Stdin = null
	return commands, nil
}
