package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

func testObject() *seg.Object {
	m := seg.NewMask(8, 4, image.Rect(2, 1, 4, 3))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return &seg.Object{
		ID: 3, Name: "cup", State: seg.Tracking, Mask: m, Prompt: "point", PredictedIoU: 0.91, Stability: 0.87, MaskAge: 4, Keyframe: 17, Age: 30,
		Candidates: []seg.ObjectCandidate{{Mask: m, PredictedIoU: 0.5, Stability: 0.4}},
	}
}

func testEvent() seg.Event {
	at := time.Date(2026, 3, 1, 12, 0, 0, 250e6, time.FixedZone("CET", 3600))
	return seg.Event{
		Camera: "cam", Type: seg.ObjectAmbiguous, Time: at, Frame: seg.FrameRef{Seq: 21, Captured: at.Add(-time.Second)}, After: testObject(),
		Details: map[string]any{"zone": "door", "dwell": 1.5, "seq": "cannot replace the real one"},
	}
}

func TestEventOnTheWire(t *testing.T) {
	got, err := EncodeEvent(testEvent(), "s", 9, 16, 8)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"event_id":"s-9","seq":9,"camera":"cam","time":"2026-03-01T11:00:00.25Z","frame":{"seq":21,"captured":"2026-03-01T10:59:59.25Z"},` +
		`"type":"object.ambiguous","before":null,"after":{"id":"cam-3","name":"cup","state":"tracking","box":[0.25,0.25,0.5,0.75],"centroid":[0.375,0.5],` +
		`"area":0.125,"predicted_iou":0.91,"stability":0.87,"mask_age":4,"keyframe":17,"age":30,"prompt":"point",` +
		`"candidates":[{"index":0,"box":[0.25,0.25,0.5,0.75],"area":0.125,"predicted_iou":0.5,"stability":0.4}],` +
		`"mask":{"size":[8,16],"counts":"R14400000n1"}},"dwell":1.5,"zone":"door"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEventIsReadBack(t *testing.T) {
	data, err := EncodeEvent(testEvent(), "s", 9, 16, 8)
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	if e.EventID != "s-9" || e.Before != nil || e.After == nil || e.After.ID != "cam-3" || e.After.State != seg.Tracking {
		t.Errorf("got %+v", e)
	}
	if e.Details["zone"] != "door" || e.Details["dwell"] != 1.5 || len(e.Details) != 2 {
		t.Errorf("details %v", e.Details)
	}
	if json.Unmarshal([]byte(`{"seq":"x"}`), &e) == nil {
		t.Error("a text as sequence was read")
	}
}

// TestObjectIsWhatDocumentWrites holds the consumer's type to the producer's.
func TestObjectIsWhatDocumentWrites(t *testing.T) {
	doc, err := json.Marshal(seg.Document{Camera: "cam", Object: testObject(), W: 16, H: 8})
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	var o Object
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(o)
	if err != nil || string(again) != string(doc) {
		t.Errorf("%v\nwritten %s\nread    %s", err, doc, again)
	}
}

func TestDetailsThatAreNoJSON(t *testing.T) {
	e := testEvent()
	e.Details = map[string]any{"f": func() {}}
	if _, err := EncodeEvent(e, "s", 1, 0, 0); err == nil || !strings.Contains(err.Error(), `detail "f"`) {
		t.Errorf("got %v", err)
	}
}

func TestEventID(t *testing.T) {
	stream, seq, err := ParseEventID(EventID("a-b", 12))
	if stream != "a-b" || seq != 12 || err != nil {
		t.Errorf("got %q %d %v", stream, seq, err)
	}
	for _, bad := range []string{"", "a", "-1", "a-", "a-0", "a-x", "a--1x"} {
		if _, _, err := ParseEventID(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestParseObject(t *testing.T) {
	for _, id := range []seg.ID{1, 9, 10, 1<<64 - 1} {
		if got, err := ParseObject("front-door", seg.ObjectID("front-door", id)); got != id || err != nil {
			t.Errorf("%d: got %d, %v", id, got, err)
		}
	}
	for _, bad := range []string{"", "3", "cam", "cam-", "cam-0", "cam-03", "cam-+3", "cam--3", "cam-3 ", "other-3", "cam-18446744073709551616"} {
		_, err := ParseObject("cam", bad)
		var e *Error
		if !errors.As(err, &e) || e.Code != UnknownObject {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"cam": true, "front-door": true, "a.b_c-1": true, "1": true, "": false, "-a": false, ".": false, "a/b": false, "a b": false, "a+": false, "#": false, "é": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if ValidName(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestReplies(t *testing.T) {
	for want, r := range map[string]Reply{
		`{"schema":1,"id":"1","ok":true}`:                                              Done("1", nil),
		`{"schema":1,"ok":true,"result":{"n":2}}`:                                      Done("", map[string]int{"n": 2}),
		`{"schema":1,"id":"2","ok":false,"error":{"code":"timeout","message":"late"}}`: Refuse("2", Timeout, "late"),
	} {
		if got, err := json.Marshal(r); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestObjectsWithoutMasks(t *testing.T) {
	got, err := json.Marshal(Objects{Camera: "cam", AsOfSeq: 4, Objects: []seg.Object{*testObject()}})
	if err != nil || !strings.Contains(string(got), `"as_of_seq":4`) || strings.Contains(string(got), `"mask":`) {
		t.Errorf("%v: %s", err, got)
	}
	if got, _ := json.Marshal(Objects{Camera: "cam"}); !strings.Contains(string(got), `"objects":[]`) {
		t.Errorf("an empty list is not a list: %s", got)
	}
}
