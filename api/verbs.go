package api

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/segedge/segedge/seg"
)

// Prompt makes a new object, or adds to the prompt of one.
type Prompt struct {
	Object string      `json:"object,omitempty"` // the object to refine; none makes a new one
	Name   string      `json:"name,omitempty"`
	Points []seg.Click `json:"points,omitempty"`
	Box    *[4]float64 `json:"box,omitempty"`
	Mask   *seg.RLE    `json:"mask,omitempty"`
	Text   string      `json:"text,omitempty"`
	// Frame is the sequence of the frame that the author saw; none means the newest.
	Frame uint64 `json:"frame,omitempty"`
	// Viewer and RTPTime name the frame as a WebRTC viewer saw it: its session and the picture's RTP timestamp.
	Viewer    string  `json:"viewer,omitempty"`
	RTPTime   *uint32 `json:"rtp_time,omitempty"`
	Multimask *bool   `json:"multimask,omitempty"` // false asks for one mask; true is the default for a single point
	// Follow keeps looking for a text; false ends that. What it has found stays.
	Follow *bool    `json:"follow,omitempty"`
	Limit  int      `json:"limit,omitempty"`  // with follow: objects at once, at most; 0 is 10
	Age    float64  `json:"age,omitempty"`    // with follow: seconds after which it ends; 0 is never
	Zones  []string `json:"zones,omitempty"`  // of a text: only what stands in one of them
	Choose bool     `json:"choose,omitempty"` // of a text: one object, whose candidates are all that fit, to choose from
}

// Choose picks candidate N of an ambiguous object.
type Choose struct {
	Object    string `json:"object"`
	Candidate int    `json:"candidate"`
}

// Rename gives an object a name.
type Rename struct {
	Object string `json:"object"`
	Name   string `json:"name"`
}

// Target is the body of a verb that only names an object: confirm, reject.
type Target struct {
	Object string `json:"object"`
}

// Remove ends an object, or several at once, of which some may have ended already.
type Remove struct {
	Object  string   `json:"object,omitempty"`
	Objects []string `json:"objects,omitempty"`
}

// All are the objects that it names.
func (r *Remove) All() []string { return all(r.Object, r.Objects) }

// Undo takes the last correction of an object back, or, of one that was removed, the removal. With objects it brings several back that were
// removed; with neither, what the newest remove or clear took away.
type Undo struct {
	Object  string   `json:"object,omitempty"`
	Objects []string `json:"objects,omitempty"`
}

// All are the objects that it names.
func (u *Undo) All() []string { return all(u.Object, u.Objects) }

func all(one string, several []string) []string {
	if one != "" {
		return []string{one}
	}
	return several
}

// Changed is the result of what takes objects away or brings them back: remove, clear, and undo of these.
type Changed struct {
	Objects []string `json:"objects"`
}

// Pause stops following objects; with Paused false it goes on, as resume does, so that a switch has one topic.
type Pause struct {
	Paused *bool `json:"paused,omitempty"`
}

// On is what the camera is to be.
func (p *Pause) On() bool { return p.Paused == nil || *p.Paused }

// Nothing is the body of a verb that needs none: clear, resume, keyframe.
type Nothing struct{}

// Shot is the body of snapshot: what the picture shows.
type Shot struct {
	Overlay *bool `json:"overlay,omitempty"` // false is the camera's picture, without what is painted into it
	Width   int   `json:"width,omitempty"`   // reduced to so many columns; 0, and more than there are, is the camera's size
}

// Painted is whether the picture is with the overlay.
func (s *Shot) Painted() bool { return s.Overlay == nil || *s.Overlay }

// Automask segments everything on the next keyframe and tracks what passes.
type Automask struct {
	Max     int     `json:"max,omitempty"`      // objects at most; 0 is 20
	MinArea float64 `json:"min_area,omitempty"` // fraction of the frame
}

// Zone makes, replaces or (with no points) removes a polygon that reports who enters and leaves. With classes it sees only objects in whose
// name, or phrase, one of them stands.
type Zone struct {
	Name    string       `json:"name"`
	Points  [][2]float64 `json:"points"`
	Classes []string     `json:"classes,omitempty"`
}

// Line makes, replaces or (with no points) removes a directed line that reports who crosses it. Classes are as for zones.
type Line struct {
	Name    string       `json:"name"`
	Points  [][2]float64 `json:"points"` // from, to
	Classes []string     `json:"classes,omitempty"`
}

// Model swaps the model of the running agent.
type Model struct {
	Name string `json:"name"`
}

// Config changes settings by their dotted keys, in the agent's file and in the agent itself. A camera is named by its place in the file or
// by its name.
type Config struct {
	Set map[string]json.RawMessage `json:"set"`
}

// ConfigResult says what came of it.
type ConfigResult struct {
	Changed []string `json:"changed"` // now true
	Restart []string `json:"restart"` // true after a restart
}

// Record begins, ends or cuts out a recording of the picture with its overlay.
type Record struct {
	Action string `json:"action"` // start, stop, or around: what was before and comes after a moment
	// Seconds is how long it goes on: from now for start, after the moment for around. Without it a start goes on until stop, and around
	// for the configured time.
	Seconds float64       `json:"seconds,omitempty"`
	Time    *time.Time    `json:"time,omitempty"`  // the moment of around, as an event's time; none means now
	Event   seg.EventType `json:"event,omitempty"` // the type of the event that it is about: it becomes part of the clip's name
}

// The actions of record.
const (
	RecordStart  = "start"
	RecordStop   = "stop"
	RecordAround = "around"
)

// verbs maps each verb to a new body.
var verbs = map[string]func() any{
	"prompt":   func() any { return new(Prompt) },
	"choose":   func() any { return new(Choose) },
	"rename":   func() any { return new(Rename) },
	"remove":   func() any { return new(Remove) },
	"undo":     func() any { return new(Undo) },
	"confirm":  func() any { return new(Target) },
	"reject":   func() any { return new(Target) },
	"clear":    func() any { return new(Nothing) },
	"pause":    func() any { return new(Pause) },
	"resume":   func() any { return new(Nothing) },
	"keyframe": func() any { return new(Nothing) },
	"snapshot": func() any { return new(Shot) },
	"automask": func() any { return new(Automask) },
	"zone":     func() any { return new(Zone) },
	"line":     func() any { return new(Line) },
	"model":    func() any { return new(Model) },
	"config":   func() any { return new(Config) },
	"record":   func() any { return new(Record) },
}

// Verbs is the sorted list of commands.
func Verbs() []string {
	out := make([]string, 0, len(verbs))
	for v := range verbs {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}
