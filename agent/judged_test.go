package agent

import (
	"slices"
	"sync"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/seg"
)

// album is a collector.
type album struct {
	mu      sync.Mutex
	samples []collect.Sample
	back    []string
}

func (a *album) Withdraw(track string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.back = append(a.back, track)
}

func (a *album) Offer(s collect.Sample) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.samples = append(a.samples, s)
}

// take is what came since it was asked last.
func (a *album) take() []collect.Sample {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.samples
	a.samples = nil
	return out
}

func said(s collect.Sample) (out []string) {
	for _, m := range s.Masks {
		out = append(out, m.Verdict)
	}
	slices.Sort(out)
	return out
}

// prompted asks for an object and answers its id.
func (r *rig) prompted(body string) string {
	r.t.Helper()
	reply := r.do("prompt", body)
	if reply.Error != nil {
		r.t.Fatal(reply.Error)
	}
	return reply.Result.(api.PromptResult).Object
}

func TestWhatPeopleSayIsCollected(t *testing.T) {
	album := &album{}
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Collector = album })
	r.film.beside = true
	r.next(20)
	object := r.prompted(`{"name":"red","points":[{"x":0.25,"y":0.5,"label":1}]}`)
	other := r.prompted(`{"name":"blue","points":[{"x":0.72,"y":0.5,"label":1}]}`)
	if got := album.take(); len(got) != 0 {
		t.Fatalf("%d samples of a question: it says nothing of what comes of it", len(got))
	}
	seq := r.next(22)
	for _, c := range []struct {
		verb, body string
		verdict    string // "" for nothing kept
	}{
		{"confirm", `{"object":"` + object + `"}`, collect.Confirmed},
		{"prompt", `{"object":"` + object + `","points":[{"x":0.3,"y":0.6,"label":1}]}`, collect.Refined},
		{"rename", `{"object":"` + object + `","name":"ruby"}`, ""},
		{"confirm", `{"object":"cam-77"}`, ""},
		{"confirm", `{"object":"nonsense"}`, ""},
		{"choose", `{"object":"` + object + `","candidate":9}`, ""},
		{"reject", `{"object":"` + object + `"}`, collect.Rejected},
		{"remove", `{"object":"` + other + `"}`, ""},
	} {
		r.do(c.verb, c.body)
		got := album.take()
		if c.verdict == "" {
			if len(got) > 0 {
				t.Errorf("%s %s: %q was kept", c.verb, c.body, said(got[0]))
			}
			continue
		}
		if len(got) != 1 {
			t.Fatalf("%s: %d samples", c.verb, len(got))
		}
		s := got[0]
		i := slices.IndexFunc(s.Masks, func(m collect.Mask) bool { return m.Verdict == c.verdict })
		if i < 0 || s.Camera != "cam" || s.Frame.Seq != seq || s.Stage != collect.Assisted || s.Model == "" {
			t.Fatalf("%s: %q of frame %d on %s, stage %s, model %q", c.verb, said(s), s.Frame.Seq, s.Camera, s.Stage, s.Model)
		}
		m := s.Masks[i]
		if m.Name != "red" && m.Name != "ruby" {
			t.Errorf("%s: of %q", c.verb, m.Name)
		}
		if b := m.Mask.Box(); b.X0 > 0.2 || b.X1 < 0.3 || b.X1 > 0.5 {
			t.Errorf("%s: the mask is at %v in a picture whose square is at 22", c.verb, b)
		}
		if clicks := m.Prompt.Clicks; len(clicks) == 0 || !m.Mask.Contains(clicks[0].Point) {
			t.Errorf("%s: the clicks %v are not where the object is", c.verb, clicks)
		}
		for k, v := range s.Masks {
			if k != i && (v.Verdict != collect.Proposed || v.Name != "blue") {
				t.Errorf("%s: beside it %q %s", c.verb, v.Name, v.Verdict)
			}
		}
	}
}

func TestWhatIsTakenBackIsWithdrawn(t *testing.T) {
	album := &album{}
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Collector = album })
	r.next(20)
	object := r.prompted(onSquare)
	r.do("prompt", `{"object":"`+object+`","points":[{"x":0.3,"y":0.6,"label":1}]}`)
	for _, verb := range []string{"undo", "remove", "remove"} { // the last finds nothing any more
		r.do(verb, `{"object":"`+object+`"}`)
	}
	if want := []string{object, object}; !slices.Equal(album.back, want) {
		t.Errorf("withdrawn: %q, want %q", album.back, want)
	}
}

// The frame of a sample is its own: the ring's is given back, and written over.
func TestSampleOwnsItsFrame(t *testing.T) {
	album := &album{}
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Collector = album })
	r.next(20)
	object := r.prompted(onSquare)
	r.do("confirm", `{"object":"`+object+`"}`)
	got := album.take()
	if len(got) != 1 {
		t.Fatalf("%d samples", len(got))
	}
	was := slices.Clone(got[0].Frame.Pix)
	for x := 21; x < 120; x++ {
		r.next(x % 100)
	}
	if !slices.Equal(was, got[0].Frame.Pix) {
		t.Error("the picture changed after it was handed over")
	}
}

func TestNothingIsRememberedWhereNothingIsKept(t *testing.T) {
	r := newRig(t, nil)
	r.next(20)
	object := r.prompted(onSquare)
	if reply := r.do("confirm", `{"object":"`+object+`"}`); reply.Error != nil {
		t.Fatal(reply.Error)
	}
	if n := len(r.cameras.get("cam").pointed.by); n != 0 {
		t.Errorf("%d objects have their prompts kept", n)
	}
}

func TestPointedIsBounded(t *testing.T) {
	var p pointed
	click := seg.Prompt{Clicks: []seg.Click{{Label: seg.Positive}}, Text: "cup"}
	for i := range 3 * pointedMost {
		p.add(1, click, uint64(i))
		p.add(2, seg.Prompt{Text: "cup"}, uint64(i))
	}
	got := p.of(1)
	if len(got) != pointedMost || got[0].Frame != 2*pointedMost || got[0].Prompt.Text != "" {
		t.Errorf("%d are kept, the first of frame %d", len(got), got[0].Frame)
	}
	if len(p.of(2)) != 0 {
		t.Error("a phrase points nowhere")
	}
	p.forget(1)
	if len(p.of(1)) != 0 {
		t.Error("an object that has ended is remembered")
	}
}
