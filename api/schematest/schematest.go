// Package schematest checks documents against the agent's JSON Schema, for tests. It knows as much of JSON Schema as that uses, and no
// more.
package schematest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Validator is as much of JSON Schema as the schema uses.
type Validator struct{ defs map[string]any }

// New takes a schema with its definitions under $defs.
func New(schema []byte) (Validator, error) {
	var doc struct {
		Defs map[string]any `json:"$defs"`
	}
	err := json.Unmarshal(schema, &doc)
	return Validator{doc.Defs}, err
}

// Check returns what is wrong with a document; "" when nothing is.
func (v Validator) Check(def, doc string) string {
	var value any
	if err := json.Unmarshal([]byte(doc), &value); err != nil {
		return err.Error()
	}
	schema, ok := v.defs[def].(map[string]any)
	if !ok {
		return "no definition " + def
	}
	return v.value(schema, value, "")
}

// Message returns what is wrong with what an agent published on a topic below segedge/AGENT; "" when nothing is, and for what is not its
// own or no JSON: pictures, and the clearing of a retained topic.
func (v Validator) Message(topic string, payload []byte) string {
	levels := strings.Split(topic, "/")
	if levels[0] != "segedge" || len(payload) == 0 {
		return ""
	}
	switch last := levels[len(levels)-1]; {
	case len(levels) == 3 && last == "status":
		if !slices.Contains([]string{"online", "stopped", "offline"}, string(payload)) {
			return "no status"
		}
	case len(levels) == 3 && last == "info":
		return v.Check("info", string(payload))
	case len(levels) == 4 && last == "events":
		return v.Check("event", string(payload))
	case len(levels) == 4 && slices.Contains([]string{"state", "objects", "presence", "masks"}, last):
		return v.Check(last, string(payload))
	case len(levels) == 5 && levels[3] == "reply":
		return v.Check("reply", string(payload))
	}
	return ""
}

func (v Validator) value(s map[string]any, value any, path string) string {
	if ref, ok := s["$ref"].(string); ok {
		return v.value(v.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), value, path)
	}
	if list, ok := s["anyOf"].([]any); ok && v.count(list, value, path) == 0 {
		return path + ": none of anyOf"
	}
	if list, ok := s["oneOf"].([]any); ok {
		if n := v.count(list, value, path); n != 1 {
			return fmt.Sprintf("%s: %d of oneOf", path, n)
		}
	}
	if not, ok := s["not"].(map[string]any); ok && v.value(not, value, path) == "" {
		return path + ": it is what it must not be"
	}
	all, _ := s["allOf"].([]any)
	for _, one := range all {
		if bad := v.value(one.(map[string]any), value, path); bad != "" {
			return bad
		}
	}
	if when, ok := s["if"].(map[string]any); ok && v.value(when, value, path) == "" {
		return v.value(s["then"].(map[string]any), value, path)
	}
	if c, ok := s["const"]; ok && c != value {
		return fmt.Sprintf("%s: %v is not %v", path, value, c)
	}
	if e, ok := s["enum"].([]any); ok && !slices.Contains(e, value) {
		return fmt.Sprintf("%s: %v is none of %v", path, value, e)
	}
	switch x := value.(type) {
	case map[string]any:
		return v.fields(s, x, path)
	case []any:
		return v.list(s, x, path)
	case string:
		return text(s, x, path)
	case float64:
		return number(s, x, path)
	case bool:
		return wants(s, path, "boolean")
	default:
		return wants(s, path, "null")
	}
}

// count is how many of the schemas take a value.
func (v Validator) count(list []any, value any, path string) (n int) {
	for _, one := range list {
		if v.value(one.(map[string]any), value, path) == "" {
			n++
		}
	}
	return n
}

func wants(s map[string]any, path string, kinds ...string) string {
	if want, ok := s["type"].(string); ok && !slices.Contains(kinds, want) {
		return fmt.Sprintf("%s: %s where %s belongs", path, kinds[0], want)
	}
	return ""
}

func (v Validator) fields(s, x map[string]any, path string) string {
	if bad := wants(s, path, "object"); bad != "" {
		return bad
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := x[name.(string)]; !ok {
			return fmt.Sprintf("%s: no %s", path, name)
		}
	}
	props, _ := s["properties"].(map[string]any)
	for name, value := range x {
		p, known := props[name].(map[string]any)
		switch more := s["additionalProperties"].(type) {
		case bool:
			if !known && !more {
				return path + ": unknown " + name
			}
		case map[string]any:
			p, known = more, true
		}
		if known {
			if bad := v.value(p, value, path+"."+name); bad != "" {
				return bad
			}
		}
	}
	return ""
}

func (v Validator) list(s map[string]any, x []any, path string) string {
	if bad := wants(s, path, "array"); bad != "" {
		return bad
	}
	if n, ok := s["minItems"].(float64); ok && len(x) < int(n) {
		return path + ": too short"
	}
	if n, ok := s["maxItems"].(float64); ok && len(x) > int(n) {
		return path + ": too long"
	}
	items, _ := s["items"].(map[string]any)
	for i, value := range x {
		if bad := v.value(items, value, fmt.Sprintf("%s[%d]", path, i)); bad != "" {
			return bad
		}
	}
	return ""
}

func text(s map[string]any, x, path string) string {
	if n, ok := s["maxLength"].(float64); ok && len(x) > int(n) {
		return path + ": too long"
	}
	if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(strings.ReplaceAll(p, `\u0000`, `\x00`)).MatchString(x) {
		return path + ": does not match " + p
	}
	return wants(s, path, "string")
}

func number(s map[string]any, x float64, path string) string {
	if n, ok := s["minimum"].(float64); ok && x < n {
		return path + ": too small"
	}
	if n, ok := s["maximum"].(float64); ok && x > n {
		return path + ": too large"
	}
	if x == float64(int64(x)) {
		return wants(s, path, "number", "integer")
	}
	return wants(s, path, "number")
}
