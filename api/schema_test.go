package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

var update = flag.Bool("update", false, "write docs/schema.json anew")

const golden = "../docs/schema.json"

func TestSchemaIsTheOneInTheDocs(t *testing.T) {
	got := JSONSchema()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/schema.json is not what the types say: look at what changed for consumers, then go test ./api -update")
	}
}

// constants are the string constants of a type in a Go file.
func constants(t *testing.T, file, typ string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ && len(v.Values) == 1 {
				s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, s)
			}
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("%s has no constant of type %s", file, typ)
	}
	return out
}

func TestSchemaListsEveryCodeAndEvent(t *testing.T) {
	for _, c := range constants(t, "api.go", "Code") {
		if !slices.Contains(codes, Code(c)) {
			t.Errorf("code %s is not in the schema", c)
		}
	}
	for _, e := range constants(t, "../seg/object.go", "EventType") {
		if !slices.Contains(eventTypes, seg.EventType(e)) {
			t.Errorf("event %s is not in the schema", e)
		}
	}
}

// validator is as much of JSON Schema as the schema uses.
type validator struct{ defs map[string]any }

func newValidator(t *testing.T) validator {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(JSONSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	return validator{doc["$defs"].(map[string]any)}
}

// check returns what is wrong with a document; "" when nothing is.
func (v validator) check(def, doc string) string {
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

func (v validator) value(s map[string]any, value any, path string) string {
	if ref, ok := s["$ref"].(string); ok {
		return v.value(v.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any), value, path)
	}
	for _, group := range []string{"anyOf", "oneOf"} {
		if list, ok := s[group].([]any); ok && !v.some(list, value, path) {
			return path + ": none of " + group
		}
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

func (v validator) some(list []any, value any, path string) bool {
	return slices.ContainsFunc(list, func(one any) bool { return v.value(one.(map[string]any), value, path) == "" })
}

func wants(s map[string]any, path string, kinds ...string) string {
	if want, ok := s["type"].(string); ok && !slices.Contains(kinds, want) {
		return fmt.Sprintf("%s: %s where %s belongs", path, kinds[0], want)
	}
	return ""
}

func (v validator) fields(s, x map[string]any, path string) string {
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

func (v validator) list(s map[string]any, x []any, path string) string {
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

func TestSchemaTakesWhatDecodeTakes(t *testing.T) {
	v := newValidator(t)
	for _, c := range good {
		if strings.TrimSpace(c.body) == "" {
			c.body = "{}"
		}
		if bad := v.check("command."+c.verb, c.body); bad != "" {
			t.Errorf("%s %s: %s", c.verb, c.body, bad)
		}
	}
}

func TestSchemaRefusesWhatDecodeRefuses(t *testing.T) {
	v := newValidator(t)
	for _, c := range []struct{ verb, body string }{
		{"prompt", `{"pints":[]}`}, {"prompt", `{"points":[{"x":0.5}]}`}, {"prompt", `{"points":[{"x":1.5,"y":0}]}`}, {"prompt", `{"box":[0,0,1]}`},
		{"prompt", `{"box":[0,0,2,1]}`}, {"prompt", `{}`}, {"prompt", `{"points":[{"x":0,"y":0,"label":2}]}`}, {"prompt", `{"text":7}`},
		{"prompt", `{"text":"a","frame":-1}`}, {"prompt", `{"text":"a","schema":2}`}, {"prompt", `{"text":"a","reply":"a/b"}`},
		{"prompt", `{"text":"a","id":"` + strings.Repeat("a", 129) + `"}`}, {"choose", `{}`}, {"rename", `{"object":"a"}`}, {"remove", `{}`},
		{"zone", `{"points":[]}`}, {"zone", `{"name":"z","points":[[0,0,0]]}`}, {"line", `{"name":"z","points":[[0,2],[0,1]]}`}, {"clear", `{"all":true}`},
	} {
		if bad := v.check("command."+c.verb, c.body); bad == "" {
			t.Errorf("%s %s: the schema takes it", c.verb, c.body)
		}
		if _, err := Decode(c.verb, []byte(c.body)); err == nil {
			t.Errorf("%s %s: Decode takes it", c.verb, c.body)
		}
	}
}

func TestSchemaTakesWhatIsSent(t *testing.T) {
	v := newValidator(t)
	event, err := EncodeEvent(testEvent(), "s", 9, 16, 8)
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := EncodeEvent(seg.Event{Camera: "cam", Type: seg.EventsDropped, Details: map[string]any{"from": 3, "to": 9}}, "s", 10, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	swapped, err := EncodeEvent(seg.Event{Camera: "cam", Type: seg.ModelChanged, Details: map[string]any{"from": "a", "to": "b"}}, "s", 11, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	list := Objects{Camera: "cam", AsOfSeq: 4, Objects: []seg.Object{*testObject()}}
	for _, c := range []struct {
		def string
		doc any
	}{
		{"event", json.RawMessage(event)}, {"event", json.RawMessage(dropped)}, {"event", json.RawMessage(swapped)}, {"objects", list},
		{"reply", Done("1", nil)}, {"reply", Refuse("2", Timeout, "late")},
		{"reply.snapshot", Snapshot{Bytes: 3, JPEG: []byte("jpg")}}, {"reply.snapshot", Snapshot{Topic: "a/snapshot"}},
		{"reply.prompt", PromptResult{Object: "cam-1", Document: json.RawMessage("{}")}},
		{"info", Info{Schema: Schema, Cameras: []string{"cam"}}},
		{"state", State{Schema: Schema, State: Running, Stages: map[string]Latency{"flow": {P50: 1, P95: 2, P99: 3}}}},
	} {
		data, err := json.Marshal(c.doc)
		if err != nil {
			t.Fatal(err)
		}
		if bad := v.check(c.def, string(data)); bad != "" {
			t.Errorf("%s %s: %s", c.def, data, bad)
		}
	}
	if v.check("event", strings.Replace(string(event), `"state":"tracking"`, `"state":"happy"`, 1)) == "" {
		t.Error("an unknown state is taken")
	}
}
