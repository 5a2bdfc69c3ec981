package mqtt

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

var update = flag.Bool("update", false, "write the examples of docs/mqtt.md anew")

const docs = "../docs/mqtt.md"

// numbers are lists that are easier to read on one line.
var numbers = regexp.MustCompile(`\[[-0-9.,\s]+\]`)

// exampleStream is what a stream looks like; a real one is random.
const exampleStream = "8c5a1f0be7d24936"

// examples are the payloads of docs/mqtt.md, by name.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	a := &agent{}
	a.set(cup(1))
	o := testOptions(t, "tcp://127.0.0.1:1", a)
	o.Discovery, o.PageURL = "homeassistant", func() string { return "http://box:8080/" }
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	event, err := api.EncodeEvent(happenedAfter(cup(1)), exampleStream, 17, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := api.EncodeEvent(seg.Event{
		Camera: "cam", Type: seg.EventsDropped, Time: testTime, Frame: seg.FrameRef{Captured: testTime}, Details: map[string]any{"from": 18, "to": 42},
	}, exampleStream, 43, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	state, _ := a.State("cam")
	state.Captured, state.Processed, state.Dropped, state.Keyframes, state.KeyframeAge, state.Viewers = 900, 897, 3, 60, 12, 1
	state.Stages = map[string]api.Latency{"flow": {P50: 3.1, P95: 4.2, P99: 5}, "encode": {P50: 310, P95: 340, P99: 352}}
	list, _ := a.Objects("cam")
	list.AsOfSeq = 17
	command := `{"id":"7f3a","reply":"panel","points":[{"x":0.2,"y":0.5,"label":1}],"name":"cup"}`
	cmd, bad := api.Decode("prompt", []byte(command))
	if bad != nil {
		t.Fatal(bad)
	}
	_, refused := api.Decode("prompt", []byte(`{"id":"7f3b","reply":"panel","points":[{"x":1.2,"y":0.5,"label":1}]}`))
	object := cup(1)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.outbox.Close()
	device := c.devices()[1]
	for key := range device.Components {
		if key != "state" && !strings.HasPrefix(key, "name") {
			delete(device.Components, key)
		}
	}
	describe, err := device.Payload(device.Components)
	if err != nil {
		t.Fatal(err)
	}
	seen := state
	seen.Zones, seen.Lines, seen.Inside = []api.Zone{{Name: "door"}}, []api.Line{{Name: "gate"}}, map[string][]seg.ID{"door": {object.ID}}
	seen.Counts = &api.Counts{Lines: map[string]api.Crossings{"gate": {Right: 1}}}
	return map[string][]byte{
		"info": encode(a.Info()), "state": encode(state), "objects": encode(list), "event": event, "dropped": dropped,
		"command": []byte(command),
		"reply": encode(api.Done(cmd.ID, api.PromptResult{
			Object: "cam-1", Frame: 900, Requested: 900, Document: encode(seg.Document{Camera: "cam", Object: &object, W: 64, H: 32}),
		})),
		"refusal":  encode(api.Refuse("7f3b", refused.Code, refused.Message)),
		"presence": encode(newTally().presence(seen, list.Objects, testTime)), "discovery": describe,
	}
}

// happenedAfter is an update that an object went through.
func happenedAfter(o seg.Object) seg.Event {
	before := o
	before.State, before.Age = seg.Uncertain, o.Age-30
	return seg.Event{Camera: "cam", Type: seg.ObjectUpdated, Time: testTime, Frame: seg.FrameRef{Seq: 900, Captured: testTime}, Before: &before, After: &o}
}

func TestExamples(t *testing.T) {
	file, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	page := string(file)
	for name, payload := range examples(t) {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, payload, "", "  "); err != nil {
			t.Fatalf("%s: %v: %s", name, err, payload)
		}
		mark := fmt.Sprintf("<!-- example: %s -->\n```json\n", name)
		head, rest, ok := strings.Cut(page, mark)
		body, tail, closed := strings.Cut(rest, "```")
		if !ok || !closed {
			t.Errorf("docs/mqtt.md has no example %s", name)
			continue
		}
		short := numbers.ReplaceAllStringFunc(pretty.String(), func(list string) string {
			return strings.ReplaceAll(strings.Join(strings.Fields(list), " "), "[ ", "[")
		})
		if want := strings.ReplaceAll(short, " ]", "]") + "\n"; body != want {
			if !*update {
				t.Errorf("the example %s of docs/mqtt.md is not what is sent; look at the change, then go test ./mqtt -run TestExamples -update", name)
			}
			page = head + mark + want + "```" + tail
		}
	}
	if *update && page != string(file) {
		if err := os.WriteFile(docs, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
