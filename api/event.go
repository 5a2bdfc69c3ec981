package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segedge/segedge/seg"
)

// EventID is an event's name: unique over all cameras and restarts, the same whenever the event is delivered again.
func EventID(stream string, seq uint64) string { return stream + "-" + strconv.FormatUint(seq, 10) }

// ParseEventID splits an event's name into its stream and its sequence number.
func ParseEventID(id string) (stream string, seq uint64, err error) {
	i := strings.LastIndexByte(id, '-')
	if i < 1 {
		return "", 0, fmt.Errorf("event id %q is not <stream>-<number>", id)
	}
	seq, err = strconv.ParseUint(id[i+1:], 10, 64)
	if err != nil || seq == 0 {
		return "", 0, fmt.Errorf("event id %q is not <stream>-<number>", id)
	}
	return id[:i], seq, nil
}

// eventHead is what every event carries, in the order in which it is written.
type eventHead struct {
	Schema  int           `json:"schema"`
	EventID string        `json:"event_id"`
	Seq     uint64        `json:"seq"`
	Camera  string        `json:"camera"`
	Time    time.Time     `json:"time"`
	Frame   seg.FrameRef  `json:"frame"`
	Type    seg.EventType `json:"type"`
	Before  any           `json:"before"`
	After   any           `json:"after"`
}

// reserved are the fields of an event that its details cannot replace.
var reserved = []string{"schema", "event_id", "seq", "camera", "time", "frame", "type", "before", "after"}

// EncodeEvent writes an event as every door sends it. w and h are the full frame's size in pixels, on which the mask
// of After is written; 0 leaves the mask out. Before and after are null where there is no object. The details become
// fields of the event, in the order of their names. An event of no frame has the frame 0, captured when it happened.
func EncodeEvent(e seg.Event, stream string, seq uint64, w, h int) ([]byte, error) {
	if e.Frame.Captured.IsZero() {
		e.Frame.Captured = e.Time // an event of no frame
	}
	head := eventHead{
		Schema: Schema, EventID: EventID(stream, seq), Seq: seq, Camera: e.Camera,
		Time: e.Time.UTC(), Frame: seg.FrameRef{Seq: e.Frame.Seq, Captured: e.Frame.Captured.UTC()}, Type: e.Type,
	}
	if e.Before != nil {
		head.Before = seg.Document{Camera: e.Camera, Object: e.Before}
	}
	if e.After != nil {
		head.After = seg.Document{Camera: e.Camera, Object: e.After, W: w, H: h}
	}
	out, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("event %s of camera %s: %w", e.Type, e.Camera, err)
	}
	return appendDetails(out, e)
}

func appendDetails(out []byte, e seg.Event) ([]byte, error) {
	if len(e.Details) == 0 {
		return out, nil
	}
	buf := bytes.NewBuffer(out[:len(out)-1])
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		if slices.Contains(reserved, name) {
			continue
		}
		value, err := json.Marshal(e.Details[name])
		if err != nil {
			return nil, fmt.Errorf("event %s of camera %s: detail %q: %w", e.Type, e.Camera, name, err)
		}
		fmt.Fprintf(buf, ",%q:%s", name, value)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// Event is an event as a consumer reads it. Fields that only some types carry are in Details.
type Event struct {
	Schema  int           `json:"schema"`
	EventID string        `json:"event_id"`
	Seq     uint64        `json:"seq"`
	Camera  string        `json:"camera"`
	Time    time.Time     `json:"time"`
	Frame   seg.FrameRef  `json:"frame"`
	Type    seg.EventType `json:"type"`
	Before  *Object       `json:"before"`
	After   *Object       `json:"after"`

	Details map[string]any `json:"-"`
}

// UnmarshalJSON reads an event and keeps what its type adds.
func (e *Event) UnmarshalJSON(data []byte) error {
	type plain Event
	if err := json.Unmarshal(data, (*plain)(e)); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	e.Details = nil
	if err := json.Unmarshal(data, &e.Details); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	for _, name := range reserved {
		delete(e.Details, name)
	}
	return nil
}

// Object is an object as a consumer reads it: what seg.Document writes.
type Object struct {
	ID           string      `json:"id"` // <camera>-<n>, never reused
	Name         string      `json:"name"`
	State        seg.State   `json:"state"`
	Box          [4]float64  `json:"box"`      // x0, y0, x1, y1 in 0..1
	Centroid     [2]float64  `json:"centroid"` // x, y in 0..1
	Area         float64     `json:"area"`     // fraction of the frame
	PredictedIoU float64     `json:"predicted_iou"`
	Stability    float64     `json:"stability"`
	Color        string      `json:"color,omitempty"` // what it is painted in: "#4cc9f0"; absent where nothing is painted
	MaskAge      int         `json:"mask_age"`        // frames since the frame of the last accepted answer
	Keyframe     uint64      `json:"keyframe"`        // that frame's sequence
	Age          int         `json:"age"`             // frames since the object was made
	Made         time.Time   `json:"made,omitzero"`   // when it was made: the time of capture, over restarts
	Seen         time.Time   `json:"seen,omitzero"`   // when the camera last saw it; absent while it does
	Prompt       string      `json:"prompt,omitempty"`
	Candidates   []Candidate `json:"candidates,omitempty"`
	Mask         *seg.RLE    `json:"mask,omitempty"` // column-major, of the full frame
	// Polygons are the mask's outlines in place of Mask, only in a masks stream that was asked for them: rings of points
	// x, y in 0..1, outer ones clockwise on the screen, holes the other way.
	Polygons [][][2]float64 `json:"polygons,omitempty"`
}

// Candidate is one mask of an ambiguous object, to be named with the verb choose.
type Candidate struct {
	Index        int        `json:"index"`
	Box          [4]float64 `json:"box"`
	Area         float64    `json:"area"`
	PredictedIoU float64    `json:"predicted_iou"`
	Stability    float64    `json:"stability"`
}
