package api

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const goldenAsyncAPI = "../docs/asyncapi.json"

func TestAsyncAPIIsTheOneInTheDocs(t *testing.T) {
	got, err := AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(goldenAsyncAPI, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenAsyncAPI)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("docs/asyncapi.json is not what the types say: look at what changed for consumers, then go test ./api -update")
	}
}

// TestAsyncAPIHoldsTogether: every reference leads somewhere, every example is what its schema says, and every command has a channel.
func TestAsyncAPIHoldsTogether(t *testing.T) {
	data, err := AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(at any)
	walk = func(at any) {
		switch x := at.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok && !leads(doc, ref) {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, v := range x {
				walk(v)
			}
		case []any:
			for _, v := range x {
				walk(v)
			}
		}
	}
	walk(doc)
	v := newValidator(t)
	for _, c := range topicChannels() {
		if _, ok := bare[c.schema]; ok {
			continue
		}
		if bad := v.Check(c.schema, c.example); bad != "" {
			t.Errorf("the example of %s: %s", c.name, bad)
		}
		if !strings.HasPrefix(c.name, "command.") {
			continue
		}
		if _, err := Decode(strings.TrimPrefix(c.name, "command."), []byte(c.example)); err != nil {
			t.Errorf("the example of %s: %v", c.name, err)
		}
	}
}

// leads reports whether a reference within the document has something at its end.
func leads(doc map[string]any, ref string) bool {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := at.(map[string]any) // of nil nothing is found
		next, ok := m[part]
		if !ok {
			return false
		}
		at = next
	}
	return true
}
