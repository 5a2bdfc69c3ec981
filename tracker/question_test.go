package tracker

import (
	"image"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

func clickAt(x, y float64, l seg.Label) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: x / 60, Y: y / 40}, Label: l}}}
}

// What is asked about an object depends on what is known of it.
func TestWhatIsAskedAboutAnObject(t *testing.T) {
	for _, c := range []struct {
		what    string
		arrange func(tr *Tracker, o *object)
		asked   bool
		mask    bool
		clicks  int
	}{
		{"one with a mask sends it", func(*Tracker, *object) {}, true, true, 0},
		{"and the clicks that it bears out", func(tr *Tracker, o *object) {
			o.say(anchorOf(clickAt(25, 15, seg.Positive), tr.Newest()))
			o.say(anchorOf(clickAt(50, 30, seg.Negative), tr.Newest()))
			o.say(anchorOf(clickAt(50, 10, seg.Positive), tr.Newest())) // has lost its place
		}, true, true, 2},
		{"one without a mask sends what a person said", func(tr *Tracker, o *object) {
			o.track, o.state, o.asked = nil, seg.Tentative, true
			o.say(anchorOf(clickAt(25, 15, seg.Positive), tr.Newest()))
		}, true, false, 1},
		{"one that lost parts is asked about by a click, every other time", func(_ *Tracker, o *object) {
			o.size, o.alternate = 1000, false
		}, true, false, 1},
		{"and by its mask, the other times", func(_ *Tracker, o *object) { o.size, o.alternate = 1000, true }, true, true, 0},
		{"one that is lost, without features, is not asked about", func(_ *Tracker, o *object) { o.state = seg.Lost }, false, false, 0},
		{"nor one that was answered about this frame", func(tr *Tracker, o *object) { o.key = tr.Newest() }, false, false, 0},
		{"nor one that has left the picture", func(tr *Tracker, o *object) {
			o.track.Advance(&tuned.Motion, motion.Shift(500, 0), nil, tr.Newest(), 8)
		}, false, false, 0},
	} {
		tr := stage(t, 3, calm)
		o := place(tr, square(20, 10, 12), seg.Tracking)
		o.key = tr.Newest() - 1
		c.arrange(tr, o)
		qs := tr.Query(tr.Newest(), nil, nil)
		if len(qs) == 1 != c.asked {
			t.Errorf("%s: %d questions", c.what, len(qs))
			continue
		}
		if c.asked && ((qs[0].Prompt.Mask != nil) != c.mask || len(qs[0].Prompt.Clicks) != c.clicks) {
			t.Errorf("%s: mask %v, %d clicks, want %v, %d", c.what, qs[0].Prompt.Mask != nil, len(qs[0].Prompt.Clicks), c.mask, c.clicks)
		}
	}
}

// Objects are asked about in parts, each once.
func TestQuestionsComeInParts(t *testing.T) {
	tr := stage(t, 3, calm)
	for range 5 {
		place(tr, square(20, 10, 12), seg.Tracking).key = 1
	}
	var ids []seg.ID
	for _, want := range []int{2, 2, 1, 0} {
		qs := tr.QueryPart(tr.Newest(), 2, nil)
		if len(qs) != want {
			t.Fatalf("%d questions after %d, want %d", len(qs), len(ids), want)
		}
		for _, q := range qs {
			ids = append(ids, q.ID)
		}
	}
	if !slices.Equal(ids, []seg.ID{1, 2, 3, 4, 5}) {
		t.Errorf("asked about %v", ids)
	}
}

func TestWhatIsSaidLaterReplacesWhatItCan(t *testing.T) {
	box, other := &seg.Box{X1: 0.5, Y1: 0.5}, &seg.Box{X0: 0.5, X1: 1, Y1: 1}
	mask := &seg.Logits{W: 1, H: 1}
	p := merged(merged(clickAt(10, 10, seg.Positive), seg.Prompt{Box: box, Text: "cup"}), seg.Prompt{Box: other, Mask: mask, Single: true})
	p = merged(p, clickAt(20, 20, seg.Negative))
	if len(p.Clicks) != 2 || p.Box != other || p.Mask != mask || p.Text != "cup" || p.Single {
		t.Errorf("together %+v", p)
	}
}

func TestWhatIsKeptOfAPersonsWordsIsBounded(t *testing.T) {
	o := &object{}
	for i := range 2 * maxAnchors {
		o.say(anchorOf(clickAt(1, 1, seg.Positive), uint64(i)))
		o.remember(false)
	}
	if len(o.anchors) != maxAnchors || o.anchors[maxAnchors-1].seq != 2*maxAnchors-1 || len(o.undo) != maxUndo {
		t.Errorf("%d anchors and %d steps of undo are kept", len(o.anchors), len(o.undo))
	}
	if last := o.undo[maxUndo-1]; len(last.anchors) != maxAnchors {
		t.Errorf("the last step has %d anchors", len(last.anchors))
	}
}

func TestTheClockReadsTheRateOffTheFrames(t *testing.T) {
	for _, c := range []struct {
		what   string
		given  float64
		gap    time.Duration
		n      uint64
		fps    float64
		frames int // in half a second
	}{
		{"no times at all", 0, 0, 1, 30, 15},
		{"fifteen a second", 0, time.Second / 15, 1, 15, 8},
		{"sixty a second, every other one missed", 0, time.Second / 30, 2, 60, 30},
		{"a pause", 0, 5 * time.Second, 1, 30, 15},
		{"a rate that is given", 10, time.Second / 60, 1, 10, 5},
	} {
		k := newClock(c.given)
		now := time.Unix(100, 0)
		k.tick(now, 0)
		for range 300 {
			now = now.Add(c.gap)
			k.tick(now, c.n)
		}
		if k.fps < c.fps-0.01 || k.fps > c.fps+0.01 || k.frames(0.5) != c.frames || k.frames(0) != 1 {
			t.Errorf("%s: %.2f frames a second, %d in half a second, want %.0f and %d", c.what, k.fps, k.frames(0.5), c.fps, c.frames)
		}
	}
}

// A tracker reads a tuning of its own: what the caller does with his changes nothing.
func TestATuningIsCopied(t *testing.T) {
	k := Defaults()
	k.SnapRadius = 7
	tr := New(Options{Tuning: &k}, wind(calm))
	k.SnapRadius = 8
	if tr.opt.Tuning.SnapRadius != 7 || New(Options{}, wind(calm)).opt.Tuning.SnapRadius != Defaults().SnapRadius {
		t.Errorf("an edge may be off by %d pixels", tr.opt.Tuning.SnapRadius)
	}
}

// Edges are refined while there is time in a frame; what comes after is shown as it is, and what hides a part of it is taken out.
func TestAReadoutKeepsItsBudget(t *testing.T) {
	tr := stage(t, 2, calm)
	colours, _ := gaudy(t)
	a, b := place(tr, square(20, 10, 12), seg.Tracking), place(tr, square(26, 10, 12), seg.Tracking)
	a.Colours, b.Colours = *colours, *colours // the picture is black: all of it is drawn away
	tr.readout.left = 1100                    // one of 32×32
	a.mask, b.mask = nil, nil
	if m := tr.mask(a); m.Count() >= 144 {
		t.Errorf("the first has %d cells: its edge was not refined", m.Count())
	}
	if m := tr.mask(b); m.Rect != image.Rect(26, 10, 38, 22) {
		t.Errorf("the second is in %v: there was no time left for it", m.Rect)
	}
	b.mask, b.cover = nil, a
	if m := tr.mask(b); m.Rect != image.Rect(32, 10, 38, 22) {
		t.Errorf("half covered it is in %v", m.Rect)
	}
	b.state = seg.Lost
	if tr.mask(b) != nil {
		t.Error("what is lost has a mask")
	}
}

func TestWhatNobodyTakesIsBounded(t *testing.T) {
	tr := stage(t, 1, calm)
	o := place(tr, square(20, 10, 12), seg.Tracking)
	for range 2 * maxChanges {
		tr.change(seg.ObjectUpdated, o)
	}
	if n := len(tr.Changes(nil)); n != maxChanges || len(tr.Changes(nil)) != 0 {
		t.Errorf("%d changes waited, of %d", n, maxChanges)
	}
}

// The others are the visible ones that were there, in order, without the one in question.
func TestTheOthersInAScene(t *testing.T) {
	tr := stage(t, 1, calm)
	early := place(tr, square(5, 5, 10), seg.Tracking)
	place(tr, square(5, 5, 10), seg.Lost)
	asked := place(tr, square(5, 5, 10), seg.Tentative)
	asked.track, asked.shown = nil, nil
	next(t, tr)
	late := place(tr, square(5, 5, 10), seg.Uncertain)
	ids := func(o *object, seq uint64) (out []seg.ID) {
		for q := range tr.objects.others(o, seq) {
			out = append(out, q.id)
		}
		return out
	}
	if got := ids(nil, 2); !slices.Equal(got, []seg.ID{early.id, late.id}) {
		t.Errorf("in frame 2 there are %v", got)
	}
	if got := ids(late, 2); !slices.Equal(got, []seg.ID{early.id}) {
		t.Errorf("beside the late one there are %v", got)
	}
	if got := ids(nil, 1); !slices.Equal(got, []seg.ID{early.id}) {
		t.Errorf("in frame 1 there are %v", got)
	}
	if tr.objects.find(late.id) != late || tr.objects.find(99) != nil {
		t.Error("they are not found by id")
	}
	early.state = seg.Ended
	if tr.objects.sweep(); tr.objects.find(early.id) != nil || len(tr.objects) != 3 {
		t.Error("what has ended stays")
	}
}
