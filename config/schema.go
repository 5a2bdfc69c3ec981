package config

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// YAML writes c as a file that Parse reads, each setting with what it is.
func (c *Config) YAML() ([]byte, error) {
	comments := yaml.CommentMap{}
	explain(reflect.ValueOf(c).Elem(), "$", comments)
	return yaml.MarshalWithOptions(c, yaml.WithComment(comments))
}

// explain collects the help of every setting under its path.
func explain(v reflect.Value, path string, into yaml.CommentMap) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			explain(v.Index(i), path+"["+strconv.Itoa(i)+"]", into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			at := path + "." + f.Tag.Get("yaml")
			if text := help(f.Tag); text != "" && f.Type.Kind() == reflect.Slice {
				into[at] = []*yaml.Comment{yaml.HeadComment(" " + text)}
			} else if text != "" && f.Type.Kind() != reflect.Struct {
				into[at] = []*yaml.Comment{yaml.LineComment(" " + text)}
			}
			explain(v.Field(i), at, into)
		}
	}
}

// help is what a setting is, with its choices.
func help(tag reflect.StructTag) string {
	text := tag.Get("help")
	list, ok := tag.Lookup("enum")
	if !ok {
		return text
	}
	choices := strings.Join(strings.FieldsFunc(list, isComma), ", ")
	if text == "" {
		return choices
	}
	return text + ": " + choices
}

// JSONSchema describes a configuration file to editors (JSON Schema, draft 2020-12).
func JSONSchema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Config](), "")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "segedge configuration"
	out, err := json.MarshalIndent(s, "", "  ")
	return append(out, '\n'), err
}

// schemaOf describes a type. Every key may also be left without a value, which is its default.
func schemaOf(t reflect.Type, tag reflect.StructTag) map[string]any {
	s := map[string]any{}
	if text := tag.Get("help"); text != "" {
		s["description"] = text
	}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		s["type"], s["pattern"] = []string{"string", "null"}, `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`
	case t.Kind() == reflect.Struct:
		props := map[string]any{}
		for f := range t.Fields() {
			props[f.Tag.Get("yaml")] = schemaOf(f.Type, f.Tag)
		}
		s["type"], s["properties"], s["additionalProperties"] = []string{"object", "null"}, props, false
	case t.Kind() == reflect.Slice:
		s["type"], s["items"] = []string{"array", "null"}, schemaOf(t.Elem(), "")
	case t.Kind() == reflect.Array:
		s["type"], s["items"], s["minItems"], s["maxItems"] = "array", schemaOf(t.Elem(), ""), t.Len(), t.Len()
	default:
		scalarSchema(s, t, tag)
	}
	return s
}

func scalarSchema(s map[string]any, t reflect.Type, tag reflect.StructTag) {
	name := map[reflect.Kind]string{
		reflect.String: "string", reflect.Int: "integer", reflect.Float64: "number", reflect.Bool: "boolean",
	}[t.Kind()]
	s["type"] = []string{name, "null"}
	if tag.Get("secret") != "" {
		s["writeOnly"] = true
	}
	if list, ok := tag.Lookup("enum"); ok {
		s["enum"] = enumOf(list, t)
	}
	if low, err := strconv.Atoi(tag.Get("min")); err == nil {
		s["minimum"] = low
	}
	if high, err := strconv.Atoi(tag.Get("max")); err == nil {
		s["maximum"] = high
	}
}

func enumOf(list string, t reflect.Type) []any {
	out := []any{nil}
	for e := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(e); err == nil && t.Kind() == reflect.Int {
			out = append(out, n)
			continue
		}
		out = append(out, e)
	}
	return out
}
