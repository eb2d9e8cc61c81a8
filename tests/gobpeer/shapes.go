package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"time"
)

// shape describes a type: a word for a basic one, or an object.
type shape struct {
	Kind   string          `json:"kind"`
	Elem   json.RawMessage `json:"elem"`
	Key    json.RawMessage `json:"key"`
	Len    int             `json:"len"`
	Fields []shapeField    `json:"fields"`
}

type shapeField struct {
	Name string          `json:"name"`
	Type json.RawMessage `json:"type"`
}

var words = map[string]reflect.Type{
	"any":        reflect.TypeFor[any](),
	"bool":       reflect.TypeFor[bool](),
	"complex128": reflect.TypeFor[complex128](),
	"complex64":  reflect.TypeFor[complex64](),
	"float32":    reflect.TypeFor[float32](),
	"float64":    reflect.TypeFor[float64](),
	"int":        reflect.TypeFor[int](),
	"int16":      reflect.TypeFor[int16](),
	"int32":      reflect.TypeFor[int32](),
	"int64":      reflect.TypeFor[int64](),
	"int8":       reflect.TypeFor[int8](),
	"string":     reflect.TypeFor[string](),
	"time":       reflect.TypeFor[time.Time](),
	"uint":       reflect.TypeFor[uint](),
	"uint16":     reflect.TypeFor[uint16](),
	"uint32":     reflect.TypeFor[uint32](),
	"uint64":     reflect.TypeFor[uint64](),
	"uint8":      reflect.TypeFor[uint8](),
	"uintptr":    reflect.TypeFor[uintptr](),
	"url":        reflect.TypeFor[url.URL](),
}

func typeOf(text json.RawMessage) (reflect.Type, error) {
	var word string
	if json.Unmarshal(text, &word) == nil {
		if known, ok := words[word]; ok {
			return known, nil
		}
		return nil, fmt.Errorf("unknown basic type %q", word)
	}
	var described shape
	if err := json.Unmarshal(text, &described); err != nil {
		return nil, err
	}
	if described.Kind == "struct" {
		return structOf(described)
	}
	elem, err := typeOf(described.Elem)
	if err != nil {
		return nil, err
	}
	switch described.Kind {
	case "ptr":
		return reflect.PointerTo(elem), nil
	case "slice":
		return reflect.SliceOf(elem), nil
	case "array":
		return reflect.ArrayOf(described.Len, elem), nil
	case "map":
		key, err := typeOf(described.Key)
		if err != nil {
			return nil, err
		}
		return reflect.MapOf(key, elem), nil
	}
	return nil, fmt.Errorf("unknown kind %q", described.Kind)
}

func structOf(described shape) (reflect.Type, error) {
	var fields []reflect.StructField
	for _, field := range described.Fields {
		kind, err := typeOf(field.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, reflect.StructField{Name: field.Name, Type: kind})
	}
	return reflect.StructOf(fields), nil
}
