package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/segedge/segedge/mqtt/client"
)

// TestWatchTable: it shows cameras and objects, is written anew when something changes, and not when nothing does.
func TestWatchTable(t *testing.T) {
	tb, out := newTable(""), &bytes.Buffer{}
	say := func(topic, payload string) {
		t.Helper()
		tb.take(client.Message{Kind: topic, Payload: []byte(payload)})
		if err := tb.refresh(out); err != nil {
			t.Fatal(err)
		}
	}
	say("status", "online")
	say("state", `{"camera":"cam","state":"running","fps":25,"width":640,"height":360}`)
	const list = `{"camera":"cam","objects":[{"id":"cam-1","name":"cup","state":"tracking","area":0.125,"centroid":[0.375,0.5],"age":250},{"id":"cam-2","state":"lost"}]}`
	say("objects", list)
	shown := out.String()[strings.LastIndex(out.String(), "agent "):]
	for _, want := range []string{"agent online", "cam", "25.0 fps", "640x360", "cam-1", "cup", "tracking", "12.5 %", "0.38,0.50", "10s", "cam-2", "lost"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in %q", want, shown)
		}
	}
	before := out.Len()
	say("objects", list)
	if out.Len() != before {
		t.Error("written again without a change")
	}
	tb.name = "cup"
	if only := tb.String(); strings.Contains(only, "cam-2") || !strings.Contains(only, "cam-1") {
		t.Errorf("with a name: %s", only)
	}
}

func TestWatchTableIsOfObjectsAlone(t *testing.T) {
	w := watchCmd{Table: true, Kinds: []string{"masks"}}
	if err := w.check(); err == nil || !strings.Contains(err.Error(), "--table") {
		t.Errorf("got %v", err)
	}
	w = watchCmd{Table: true, Name: "cup"}
	if err := w.check(); err != nil || strings.Join(w.Kinds, " ") != "status state objects" {
		t.Errorf("got %v %v", w.Kinds, err)
	}
}
