package api

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/segedge/segedge/seg"
)

// schemaOf writes a type's JSON Schema from its fields and their tags. Named structs become definitions of their own.
type schemaOf struct {
	defs   map[string]any
	closed bool // unknown fields are refused, as in commands
}

type object = map[string]any

// fixed are types that write themselves; the schema says what comes out.
var fixed = map[reflect.Type]func() object{
	reflect.TypeFor[time.Time]():       func() object { return object{"type": "string", "format": "date-time"} },
	reflect.TypeFor[json.RawMessage](): func() object { return object{} },
	reflect.TypeFor[[]byte]():          func() object { return object{"type": "string", "contentEncoding": "base64"} },
	reflect.TypeFor[seg.State](): func() object {
		return object{"enum": names(seg.Tentative, seg.Tracking, seg.Uncertain, seg.Occluded, seg.Lost, seg.Ended)}
	},
	reflect.TypeFor[seg.EventType](): func() object { return object{"enum": eventTypes} },
	reflect.TypeFor[Code]():          func() object { return object{"enum": codes} },
	reflect.TypeFor[seg.Label]():     func() object { return object{"enum": []int{0, 1}} },
	reflect.TypeFor[seg.Point]():     func() object { return object{"type": "object", "properties": object{"x": unit(), "y": unit()}} },
	reflect.TypeFor[seg.RLE](): func() object {
		count := object{"type": "integer", "minimum": 0}
		return object{
			"type": "object", "required": []string{"size", "counts"}, "additionalProperties": false,
			"description": "a mask in COCO's run-length form, column-major; size is height, width",
			"properties": object{
				"size":   object{"type": "array", "items": object{"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2},
				"counts": object{"oneOf": []object{{"type": "string"}, {"type": "array", "items": count}}},
			},
		}
	},
}

// unit is a number in 0..1.
func unit() object { return object{"type": "number", "minimum": 0, "maximum": 1} }

func names(states ...seg.State) []string {
	var out []string
	for _, s := range states {
		out = append(out, s.String())
	}
	return out
}

// of is the schema of a type, or a reference to it.
func (s *schemaOf) of(t reflect.Type) object {
	if f, ok := fixed[t]; ok {
		return f()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.define(t)
	default:
		return object{}
	}
}

// define adds a struct to the definitions and refers to it.
func (s *schemaOf) define(t reflect.Type) object {
	name := strings.ToLower(t.Name())
	if _, ok := s.defs[name]; !ok {
		s.defs[name] = nil // a type that contains itself ends here
		s.defs[name] = s.structOf(t)
	}
	return object{"$ref": "#/$defs/" + name}
}

// structOf is a struct in place. Fields without omitempty and omitzero are required.
func (s *schemaOf) structOf(t reflect.Type) object {
	props, required := object{}, []string{}
	s.fields(t, props, &required)
	out := object{"type": "object", "properties": props}
	if len(required) > 0 {
		out["required"] = required
	}
	if s.closed {
		out["additionalProperties"] = false
	}
	return out
}

func (s *schemaOf) fields(t reflect.Type, props object, required *[]string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			s.embedded(f.Type, props, required)
			continue
		case name == "-" || name == "" || !f.IsExported():
			continue
		}
		props[name] = s.of(f.Type)
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}

func (s *schemaOf) embedded(t reflect.Type, props object, required *[]string) {
	f, ok := fixed[t]
	if !ok {
		s.fields(t, props, required)
		return
	}
	inner, _ := f()["properties"].(object)
	maps.Copy(props, inner)
	*required = append(*required, fieldNames(t)...)
}
