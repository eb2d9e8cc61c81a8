// Command gobpeer is Go's own gob, for comparison with another implementation.
//
// It reads commands as JSON lines from stdin and answers each with a JSON line:
//
//	{"type": "model.Post", "hex": "..."}   read a value of a type that types_gen.go knows, and write it anew
//	{"shape": {...}, "hex": "..."}         the same with a type described here, see shapes.go
//	{"features": true}                     streams that show what gob can do, see features.go
//
// The answer has "hex", or "error" with Go's words, or "streams".
package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
)

type command struct {
	Type     string          `json:"type"`
	Shape    json.RawMessage `json:"shape"`
	Hex      string          `json:"hex"`
	Features bool            `json:"features"`
}

type answer struct {
	Hex     string            `json:"hex,omitempty"`
	Error   string            `json:"error,omitempty"`
	Streams map[string]string `json:"streams,omitempty"`
}

func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			fail(err)
		}
		var asked command
		if err := json.Unmarshal(line, &asked); err != nil {
			fail(err)
		}
		if err := output.Encode(answerTo(asked)); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gobpeer:", err)
	os.Exit(1)
}

func answerTo(asked command) answer {
	if asked.Features {
		streams, err := features()
		if err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Streams: streams}
	}
	data, err := echo(asked)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Hex: hex.EncodeToString(data)}
}

func echo(asked command) (data []byte, err error) {
	// A peer's bytes must not end the program: what gob panics with is an answer, too.
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("panic: %v", trouble)
		}
	}()
	kind, known := types[asked.Type]
	if asked.Shape != nil {
		if kind, err = typeOf(asked.Shape); err != nil {
			return nil, err
		}
	} else if !known {
		return nil, fmt.Errorf("unknown type %q", asked.Type)
	}
	sent, err := hex.DecodeString(asked.Hex)
	if err != nil {
		return nil, err
	}
	rest := bytes.NewReader(sent)
	value := reflect.New(kind)
	if err := gob.NewDecoder(rest).DecodeValue(value); err != nil {
		return nil, err
	}
	if rest.Len() > 0 {
		return nil, fmt.Errorf("%d bytes behind the value", rest.Len())
	}
	return encoded(value.Interface())
}

// encoded is a stream of these values.
func encoded(values ...any) ([]byte, error) {
	var stream bytes.Buffer
	encoder := gob.NewEncoder(&stream)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			return nil, err
		}
	}
	return stream.Bytes(), nil
}
