package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/inference/memory/memorytest"
	"github.com/segedge/segedge/seg"
)

// TestAModelThatRemembersIsFollowedBy walks two look-alikes through a whole life: the encoder runs once a keyframe, those that are known
// share the calls after it and are asked without a prompt, what the model does not see becomes hidden and is found again by what is
// remembered, a correction begins with what is remembered and is, and who ends is forgotten.
func TestAModelThatRemembersIsFollowedBy(t *testing.T) {
	g := &memorytest.Graphs{}
	r := remember(t, g, openGraphs(t, g), twins()...)
	r.next()
	first, second := r.click(0, 0), r.click(0, 1)
	r.remembers(2)
	for range 60 {
		r.follows(r.next(), 0, 1)
	}
	if got, want := len(g.Calls(memorytest.Encoder)), int(r.Counters().Keyframes); got != want || want < 10 {
		t.Errorf("the encoder ran %d times for %d keyframes", got, want)
	}
	for _, c := range g.Calls(memorytest.Decoder)[2:] {
		if c.Objects != 2 {
			t.Errorf("a call for %d objects, want 2", c.Objects)
		}
	}
	full := r.remembers(2)

	r.hidden[0] = true
	r.until("the first is hidden", func(os []seg.Object) bool { return !os[0].State.Visible() && os[1].State.Visible() })
	if now := r.remembers(2); now > full {
		t.Errorf("%d bytes are remembered while nothing is seen, were %d", now, full)
	}
	r.hidden[0] = false
	r.blocks[0].vx, r.blocks[0].x = 0, r.blocks[0].x+r.blocks[0].vx*float64(r.n)
	r.until("the first is found again", func(os []seg.Object) bool { return os[0].State == seg.Tracking })
	for range 10 {
		r.next()
	}
	r.follows(r.next(), 0, 1)
	for i, c := range g.Calls(memorytest.Decoder) {
		if c.Prompt != (i < 2) {
			t.Errorf("call %d of the decoder: prompted %v; want the two prompts of a person, and all else by what is remembered", i, c.Prompt)
		}
	}

	shown := len(g.Calls(memorytest.Attention))
	if id := r.click(first, 0); id != first {
		t.Errorf("the correction made object %d", id)
	}
	if calls := g.Calls(memorytest.Attention)[shown:]; len(calls) == 0 || calls[0].Objects != 1 || calls[0].Shown == 0 {
		t.Errorf("the correction was not asked on what is remembered: %+v", calls)
	}
	r.follows(r.next(), 0, 1)
	if _, err := r.Remove(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	r.remembers(1)
	r.follows(r.next(), 0)
	if _, err := r.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.remembers(0)
}

// TestTheOcclusionScoreIsBelieved: what the model says is not in the picture becomes doubtful and then hidden, whatever its mask; nothing of
// that is remembered, and it is found again once the model sees it.
func TestTheOcclusionScoreIsBelieved(t *testing.T) {
	g := &memorytest.Graphs{}
	r := remember(t, g, openGraphs(t, g), twins()[:1]...)
	r.next()
	r.click(0, 0)
	for range 20 {
		r.follows(r.next(), 0)
	}
	g.Blind(true)
	was := r.remembers(1)
	r.until("it is doubtful", func(os []seg.Object) bool { return os[0].State == seg.Uncertain })
	r.until("it is hidden", func(os []seg.Object) bool { return os[0].State == seg.Occluded })
	at := seg.Click{Point: r.blocks[0].center(r.n), Label: seg.Positive}
	if _, err := r.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{at}}}); !errors.Is(err, ErrNothingFound) {
		t.Errorf("a click on what the model does not see: %v", err)
	}
	if now := r.remembers(1); now != was {
		t.Errorf("%d bytes are remembered, were %d", now, was)
	}
	g.Blind(false)
	r.until("it is found again", func(os []seg.Object) bool { return os[0].State == seg.Tracking })
	r.follows(r.next(), 0)
}

// TestWhatIsStillOpenIsNotRemembered: of several boxes the one that is chosen is remembered, from the next keyframe on, and a place where a
// hidden object may be is no word about it.
func TestWhatIsStillOpenIsNotRemembered(t *testing.T) {
	g := &memorytest.Graphs{}
	r := remember(t, g, openGraphs(t, g), twins()...)
	r.next()
	box := func(b int) seg.Box { return r.blocks[b].truth(r.n).Box() }
	got, err := r.Prompt(t.Context(), Request{Prompt: seg.Prompt{Box: new(box(0)), Others: []seg.Box{box(1)}}})
	if err != nil || len(got.Object.Candidates) != 1 {
		t.Fatalf("%v: %d other things to choose from", err, len(got.Object.Candidates))
	}
	r.remembers(0)
	if _, err := r.Choose(t.Context(), got.Object.ID, 0); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		r.next()
	}
	r.follows(r.next(), 1)
	r.remembers(1)
	r.hidden[1] = true
	r.until("it is hidden", func(os []seg.Object) bool { return !os[0].State.Visible() })
	before := len(g.Calls(memorytest.Attention))
	_, err = r.Prompt(t.Context(), Request{Object: got.Object.ID, Perhaps: true, Prompt: seg.Prompt{Box: new(box(0))}})
	if len(g.Calls(memorytest.Attention)) != before {
		t.Errorf("a suspicion is asked by what is remembered; %v", err)
	}
}

// TestUndoBeginsTheMemoryAnew: what was remembered since the click that is taken back is gone, and the mask that undo brings back begins it.
func TestUndoBeginsTheMemoryAnew(t *testing.T) {
	g := &memorytest.Graphs{}
	r := remember(t, g, openGraphs(t, g), twins()...)
	r.next()
	id := r.click(0, 0)
	for range 20 {
		r.next()
	}
	r.click(id, 1) // it is another one now
	r.next()
	if _, err := r.Undo(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	before := len(g.Calls(memorytest.Decoder))
	for range 20 {
		r.follows(r.next(), 0)
	}
	if calls := g.Calls(memorytest.Decoder)[before:]; len(calls) < 2 || !calls[0].Prompt || calls[1].Prompt {
		t.Errorf("after undo the decoder was asked %+v, want the restored mask once, and then by memory", calls)
	}
	r.remembers(1)
	if _, err := r.Reject(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	r.until("what was rejected is found again", func(os []seg.Object) bool { return os[0].State == seg.Tracking })
}

// TestAMemoryDoesNotOutliveItsModel changes to a model without memory and back: the objects live on, what was remembered does not, and what
// motion has carried begins it anew.
func TestAMemoryDoesNotOutliveItsModel(t *testing.T) {
	g := &memorytest.Graphs{}
	m := openGraphs(t, g)
	r := remember(t, g, m, twins()...)
	r.next()
	r.click(0, 0)
	r.click(0, 1)
	for range 20 {
		r.follows(r.next(), 0, 1)
	}
	plain := inferencetest.New(inferencetest.Options{Tolerance: 60})
	for _, s := range []struct {
		to   inference.Segmenter
		want int
	}{{plain, 0}, {m, 2}, {plain, 0}, {m, 2}} {
		if err := r.Swap(t.Context(), s.to); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			r.follows(r.next(), 0, 1)
		}
		r.remembers(s.want)
	}
	if err := r.Swap(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	if n := plain.Live(); n > 4 {
		t.Errorf("%d embeddings are open", n)
	}
}

// TestOneGraphIsFollowedByToo: its encoder runs in every call, and it takes no box together with points: what was not said just now is left
// out then.
func TestOneGraphIsFollowedByToo(t *testing.T) {
	g := &memorytest.Graphs{}
	m, err := g.SingleModel("single")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	r := remember(t, g, m, twins()...)
	r.next()
	r.click(0, 0)
	box := r.blocks[1].truth(r.n).Box()
	got, err := r.Prompt(t.Context(), Request{Prompt: seg.Prompt{Box: &box}})
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		r.follows(r.next(), 0, 1)
	}
	calls := g.Calls(memorytest.Single)
	if last := calls[len(calls)-1]; last.Objects != 2 || last.Prompt {
		t.Errorf("the last call is %+v, want both objects by what is remembered", last)
	}
	if id := r.click(got.Object.ID, 1); id != got.Object.ID {
		t.Errorf("a click on an object that was made by a box made object %d", id)
	}
	plain := inferencetest.New(inferencetest.Options{Tolerance: 60})
	for _, to := range []inference.Segmenter{plain, m, plain} { // what is carried to it is a box, and clicks
		if err := r.Swap(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			r.follows(r.next(), 0, 1)
		}
	}
	if c := r.Counters(); c.ModelErrors+c.Refusals != 0 {
		t.Errorf("%+v", c)
	}
}

// TestCamerasShareAModelAndNoMemories: the objects of two cameras have the same ids.
func TestCamerasShareAModelAndNoMemories(t *testing.T) {
	g := &memorytest.Graphs{}
	m := openGraphs(t, g)
	one, other := remember(t, g, m, twins()...), remember(t, g, m, twins()...)
	one.next()
	other.next()
	if a, b := one.click(0, 0), other.click(0, 1); a != b {
		t.Fatalf("ids %d and %d", a, b)
	}
	for range 30 {
		one.follows(one.next(), 0)
		other.follows(other.next(), 1)
	}
	if _, err := one.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	one.remembers(0)
	other.remembers(1)
	other.follows(other.next(), 1)
}

// TestLanesShareAMemory has prompts and corrections answered while keyframes are: for the race detector, and for what is given back.
func TestLanesShareAMemory(t *testing.T) {
	g := &memorytest.Graphs{}
	m := openGraphs(t, g)
	blocks := twins()
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Model = m }, blocks...)
	r.next()
	var ids []seg.ID
	for _, b := range blocks {
		a := r.wait(r.click(b.center(r.n), r.n))
		if a.err != nil {
			t.Fatal(a.err)
		}
		ids = append(ids, a.Object.ID)
	}
	for i := range 60 {
		r.next()
		if i%6 == 0 {
			k := i / 6 % 2
			c := seg.Click{Point: blocks[k].center(r.n), Label: seg.Positive}
			if a := r.wait(r.ask(Request{Object: ids[k], Prompt: seg.Prompt{Clicks: []seg.Click{c}}})); a.err != nil {
				t.Fatal(a.err)
			}
		}
	}
	for i, o := range r.next() {
		if got := iou(o, blocks[i].truth(r.n)); got < 0.8 {
			t.Errorf("object %d has an IoU of %.2f", o.ID, got)
		}
	}
	if _, err := r.Clear(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c := r.Counters(); c.Remembered != 0 || c.ModelErrors+c.Refusals+c.Panics != 0 {
		t.Errorf("%+v", c)
	}
}
