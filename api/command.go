package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segedge/segedge/seg"
)

// MaxBody is the largest command that any door reads, in bytes: a mask of a whole 4K frame has room.
const MaxBody = 64 << 10

// Command is a decoded command. Body is one of the types below, by its verb.
type Command struct {
	Verb  string
	ID    string // chosen by the sender; answered with the reply
	Reply string // the client that sent it, of the form ValidReply; over MQTT also where the answer goes. May be empty
	Body  any
	Sum   uint64 // tells one command from another: a hash of verb and body, whatever the order and the blanks of its fields
}

// Form is how a door writes commands.
type Form struct {
	Verb   string // from the path or the topic
	Inline bool   // the verb is a field of the body instead
	Viewer string // the session that an rtp_time belongs to which names none
}

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
	Limit  int      `json:"limit,omitempty"` // with follow: objects at once, at most; 0 is 10
	Age    float64  `json:"age,omitempty"`   // with follow: seconds after which it ends; 0 is never
	Zones  []string `json:"zones,omitempty"` // of a text: only what stands in one of them
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

// Target is the body of a verb that only names an object: remove, undo, confirm, reject.
type Target struct {
	Object string `json:"object"`
}

// Pause stops following objects; with Paused false it goes on, as resume does, so that a switch has one topic.
type Pause struct {
	Paused *bool `json:"paused,omitempty"`
}

// On is what the camera is to be.
func (p *Pause) On() bool { return p.Paused == nil || *p.Paused }

// Nothing is the body of a verb that needs none: clear, resume, keyframe, snapshot.
type Nothing struct{}

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
	"remove":   func() any { return new(Target) },
	"undo":     func() any { return new(Target) },
	"confirm":  func() any { return new(Target) },
	"reject":   func() any { return new(Target) },
	"clear":    func() any { return new(Nothing) },
	"pause":    func() any { return new(Pause) },
	"resume":   func() any { return new(Nothing) },
	"keyframe": func() any { return new(Nothing) },
	"snapshot": func() any { return new(Nothing) },
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

// Decode reads a command whose verb is known.
func Decode(verb string, body []byte) (Command, *Error) { return Form{Verb: verb}.Decode(body) }

// Decode reads a command strictly: unknown fields and fields that come twice are refused with their name, coordinates
// and names are checked. The command it returns beside an error still carries the id and the reply address that could
// be read, so that the refusal reaches its sender.
func (f Form) Decode(body []byte) (Command, *Error) {
	cmd := Command{Verb: f.Verb}
	fields, bad := envelope(&cmd, body)
	if bad == nil && f.Inline {
		bad = take(fields, "verb", &cmd.Verb)
	}
	if bad != nil {
		return cmd, bad
	}
	if _, named := fields["viewer"]; !named && fields["rtp_time"] != nil && f.Viewer != "" {
		fields["viewer"], _ = json.Marshal(f.Viewer) // a string always is
	}
	return cmd, cmd.read(fields)
}

// read decodes the body of a command whose verb and sender are known.
func (cmd *Command) read(fields map[string]json.RawMessage) *Error {
	newBody, ok := verbs[cmd.Verb]
	if !ok {
		return &Error{UnknownVerb, fmt.Sprintf("there is no command %q; there are %s", cmd.Verb, strings.Join(Verbs(), ", "))}
	}
	cmd.Body = newBody()
	if bad := exact(cmd.Body, fields); bad != nil {
		return bad
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return &Error{BadJSON, plain(err)}
	}
	sum := fnv.New64a()
	_, _ = sum.Write(append([]byte(cmd.Verb), rest...))
	cmd.Sum = sum.Sum64()
	if err := strict(rest, cmd.Body); err != nil {
		return &Error{BadJSON, plain(err)}
	}
	if c, ok := cmd.Body.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return &Error{BadRequest, err.Error()}
		}
	}
	return nil
}

// envelope reads what every command carries and returns the fields of its body.
func envelope(cmd *Command, body []byte) (map[string]json.RawMessage, *Error) {
	if len(body) > MaxBody {
		return nil, &Error{TooLarge, fmt.Sprintf("the command has %d bytes, at most %d are read", len(body), MaxBody)}
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		body = []byte("{}")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, &Error{BadJSON, "the command is not a JSON object: " + plain(err)}
	}
	if fields == nil {
		return nil, &Error{BadJSON, "the command is not a JSON object: it is null"}
	}
	bad := cmp.Or(take(fields, "id", &cmd.ID), take(fields, "reply", &cmd.Reply))
	if s, ok := fields["schema"]; ok && string(s) != strconv.Itoa(Schema) {
		bad = &Error{BadRequest, fmt.Sprintf("schema %s is not spoken here, only %d", s, Schema)}
	}
	delete(fields, "schema")
	if len(cmd.ID) > maxName {
		cmd.ID, bad = "", &Error{BadRequest, fmt.Sprintf("id is at most %d bytes", maxName)}
	}
	if cmd.Reply != "" && !ValidReply(cmd.Reply) {
		cmd.Reply, bad = "", &Error{BadRequest, "reply is 1 to 64 letters, digits, '_', '.' and '-'"}
	}
	if err := unambiguous(body); err != nil {
		bad = &Error{BadJSON, err.Error()}
	}
	return fields, bad
}

// take moves a field that must be a string, where there is one, into s.
func take(fields map[string]json.RawMessage, name string, s *string) *Error {
	raw, ok := fields[name]
	delete(fields, name)
	if ok && (string(raw) == "null" || json.Unmarshal(raw, s) != nil) {
		*s = ""
		return &Error{BadJSON, fmt.Sprintf("field %q must be a string", name)}
	}
	return nil
}

// exact refuses fields that the body does not have under that very spelling: encoding/json would take any case.
func exact(body any, fields map[string]json.RawMessage) *Error {
	known := fieldNames(reflect.TypeOf(body).Elem())
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return &Error{BadJSON, fmt.Sprintf("unknown field %q", name)}
		}
	}
	return nil
}

// fieldNames are the JSON names of a struct's fields.
func fieldNames(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}

// Seg is the prompt in the model's vocabulary. The mask of the command is turned into logits on its own grid.
func (p *Prompt) Seg() (seg.Prompt, error) {
	out := seg.Prompt{Clicks: p.Points, Text: p.Text, Single: p.Multimask != nil && !*p.Multimask}
	if p.Box != nil {
		out.Box = &seg.Box{X0: p.Box[0], Y0: p.Box[1], X1: p.Box[2], Y1: p.Box[3]}
	}
	if p.Mask != nil {
		m, err := p.Mask.Mask()
		if err != nil {
			return out, fmt.Errorf("mask: %w", err)
		}
		if m.Rect.Empty() {
			return out, errors.New("mask: no pixel is set")
		}
		w, h := min(m.W, 512), min(m.H, 512)
		out.Mask = seg.LogitsOf(m, w, h, seg.Point{X: 1, Y: 1}, 8)
	}
	return out, nil
}

const maxName = 128

func (p *Prompt) check() error {
	if err := errors.Join(checkText("name", p.Name), checkText("text", p.Text)); err != nil {
		return err
	}
	if (p.Viewer == "") != (p.RTPTime == nil) {
		return errors.New("viewer and rtp_time come together")
	}
	if err := p.checkText(); err != nil {
		return err
	}
	s, err := p.Seg()
	if err != nil {
		return err
	}
	if p.Object != "" && len(p.Points) > 0 {
		s.Text = "refines" // a negative point alone is fine on an object that exists
	}
	return s.Validate()
}

// checkText checks what only goes with a text.
func (p *Prompt) checkText() error {
	following := p.Follow != nil && *p.Follow
	switch {
	case p.Text == "" && (p.Follow != nil || len(p.Zones) > 0):
		return errors.New("follow and zones need a text: what to look for")
	case following && (p.Object != "" || len(p.Points) > 0 || p.Box != nil || p.Mask != nil):
		return errors.New("follow goes with a text alone: points, a box, a mask and an object say what one thing is")
	case !following && (p.Limit != 0 || p.Age != 0):
		return errors.New("limit and age go with follow: true")
	case p.Limit < 0 || p.Age < 0 || p.Age > maxAge:
		return fmt.Errorf("limit is 0 or more, and age 0 to %d seconds", maxAge)
	case len(p.Zones) > mostClasses:
		return fmt.Errorf("%d zones: there may be %d", len(p.Zones), mostClasses)
	}
	for _, z := range p.Zones {
		if err := checkText("zones", z); err != nil || z == "" {
			return cmp.Or(err, errors.New("a zone has a name"))
		}
	}
	return nil
}

// maxAge is a year, in seconds.
const maxAge = 366 * 24 * 3600

func (c *Choose) check() error {
	if c.Object == "" || c.Candidate < 0 {
		return errors.New("choose needs an object and a candidate, counted from 0")
	}
	return nil
}

func (r *Rename) check() error {
	if r.Object == "" || r.Name == "" {
		return errors.New("rename needs an object and a name")
	}
	return checkText("name", r.Name)
}

func (t *Target) check() error {
	if t.Object == "" {
		return errors.New("the command needs an object")
	}
	return nil
}

func (a *Automask) check() error {
	if a.Max < 0 || a.MinArea < 0 || a.MinArea > 1 {
		return errors.New("automask needs a max of 0 or more, and a min_area within 0..1")
	}
	return nil
}

func (m *Model) check() error {
	if m.Name == "" {
		return errors.New("model needs a name")
	}
	return checkText("name", m.Name)
}

// mostSeconds bounds a recording, beside what is configured: a day.
const mostSeconds = 24 * 3600

func (r *Record) check() error {
	switch {
	case r.Action != RecordStart && r.Action != RecordStop && r.Action != RecordAround:
		return errors.New("record needs an action: start, stop or around")
	case r.Action == RecordStop && (r.Seconds != 0 || r.Event != ""):
		return errors.New("stop ends a recording now: it takes no seconds and no event")
	case r.Action != RecordAround && r.Time != nil:
		return errors.New("time is the moment of around: start and stop are now")
	case !(r.Seconds >= 0 && r.Seconds <= mostSeconds):
		return fmt.Errorf("seconds lie within 0..%d", mostSeconds)
	case r.Event != "" && !slices.Contains(eventTypes, r.Event):
		return fmt.Errorf("event is a type of event, such as %s", seg.ZoneEntered)
	}
	return nil
}
