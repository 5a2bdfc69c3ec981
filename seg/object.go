package seg

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"time"
)

// ID names an object of one camera. Written "<camera>-<n>" on every door; n counts from 1 and is never reused.
type ID uint64

// State is where an object stands in its life.
type State uint8

// The states of an object, in the order of a life that goes wrong.
const (
	Tentative State = iota // prompted, no accepted mask yet
	Tracking               // followed, and the model agrees
	Uncertain              // followed, but motion, model or appearance disagree
	Occluded               // believed hidden behind something; keeps its place and id
	Lost                   // not seen; searched for on keyframes until its time is up
	Ended                  // removed, or given up
)

var stateNames = [...]string{"tentative", "tracking", "uncertain", "occluded", "lost", "ended"}

// String is the state's name on every door.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", s)
}

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name.
func (s *State) UnmarshalText(b []byte) error {
	for i, n := range stateNames {
		if n == string(b) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown object state %q", b)
}

// Visible reports whether an object in this state has a mask that belongs to what the camera sees now.
func (s State) Visible() bool { return s == Tracking || s == Uncertain }

// Object is what is known of one object in one frame: a value, safe to keep.
type Object struct {
	ID    ID
	Name  string
	State State
	Mask  *Mask // immutable; nil while tentative or lost, the last believed one while occluded
	// Candidates are the other valid masks of an ambiguous prompt, best first, already carried to this frame; a
	// person may choose one. Nil for an object that is not ambiguous.
	Candidates   []ObjectCandidate
	Prompt       string  // the prompt in words
	PredictedIoU float64 // of the last accepted answer
	Stability    float64 // of the last accepted answer
	MaskAge      int     // frames since the frame of that answer
	Keyframe     uint64  // the sequence of that frame; 0 before the first
	Age          int     // frames since the object was made
	// Made is when the object was made, and Seen when the camera last saw it: times of capture, over restarts; zero where they are not known.
	Made, Seen time.Time
	// Color is what it is painted in, as long as it lives; zero leaves it to who paints.
	Color color.RGBA
}

// ObjectCandidate is one mask to choose from.
type ObjectCandidate struct {
	Mask         *Mask
	PredictedIoU float64
	Stability    float64
}

// ObjectID writes an id as the doors do.
func ObjectID(camera string, id ID) string { return fmt.Sprintf("%s-%d", camera, id) }

// EventType says what happened.
type EventType string

// The events of a camera.
const (
	ObjectNew       EventType = "object.new"
	ObjectUpdated   EventType = "object.updated"
	ObjectAmbiguous EventType = "object.ambiguous"
	ObjectOccluded  EventType = "object.occluded"
	ObjectLost      EventType = "object.lost"
	ObjectRecovered EventType = "object.recovered"
	ObjectEnded     EventType = "object.ended"
	ZoneEntered     EventType = "zone.entered"
	ZoneLeft        EventType = "zone.left"
	LineCrossed     EventType = "line.crossed"
	CameraStalled   EventType = "camera.stalled"
	CameraRecovered EventType = "camera.recovered"
	CameraScene     EventType = "camera.scene"
	ClipFinished    EventType = "clip.finished"
	ModelChanged    EventType = "model.changed"
	CommandRejected EventType = "command.rejected"
	EventsDropped   EventType = "events.dropped"
)

// EventTypes are all of them; the list is the caller's.
func EventTypes() []EventType {
	return []EventType{
		ObjectNew, ObjectUpdated, ObjectAmbiguous, ObjectOccluded, ObjectLost, ObjectRecovered, ObjectEnded, ZoneEntered, ZoneLeft, LineCrossed,
		CameraStalled, CameraRecovered, CameraScene, ClipFinished, ModelChanged, CommandRejected,
		EventsDropped,
	}
}

// Change is something that happened to an object in a frame: what a tracker reports, before it has a number.
type Change struct {
	Type   EventType
	Before *Object // nil for object.new
	After  *Object
	// Details is what a type adds beside before and after, as in Event.
	Details map[string]any
}

// FrameRef names a frame.
type FrameRef struct {
	Seq      uint64    `json:"seq"`
	Captured time.Time `json:"captured"`
}

// Event is something that happened, on its way to the world. Sequence number, stream and id are given by the outbox that makes it durable.
type Event struct {
	Camera string
	Type   EventType
	Time   time.Time
	Frame  FrameRef
	Before *Object
	After  *Object
	// Details is what a type adds beside before and after (a zone's name and dwell, a line's direction, the reason
	// of a stall): flat, JSON-encodable.
	Details map[string]any
}

// objectJSON is the object on every door (docs/mqtt.md).
type objectJSON struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	State        State           `json:"state"`
	Box          [4]float64      `json:"box"`
	Centroid     [2]float64      `json:"centroid"`
	Area         float64         `json:"area"`
	PredictedIoU float64         `json:"predicted_iou"`
	Stability    float64         `json:"stability"`
	MaskAge      int             `json:"mask_age"`
	Keyframe     uint64          `json:"keyframe"`
	Age          int             `json:"age"`
	Made         time.Time       `json:"made,omitzero"`
	Seen         time.Time       `json:"seen,omitzero"` // of what is not seen now
	Color        string          `json:"color,omitempty"`
	Prompt       string          `json:"prompt,omitempty"`
	Candidates   []candidateJSON `json:"candidates,omitempty"`
	Mask         *RLE            `json:"mask,omitempty"`
}

type candidateJSON struct {
	Index        int        `json:"index"`
	Box          [4]float64 `json:"box"`
	Area         float64    `json:"area"`
	PredictedIoU float64    `json:"predicted_iou"`
	Stability    float64    `json:"stability"`
}

// Document is an object as the doors write it: normalised box, centroid and area, and, where w and h are not 0, the
// mask as COCO RLE on a grid of that size (the full frame).
type Document struct {
	Camera string
	Object *Object
	W, H   int
}

// MarshalJSON writes the object.
func (d Document) MarshalJSON() ([]byte, error) {
	o := d.Object
	j := objectJSON{
		ID:    ObjectID(d.Camera, o.ID),
		Name:  o.Name,
		State: o.State,
		PredictedIoU: Round4(
			o.PredictedIoU,
		),
		Stability: Round4(o.Stability),
		MaskAge:   o.MaskAge,
		Keyframe:  o.Keyframe,
		Age:       o.Age,
		Prompt:    o.Prompt,
		Made:      o.Made.UTC().Truncate(time.Millisecond),
	}
	if !o.State.Visible() {
		j.Seen = o.Seen.UTC().Truncate(time.Millisecond)
	}
	if o.Color.A > 0 {
		j.Color = HexColor(o.Color)
	}
	if o.Mask != nil && !o.Mask.Rect.Empty() {
		c := o.Mask.Centroid()
		j.Box, j.Centroid, j.Area = box4(o.Mask.Box()), [2]float64{Round4(c.X), Round4(c.Y)}, round6(o.Mask.Area())
		if d.W > 0 && d.H > 0 {
			r := o.Mask.Resize(d.W, d.H).RLE()
			j.Mask = &r
		}
	}
	for i, c := range o.Candidates {
		j.Candidates = append(
			j.Candidates,
			candidateJSON{i, box4(c.Mask.Box()), round6(c.Mask.Area()), Round4(c.PredictedIoU), Round4(c.Stability)},
		)
	}
	return json.Marshal(j)
}

// HexColor is a colour as CSS and the doors write it: "#4cc9f0".
func HexColor(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func box4(b Box) [4]float64 {
	return [4]float64{Round4(b.X0), Round4(b.Y0), Round4(b.X1), Round4(b.Y1)}
}

// Round4 rounds to four places, as coordinates and scores are written: finer than a pixel of an 8K frame. What is no
// number, or infinite, has no place in JSON and becomes 0.
func Round4(v float64) float64 { return round(v, 1e4) }

func round6(v float64) float64 { return round(v, 1e6) }

func round(v, scale float64) float64 {
	if v-v != 0 {
		return 0
	}
	return math.Round(v*scale) / scale
}
