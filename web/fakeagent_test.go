package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// fakeAgent is an api.Service with discs for masks: a prompt makes a disc where it points, ambiguous where it is a
// single point. It remembers what it was asked.
type fakeAgent struct {
	names []string

	mu       sync.Mutex
	objects  []seg.Object
	removed  []seg.Object
	commands []api.Command
	cameras  []string // of each command
	next     seg.ID
	refuse   *api.Error
	state    string
	reason   string
	fps      float64
	news     []map[string]any // events
	scores   []float64        // of the candidates; nil is usual
	slow     chan struct{}    // when set, Do waits for it or for its context
	plain    bool             // no prompt is ambiguous
	maskless bool             // the model takes no masks
	zones    []api.Zone
	lines    []api.Line
	frame    seg.FrameRef // of the list
	clip     string       // that is being recorded
	words    bool         // it understands phrases
	watches  []api.Watch
	counts   *api.Counts
}

func newFakeAgent(cameras ...string) *fakeAgent {
	return &fakeAgent{names: cameras, state: api.Running, frame: seg.FrameRef{Seq: 812}}
}

func disc(x, y, r float64) *seg.Mask {
	const w, h = 160, 90
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for j := range h {
		for i := range w {
			if math.Hypot(float64(i)-x*w, float64(j)-y*h) < r*w {
				m.Bits[j*w+i] = 1
			}
		}
	}
	return m.Trim()
}

func (f *fakeAgent) Do(ctx context.Context, camera string, cmd api.Command) api.Reply {
	f.mu.Lock()
	slow := f.slow
	f.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return api.Refuse(cmd.ID, api.Timeout, "the command took too long")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commands, f.cameras = append(f.commands, cmd), append(f.cameras, camera)
	if f.refuse != nil {
		return api.Refuse(cmd.ID, f.refuse.Code, f.refuse.Message)
	}
	return f.carryOut(camera, cmd)
}

func (f *fakeAgent) carryOut(camera string, cmd api.Command) api.Reply {
	switch b := cmd.Body.(type) {
	case *api.Prompt:
		if b.Follow != nil {
			return f.follow(cmd.ID, b)
		}
		if f.maskless && b.Mask != nil {
			return api.Refuse(cmd.ID, api.Unsupported, "the model takes no masks")
		}
		return f.prompt(camera, cmd.ID, b)
	case *api.Choose:
		if o := f.find(camera, b.Object); o != nil && b.Candidate < len(o.Candidates) {
			o.Mask, o.Candidates = o.Candidates[b.Candidate].Mask, nil
			return api.Done(cmd.ID, nil)
		}
	case *api.Rename:
		if o := f.find(camera, b.Object); o != nil {
			o.Name = b.Name
			return api.Done(cmd.ID, nil)
		}
	case *api.Target:
		if o := f.find(camera, b.Object); o != nil {
			o.Candidates = nil
			return api.Done(cmd.ID, nil)
		}
	case *api.Remove:
		if gone := f.takeAway(camera, b.All()); len(gone) > 0 {
			return api.Done(cmd.ID, api.Changed{Objects: gone})
		}
	case *api.Undo:
		if b.Object != "" && f.find(camera, b.Object) != nil {
			return api.Done(cmd.ID, nil)
		}
		return f.bringBack(camera, cmd.ID, b.All())
	case *api.Automask:
		return f.automask(camera, cmd.ID)
	case *api.Zone:
		f.zones = slices.DeleteFunc(f.zones, func(z api.Zone) bool { return z.Name == b.Name })
		if len(b.Points) > 0 {
			f.zones = append(f.zones, *b)
		}
		return api.Done(cmd.ID, nil)
	case *api.Line:
		f.lines = slices.DeleteFunc(f.lines, func(l api.Line) bool { return l.Name == b.Name })
		if len(b.Points) > 0 {
			f.lines = append(f.lines, *b)
		}
		return api.Done(cmd.ID, nil)
	case *api.Record:
		f.clip = ""
		if b.Action == api.RecordStart {
			f.clip = "20260301T120000.000Z.mp4"
		}
		return api.Done(cmd.ID, api.Clip{Camera: camera, Name: f.clip, Recording: f.clip != ""})
	case *api.Pause:
		return api.Done(cmd.ID, nil)
	case *api.Nothing:
		var all []string
		for i := range f.objects {
			all = append(all, seg.ObjectID(camera, f.objects[i].ID))
		}
		return api.Done(cmd.ID, api.Changed{Objects: f.takeAway(camera, all)})
	}
	return api.Refuse(cmd.ID, api.UnknownObject, "there is no such object")
}

// takeAway removes objects, and keeps them.
func (f *fakeAgent) takeAway(camera string, ids []string) (gone []string) {
	f.objects = slices.DeleteFunc(f.objects, func(o seg.Object) bool {
		named := slices.Contains(ids, seg.ObjectID(camera, o.ID))
		if named {
			gone, f.removed = append(gone, seg.ObjectID(camera, o.ID)), append(f.removed, o)
		}
		return named
	})
	return gone
}

// bringBack undoes removals.
func (f *fakeAgent) bringBack(camera, id string, ids []string) api.Reply {
	back := []string{}
	f.removed = slices.DeleteFunc(f.removed, func(o seg.Object) bool {
		named := len(ids) == 0 || slices.Contains(ids, seg.ObjectID(camera, o.ID))
		if named {
			back, f.objects = append(back, seg.ObjectID(camera, o.ID)), append(f.objects, o)
		}
		return named
	})
	if len(back) == 0 {
		return api.Refuse(id, api.Conflict, "there is nothing to undo")
	}
	return api.Done(id, api.Changed{Objects: back})
}

// follow looks for a phrase from now on, and finds nothing.
func (f *fakeAgent) follow(id string, p *api.Prompt) api.Reply {
	f.watches = slices.DeleteFunc(f.watches, func(w api.Watch) bool { return w.Text == p.Text && slices.Equal(w.Zones, p.Zones) })
	if !*p.Follow {
		return api.Done(id, nil)
	}
	f.watches = append(f.watches, api.Watch{Text: p.Text, Zones: p.Zones, Limit: 10, Objects: []string{}})
	return api.Done(id, api.PromptResult{Note: "nothing fits yet: it is looked for"})
}

func (f *fakeAgent) prompt(camera, id string, p *api.Prompt) api.Reply {
	at, r := seg.Point{X: 0.5, Y: 0.5}, 0.06
	switch {
	case p.Box != nil:
		at, r = seg.Point{X: (p.Box[0] + p.Box[2]) / 2, Y: (p.Box[1] + p.Box[3]) / 2}, (p.Box[2]-p.Box[0])/2
	case len(p.Points) > 0:
		at = p.Points[0].Point
	}
	o := f.find(camera, p.Object)
	if p.Object != "" && o == nil {
		return api.Refuse(id, api.UnknownObject, fmt.Sprintf("there is no object %q", p.Object))
	}
	if o == nil {
		f.next++
		f.objects = append(f.objects, seg.Object{ID: f.next, Name: fmt.Sprintf("object %d", f.next), State: seg.Tracking, Mask: disc(at.X, at.Y, r),
			PredictedIoU: 0.93, Stability: 0.95, MaskAge: 3, Keyframe: 100 + uint64(f.next), Age: 90, Prompt: "point"})
		o = &f.objects[len(f.objects)-1]
		if len(p.Points) == 1 && !f.plain {
			for i, s := range []float64{0.6, 1.8} {
				o.Candidates = append(o.Candidates, seg.ObjectCandidate{Mask: disc(at.X, at.Y, r*s), PredictedIoU: 0.85 - 0.08*float64(i), Stability: 0.9})
				if f.scores != nil {
					o.Candidates[i].PredictedIoU = f.scores[i]
				}
			}
		}
	}
	doc, _ := json.Marshal(seg.Document{Camera: camera, Object: o, W: 160, H: 90})
	return api.Done(id, api.PromptResult{Object: seg.ObjectID(camera, o.ID), Frame: 812, Requested: p.Frame, FrameGone: p.Viewer != "" && p.Frame == 0, Document: doc})
}

// automask finds three discs in a row.
func (f *fakeAgent) automask(camera, id string) api.Reply {
	ids := []string{}
	for _, x := range []float64{0.2, 0.5, 0.8} {
		f.next++
		f.objects = append(f.objects, seg.Object{ID: f.next, State: seg.Tracking, Mask: disc(x, 0.5, 0.08), PredictedIoU: 0.8, Made: time.Now()})
		ids = append(ids, seg.ObjectID(camera, f.next))
	}
	return api.Done(id, map[string]any{"frame": 812, "found": 5, "objects": ids})
}

func (f *fakeAgent) find(camera, id string) *seg.Object {
	for i := range f.objects {
		if seg.ObjectID(camera, f.objects[i].ID) == id {
			return &f.objects[i]
		}
	}
	return nil
}

func (f *fakeAgent) Info() api.Info {
	return api.Info{Schema: api.Schema, Agent: "bench", Version: "1.2.3", Started: time.Unix(1_700_000_000, 0), Cameras: f.names,
		Model: "segedge-tiny", Family: "segedge tiny", Provider: "CPU", Why: "no GPU on this machine", Grounded: f.words}
}

func (f *fakeAgent) Cameras() []string { return f.names }

func (f *fakeAgent) State(camera string) (api.State, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return api.State{Schema: api.Schema, Camera: camera, State: f.state, Reason: f.reason, Width: 640, Height: 360, FPS: cmp.Or(f.fps, 29.97), Frame: 812, Captured: 815, Processed: 812,
		Dropped: 3, Keyframes: 40, KeyframeAge: 7, Viewers: 1, Objects: len(f.objects), Zones: slices.Clone(f.zones), Lines: slices.Clone(f.lines), Watches: slices.Clone(f.watches), Recording: f.clip, Counts: f.counts, Stages: map[string]api.Latency{
			"flow": {P50: 2.4, P95: 3.1, P99: 4}, "encode": {P50: 3.4, P95: 5, P99: 6}, "capture_to_encoded": {P50: 21, P95: 30, P99: 41},
		}}, slices.Contains(f.names, camera)
}

func (f *fakeAgent) Objects(camera string) (api.Objects, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return api.Objects{Schema: api.Schema, Camera: camera, Frame: f.frame, AsOfSeq: 44, Objects: slices.Clone(f.objects)}, slices.Contains(f.names, camera)
}

// asked is the commands so far.
func (f *fakeAgent) asked() []api.Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.commands)
}

func (f *fakeAgent) set(change func(*fakeAgent)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// messages are what the data channel says about the first camera now.
func (f *fakeAgent) messages() []string {
	o, _ := f.Objects(f.names[0])
	s, _ := f.State(f.names[0])
	var docs []map[string]any
	for i := range o.Objects {
		docs = append(docs, withOutlines(f.names[0], &o.Objects[i]))
	}
	f.mu.Lock()
	news := slices.Clone(f.news)
	f.mu.Unlock()
	return []string{
		typed("events", map[string]any{"schema": 1, "camera": f.names[0], "events": append([]map[string]any{}, news...)}),
		typed("objects", map[string]any{"schema": 1, "camera": f.names[0], "frame": o.Frame, "as_of_seq": o.AsOfSeq, "objects": append([]map[string]any{}, docs...)}),
		typed("state", fields(s)),
	}
}

func withOutlines(camera string, o *seg.Object) map[string]any {
	doc := fields(seg.Document{Camera: camera, Object: o})
	doc["outline"] = ringOf(o.Mask)
	if list, ok := doc["candidates"].([]any); ok {
		for i := range list {
			list[i].(map[string]any)["outline"] = ringOf(o.Candidates[i].Mask)
		}
	}
	return doc
}

// ringOf is the disc's outline: its box tells all.
func ringOf(m *seg.Mask) [][]float64 {
	if m == nil {
		return nil
	}
	b := m.Box()
	var ring []float64
	for i := range 32 {
		a := 2 * math.Pi * float64(i) / 32
		ring = append(ring, (b.X0+b.X1)/2+(b.X1-b.X0)/2*math.Cos(a), (b.Y0+b.Y1)/2+(b.Y1-b.Y0)/2*math.Sin(a))
	}
	return [][]float64{ring}
}

func fields(v any) map[string]any {
	raw, _ := json.Marshal(v)
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return out
}

func typed(kind string, m map[string]any) string {
	m["type"] = kind
	raw, _ := json.Marshal(m)
	return string(raw)
}

// channel answers one message of the data channel.
func (f *fakeAgent) channel(msg []byte) string {
	var verb struct {
		Verb string `json:"verb"`
	}
	var rest map[string]json.RawMessage
	if json.Unmarshal(msg, &verb) != nil || json.Unmarshal(msg, &rest) != nil {
		return `{"type":"reply","ok":false,"error":{"code":"bad_json","message":"not JSON"}}`
	}
	delete(rest, "verb")
	body, _ := json.Marshal(rest)
	cmd, bad := api.Decode(verb.Verb, body)
	if bad != nil {
		return typed("reply", fields(api.Refuse(cmd.ID, bad.Code, bad.Message)))
	}
	if p, ok := cmd.Body.(*api.Prompt); ok && p.RTPTime != nil {
		p.Frame = 810 // as package stream does
	}
	return typed("reply", fields(f.Do(context.Background(), f.names[0], cmd)))
}

// verbs of the commands so far, for messages.
func (f *fakeAgent) verbs() string {
	var out []string
	for _, c := range f.asked() {
		out = append(out, c.Verb)
	}
	return strings.Join(out, " ")
}
