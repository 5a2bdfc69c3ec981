package stream

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/seg"
)

// told is what a client knows of the objects.
type told struct {
	seq     uint64
	objects []map[string]any
}

// hear takes a message, as package stream says that a client has to.
func (w *told) hear(t testing.TB, message []byte) {
	t.Helper()
	var m struct {
		Type    string
		Frame   struct{ Seq uint64 }
		Base    uint64
		Seq     uint64
		Objects []map[string]any
		Gone    []string
	}
	if err := json.Unmarshal(message, &m); err != nil {
		t.Fatalf("%s: %v", message, err)
	}
	if m.Type == "objects" {
		w.seq, w.objects = m.Frame.Seq, m.Objects
		return
	}
	if m.Type != "delta" || m.Base != w.seq {
		t.Fatalf("%s, after the list of frame %d", message, w.seq)
	}
	w.objects = slices.DeleteFunc(w.objects, func(o map[string]any) bool { return slices.Contains(m.Gone, o["id"].(string)) })
	for _, o := range w.objects {
		for _, age := range []string{"age", "mask_age"} {
			o[age] = o[age].(float64) + float64(m.Seq-m.Base)
		}
	}
	for _, changes := range m.Objects {
		i := slices.IndexFunc(w.objects, func(o map[string]any) bool { return o["id"] == changes["id"] })
		if i < 0 {
			w.objects = append(w.objects, changes)
			continue
		}
		merge(w.objects[i], changes)
	}
	w.seq = m.Seq
}

func merge(o, changes map[string]any) {
	if rings, ok := changes["rings"].([]any); ok {
		delete(changes, "rings")
		for _, r := range rings {
			ring := r.([]any)
			for i := range ring {
				if i >= 2 {
					ring[i] = ring[i].(float64) + ring[i-2].(float64)
				}
			}
			for i := range ring {
				ring[i] = ring[i].(float64) / 1000
			}
		}
		o["outline"] = rings
	}
	maps.Copy(o, changes)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
}

// What has changed, put into what was there, is what the whole list says, whatever happens to the objects.
func TestDeltasAddUp(t *testing.T) {
	st := start(t)
	a := seg.Object{ID: 1, Name: "cup", State: seg.Tracking, Mask: disc(320, 180, 0.3, 0.5, 0.1), Age: 10, MaskAge: 3}
	b := seg.Object{ID: 2, State: seg.Tracking, Mask: disc(320, 180, 0.7, 0.5, 0.2), Age: 1, MaskAge: 1}
	moved := func(o seg.Object, x float64, age, mask int) seg.Object {
		o.Mask, o.Age, o.MaskAge = disc(320, 180, x, 0.5, 0.1), age, mask
		return o
	}
	asks := moved(a, 0.35, 14, 7)
	asks.Candidates = []seg.ObjectCandidate{{Mask: disc(320, 180, 0.3, 0.5, 0.05)}}
	lost := moved(a, 0, 15, 8)
	lost.Mask, lost.State = nil, seg.Lost
	steps := []struct {
		seq     uint64
		objects []seg.Object
		whole   bool // no delta says it
	}{
		{1, []seg.Object{a, b}, true},
		{2, []seg.Object{moved(a, 0.31, 11, 4), b}, false}, // b has not grown older
		{4, []seg.Object{moved(a, 0.31, 13, 6), b}, false},
		{5, []seg.Object{asks, b}, false},
		{6, []seg.Object{lost, b}, false},
		{7, []seg.Object{b, moved(seg.Object{ID: 3}, 0.5, 0, 0)}, false}, // one gone, one new
		{8, []seg.Object{moved(seg.Object{ID: 3}, 0.5, 1, 1), b}, true},  // another order
		{9, nil, true}, // it would be no shorter
	}
	var before *listing
	var client told
	for _, step := range steps {
		l := st.listing("cam", &Unit{Seq: step.seq, Captured: time.Unix(1, 0)}, step.objects)
		full := withTime(l.text(), 7)
		message := full
		if delta := l.since(before); delta != nil {
			message = timed(typeDelta, delta, 7)
		}
		if whole := &message[0] == &full[0]; whole != step.whole && step.seq > 1 && step.seq < 9 {
			t.Errorf("frame %d: whole %v", step.seq, whole)
		}
		client.hear(t, message)
		var want told
		want.hear(t, full)
		if !reflect.DeepEqual(client.objects, want.objects) && len(want.objects) > 0 {
			t.Errorf("frame %d: %s\nadds up to %v\nwant %v", step.seq, message, client.objects, want.objects)
		}
		before = l
	}
}

// Who is not told of the list before is told everything, and no more than a few lists are held for who may ask.
func TestDeltasGoOnFromTheListBefore(t *testing.T) {
	st := start(t)
	o := []seg.Object{{ID: 1, Mask: disc(320, 180, 0.5, 0.5, 0.1)}}
	var all []*listing
	for seq := range uint64(8) {
		all = append(all, st.listing("cam", &Unit{Seq: seq + 1}, o))
		all[seq].text()
	}
	if all[7].since(all[5]) != nil || all[7].since(nil) != nil || all[7].since(all[6]) == nil {
		t.Error("a delta goes on from another list")
	}
	if all[1].before.Load() != nil || all[6].before.Load() != all[5] {
		t.Error("old lists are held, or new ones are not")
	}
}

// A viewer that asks for it hears the whole list with each keyframe and what has changed between.
func TestViewersAskForDeltas(t *testing.T) {
	st := start(t, func(o *Options) { o.ObjectsInterval = time.Hour }) // no lists but those of pictures
	p := newPeer(t, st, false)
	p.query = "?objects=delta"
	p.connect()
	begin(p, time.Now())
	within(t, "the channel is open", func() bool { return st.viewer(p.id()).channel.Load() != nil })
	o := seg.Object{ID: 3, Name: "cup", State: seg.Tracking, Mask: disc(320, 180, 0.5, 0.5, 0.2)}
	var client told
	for seq := uint64(2); seq < 20; seq++ {
		o.Age++
		o.MaskAge++
		st.Write("cam", unit(seq, seq == 10, time.Now()), []seg.Object{o})
		rtp, _ := p.picture()
		var m map[string]json.RawMessage
		for string(m["rtp_time"]) != jsonOf(t, rtp) { // the first picture has one if the channel was open by then
			m = take(t, "a list", p.messages)
			if kind := string(m["type"]); kind == `"objects"` || kind == `"delta"` {
				client.hear(t, []byte(jsonOf(t, m)))
			}
		}
		if whole := string(m["type"]) == `"objects"`; whole != (seq == 10) && seq > 2 {
			t.Errorf("frame %d: %s", seq, m["type"])
		}
	}
	if client.seq != 19 || len(client.objects) != 1 || client.objects[0]["age"] != float64(o.Age) {
		t.Errorf("%+v", client)
	}
}

// What the lists of four moving objects cost a viewer's path at 30 pictures a second and a keyframe every four seconds.
func BenchmarkLists(b *testing.B) {
	scene, err := synthetic.New(synthetic.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var frames [][]seg.Object
	for n := range uint64(120) {
		var objects []seg.Object
		for i, o := range scene.Truth(n) {
			objects = append(objects, seg.Object{
				ID: seg.ID(i + 1), Name: "thing", State: seg.Tracking, Mask: o.Mask, Age: int(n), MaskAge: int(n % 10), Keyframe: n - n%10, PredictedIoU: 0.93, Stability: 0.97,
				Prompt: "point",
			})
		}
		frames = append(frames, objects)
	}
	s, err := New(Options{Service: newAgent()})
	if err != nil {
		b.Fatal(err)
	}
	full, deltas, pictures := 0, 0, 0
	for b.Loop() {
		var before *listing
		for n, objects := range frames {
			l := s.listing("cam", &Unit{Seq: uint64(pictures + 1), Captured: time.Unix(int64(n), 0)}, objects)
			text := withTime(l.text(), 1<<31)
			full += len(text)
			if delta := l.since(before); delta != nil {
				text = timed(typeDelta, delta, 1<<31)
			}
			deltas += len(text)
			before = l
			pictures++
		}
	}
	b.ReportMetric(30*float64(full)/float64(pictures), "full-B/s")
	b.ReportMetric(30*float64(deltas)/float64(pictures), "delta-B/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(pictures), "ns/picture")
}
