package api

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/segedge/segedge/api/schematest"
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

func newValidator(t *testing.T) schematest.Validator {
	t.Helper()
	v, err := schematest.New(JSONSchema())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSchemaTakesWhatDecodeTakes(t *testing.T) {
	v := newValidator(t)
	for _, c := range good {
		if strings.TrimSpace(c.body) == "" {
			c.body = "{}"
		}
		if bad := v.Check("command."+c.verb, c.body); bad != "" {
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
		{"prompt", `{"text":"a","id":"` + strings.Repeat("a", 129) + `"}`}, {"choose", `{}`}, {"rename", `{"object":"a"}`}, {"remove", `{}`}, {"remove", `{"object":"a","objects":["b"]}`}, {"undo", `{"object":"a","objects":["b"]}`},
		{"zone", `{"points":[]}`}, {"zone", `{"name":"z","points":[[0,0,0]]}`}, {"line", `{"name":"z","points":[[0,2],[0,1]]}`}, {"clear", `{"all":true}`},
	} {
		if bad := v.Check("command."+c.verb, c.body); bad == "" {
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
		if bad := v.Check(c.def, string(data)); bad != "" {
			t.Errorf("%s %s: %s", c.def, data, bad)
		}
	}
	for _, bad := range []struct {
		typ     seg.EventType
		details map[string]any
	}{
		{seg.ZoneEntered, nil}, {seg.ZoneLeft, map[string]any{"zone": "door"}}, {seg.LineCrossed, map[string]any{"line": "gate", "direction": "up"}},
		{seg.EventsDropped, map[string]any{"from": 1}}, {seg.ModelChanged, map[string]any{"from": 1, "to": 2}},
		{seg.CommandRejected, map[string]any{"verb": "zone"}}, {seg.CameraScene, nil}, {seg.CameraStalled, nil},
	} {
		data, err := EncodeEvent(seg.Event{Camera: "cam", Type: bad.typ, Details: bad.details}, "s", 1, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if v.Check("event", string(data)) == "" {
			t.Errorf("%s is taken with %v alone", bad.typ, bad.details)
		}
	}
	if v.Check("event", strings.Replace(string(event), `"state":"tracking"`, `"state":"happy"`, 1)) == "" {
		t.Error("an unknown state is taken")
	}
}
