// Package api is the schema on every door: the commands that MQTT, HTTP and the data channel take, their strict
// decoding, the replies, and the documents that describe the agent's state. It decides nothing and sends nothing.
package api

import (
	"context"
	"encoding/json"
	"time"

	"github.com/segedge/segedge/seg"
)

// Schema is the version written into every document.
const Schema = 1

// Service is the agent as its doors see it. Safe for concurrent use.
type Service interface {
	// Do carries a command out and answers when it is done; it never blocks longer than the command takes and its
	// answer is an error reply when ctx ends first.
	Do(ctx context.Context, camera string, cmd Command) Reply
	// Info describes the agent; it changes with the model.
	Info() Info
	// Cameras are the names, in the configuration's order.
	Cameras() []string
	// State is what a camera does now; false for a camera that does not exist.
	State(camera string) (State, bool)
	// Objects are a camera's live objects as of its newest frame.
	Objects(camera string) (Objects, bool)
}

// Code is an error's kind, for programs; the message is for people.
type Code string

// The error codes of a reply.
const (
	BadJSON        Code = "bad_json"        // not JSON, a wrong type or an unknown field
	BadRequest     Code = "bad_request"     // JSON of the right shape that makes no sense
	UnknownVerb    Code = "unknown_verb"    // no such command
	UnknownCamera  Code = "unknown_camera"  // no such camera
	UnknownObject  Code = "unknown_object"  // no such object, or it has ended
	NotReady       Code = "not_ready"       // the model or the camera is not there yet
	Unsupported    Code = "unsupported"     // the model in use cannot take this kind of prompt
	NothingFound   Code = "nothing_found"   // the model found nothing at the prompt
	Overloaded     Code = "overloaded"      // too many commands or objects; try again later
	Timeout        Code = "timeout"         // not done within its time
	Internal       Code = "internal"        // the agent's own fault
	TooLarge       Code = "too_large"       // the body is over its limit
	Unauthorised   Code = "unauthorised"    // no token, or a wrong one
	Forbidden      Code = "forbidden"       // the caller's role does not reach so far
	AlreadyRunning Code = "already_running" // the thing asked for is under way
	Conflict       Code = "conflict"        // the thing asked for makes no sense now, such as undo with nothing to undo
)

// Error is a refusal: one clear sentence and its kind.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Reply answers a command.
type Reply struct {
	Schema int    `json:"schema"`
	ID     string `json:"id,omitempty"`
	OK     bool   `json:"ok"`
	Result any    `json:"result,omitempty"`
	Error  *Error `json:"error,omitempty"`
}

// Done is a reply that carries a result; nil where there is nothing to say beside ok.
func Done(id string, result any) Reply {
	return Reply{Schema: Schema, ID: id, OK: true, Result: result}
}

// Refuse is an error reply.
func Refuse(id string, code Code, message string) Reply {
	return Reply{Schema: Schema, ID: id, Error: &Error{code, message}}
}

// PromptResult is the result of prompt: the object, the frame that was decoded, and what was found.
type PromptResult struct {
	Object    string          `json:"object"`            // empty with follow while nothing is found
	Objects   []string        `json:"objects,omitempty"` // all that a phrase means; the object alone elsewhere
	Note      string          `json:"note,omitempty"`    // what was not as the phrase has it
	Frame     uint64          `json:"frame"`             // the frame that was decoded
	Requested uint64          `json:"requested"`         // the frame that the prompt named, or the newest when it came
	FrameGone bool            `json:"frame_gone"`        // the frame named had left the ring: the newest was used
	Document  json.RawMessage `json:"document"`          // the object, with its mask and candidates; null with follow while nothing is found
	Watch     *Watch          `json:"watch,omitempty"`   // with follow: what is looked for from now on
}

// Watch is a phrase that is looked for again and again.
type Watch struct {
	Text       string     `json:"text"`
	Name       string     `json:"name,omitempty"` // of its objects, where it is not the text
	Limit      int        `json:"limit"`          // objects at once, at most
	Zones      []string   `json:"zones,omitempty"`
	Until      *time.Time `json:"until,omitempty"`      // when it ends; absent for never
	Configured bool       `json:"configured,omitempty"` // it is in the configuration
	Objects    []string   `json:"objects"`              // that it has found, or found to be followed already
}

// Snapshot is the result of snapshot: a picture, with the overlay or without. HTTP and the data channel carry it in the reply, MQTT on
// a topic of its own.
type Snapshot struct {
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Bytes  int    `json:"bytes"`
	JPEG   []byte `json:"jpeg,omitempty"`  // base64
	Topic  string `json:"topic,omitempty"` // where it was sent, over MQTT
}

// Clip is a recording: the result of record, and an entry of the list of clips.
type Clip struct {
	Camera    string        `json:"camera"`
	Name      string        `json:"name"`            // of the file, which HTTP serves below the camera's clips
	From      time.Time     `json:"from"`            // when its first picture was captured
	Until     time.Time     `json:"until"`           // when it was last written to, or, while it is recorded, when it will end at the latest
	Bytes     int64         `json:"bytes"`           // on the disk so far
	File      string        `json:"file,omitempty"`  // where it is on the agent's machine; in the answer to record
	Event     seg.EventType `json:"event,omitempty"` // the type of the event that it is about
	Recording bool          `json:"recording"`       // it goes on
}

// Clips is the list of a camera's clips, the newest first.
type Clips struct {
	Schema int    `json:"schema"`
	Camera string `json:"camera"`
	Clips  []Clip `json:"clips"`
}

// Info is the retained description of the agent.
type Info struct {
	Schema   int       `json:"schema"`
	Agent    string    `json:"agent"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started"`
	Cameras  []string  `json:"cameras"`
	Model    string    `json:"model"`
	Family   string    `json:"family"`
	Provider string    `json:"provider"`            // the execution provider in use
	Why      string    `json:"provider_why"`        // why this one, and why not a better one
	Building *Building `json:"building,omitempty"`  // a better one that is made ready meanwhile
	Away     string    `json:"away,omitempty"`      // the inference server that ought to run the model, since when it does not, and why
	Grounded bool      `json:"grounding,omitempty"` // text prompts are understood
}

// Building is an execution provider that is made ready in the background, such as TensorRT's engine. Nobody knows how long it takes.
type Building struct {
	Provider string    `json:"provider"`
	Since    time.Time `json:"since"`
}

// Run states of a camera.
const (
	Running = "running"
	Stalled = "stalled"
	Stopped = "stopped"
	Paused  = "paused"
)

// Latency is the distribution of a stage's recent times, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	// Over the life of the process, for /metrics alone.
	Count uint64  `json:"-"`
	Sum   float64 `json:"-"` // milliseconds
}

// State is the retained state of a camera.
type State struct {
	Schema      int                `json:"schema"`
	Camera      string             `json:"camera"`
	State       string             `json:"state"` // running, stalled, stopped, paused
	Reason      string             `json:"reason,omitempty"`
	Scene       string             `json:"scene,omitempty"` // what the picture as a whole is worth: ok, dark, blurred, frozen, moved; absent before the first
	Width       int                `json:"width"`
	Height      int                `json:"height"`
	FPS         float64            `json:"fps"`
	Frame       uint64             `json:"frame"` // the newest frame's sequence
	Captured    uint64             `json:"captured"`
	Processed   uint64             `json:"processed"`
	Dropped     uint64             `json:"dropped"`
	Keyframes   uint64             `json:"keyframes"`
	KeyframeAge int                `json:"keyframe_age"` // frames since the newest keyframe that was answered
	Viewers     int                `json:"viewers"`
	Recording   string             `json:"recording,omitempty"` // the name of the clip that is recorded now
	Objects     int                `json:"objects"`
	ModelErrors uint64             `json:"model_errors,omitempty"`    // calls of the model that failed
	Refusals    uint64             `json:"prompts_refused,omitempty"` // prompts of a kind that the model cannot take
	Panics      uint64             `json:"panics,omitempty"`          // after which following objects started afresh
	Overheld    uint64             `json:"frames_overheld,omitempty"` // frames that could not be kept or lent, because others were held for too long
	Remembered  int                `json:"-"`                         // objects of which a model with memory remembers something, for /metrics alone
	MemoryBytes int                `json:"-"`                         // and what that takes
	Provider    string             `json:"provider,omitempty"`        // where the model runs
	Building    *Building          `json:"building,omitempty"`        // a better provider that is made ready meanwhile
	Away        string             `json:"model_away,omitempty"`      // the inference server that ought to run the model, since when it does not, and why
	Zones       []Zone             `json:"zones,omitempty"`
	Lines       []Line             `json:"lines,omitempty"`
	Watches     []Watch            `json:"watches,omitempty"` // phrases that are looked for again and again
	Counts      *Counts            `json:"counts,omitempty"`  // at zones and lines, since they were drawn, over restarts
	Stages      map[string]Latency `json:"stages"`

	Inside map[string][]seg.ID `json:"-"` // the objects in each zone, for doors that name them
}

// Counts are what zones and lines have counted, by name; those with nothing to count are left out.
type Counts struct {
	Zones  map[string]Visits    `json:"zones,omitempty"`
	Lines  map[string]Crossings `json:"lines,omitempty"`
	Inside map[string][]string  `json:"inside,omitempty"` // the ids of who is in a zone now, by its name
}

// Visits are those of a zone: inside are who is there now.
type Visits struct {
	Inside  uint64 `json:"inside"`
	Entered uint64 `json:"entered"`
	Left    uint64 `json:"left"`
}

// Crossings are those of a line, by direction.
type Crossings struct {
	Left  uint64 `json:"left"`
	Right uint64 `json:"right"`
}

// Objects is the retained list of a camera's live objects.
type Objects struct {
	Schema  int
	Camera  string
	Frame   seg.FrameRef
	AsOfSeq uint64 // the newest event that this list includes
	Objects []seg.Object
}

// MarshalJSON writes the list without masks.
func (o Objects) MarshalJSON() ([]byte, error) {
	docs := make([]seg.Document, len(o.Objects))
	for i := range o.Objects {
		docs[i] = seg.Document{Camera: o.Camera, Object: &o.Objects[i]}
	}
	return json.Marshal(struct {
		Schema  int            `json:"schema"`
		Camera  string         `json:"camera"`
		Frame   seg.FrameRef   `json:"frame"`
		AsOfSeq uint64         `json:"as_of_seq"`
		Objects []seg.Document `json:"objects"`
	}{Schema, o.Camera, o.Frame, o.AsOfSeq, docs})
}

// Presence is the retained account of who is where on a camera, by name: sent on change, at most once a second. Hidden objects count, lost
// ones do not.
type Presence struct {
	Schema  int                  `json:"schema"`
	Camera  string               `json:"camera"`
	FPS     float64              `json:"fps"` // frames per second, looked at every ten seconds and followed where it is a tenth off
	Objects int                  `json:"objects"`
	Names   map[string]int       `json:"names"` // objects by name; 0 for a name whose objects were given up during the last day
	Zones   map[string]ZoneCount `json:"zones"`
	Lines   map[string]LineCount `json:"lines"`
}

// ZoneCount is who is in a zone.
type ZoneCount struct {
	Objects int            `json:"objects"`
	Names   map[string]int `json:"names"`
	Dwell   *float64       `json:"dwell,omitempty"` // seconds that the newest visit that is over lasted; absent before the first
}

// LineCount is how often a line was crossed since it was drawn, over restarts.
type LineCount struct {
	In  uint64 `json:"in"`  // to the right, as seen along the line
	Out uint64 `json:"out"` // to the left
}
