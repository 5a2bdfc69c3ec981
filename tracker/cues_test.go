package tracker

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// on is what a sum has at a place of the grid.
func on(s *shape.Sum, x, y int) float32 { return s.Row(y)[x-s.Rect().Min.X] }

// Where another object is near, the model's answer may be about that one and counts less.
func TestAnAnswerInACrowdCountsLess(t *testing.T) {
	tr := stage(t, 3, calm)
	o, q := place(tr, square(10, 10, 12), seg.Tracking), place(tr, square(40, 10, 12), seg.Tracking)
	ev := &evidence{seq: tr.Newest(), prior: o.track}
	for _, c := range []struct {
		what   string
		at     *shape.Patch
		prior  *track
		weight float64
	}{
		{"alone", square(40, 10, 12), o.track, tuned.ModelWeight},
		{"beside another", square(18, 12, 12), o.track, tuned.CrowdedWeight},
		{"found anew", square(18, 12, 12), nil, tuned.ModelWeight},
	} {
		q.track, ev.prior = newTrack(c.at, tr.Newest()), c.prior
		if got := tr.trustInModel(o, ev); got != c.weight {
			t.Errorf("%s an answer weighs %v, want %v", c.what, got, c.weight)
		}
	}
}

// A place where another object is seen is not the object's, but for what of it lies in front of the other; where the other hides it, it is
// as it was believed, whatever the picture says there.
func TestWhoLiesInFrontDecidesWhatIsShared(t *testing.T) {
	const said = 2 // by the picture, everywhere
	for _, c := range []struct {
		what              string
		arrange           func(o, q *object)
		both, others, own bool // whether its own are: the place where both are, where only the other is, where only it is
	}{
		{"not known", func(*object, *object) {}, false, false, true},
		{"it lies in front", func(o, q *object) { o.hide(q) }, true, false, true},
		{"it lies behind", func(o, q *object) { q.hide(o) }, true, false, true},
	} {
		tr := stage(t, 3, calm)
		o, q := place(tr, square(10, 10, 16), seg.Tracking), place(tr, square(20, 10, 16), seg.Tracking)
		c.arrange(o, q)
		var s shape.Sum
		s.Reset(60, 40, image.Rect(0, 0, 60, 40))
		for y := range 40 {
			for x := range s.Row(y) {
				s.Row(y)[x] = said
			}
		}
		tr.addOthers(&s, o, &evidence{seq: tr.Newest(), prior: o.track})
		for _, place := range []struct {
			where string
			x     int
			own   bool
		}{{"where both are", 23, c.both}, {"where only the other is", 32, c.others}, {"where only it is", 14, c.own}} {
			if got := on(&s, place.x, 18); got > 0 != place.own {
				t.Errorf("%s: %s the log-odds are %.1f", c.what, place.where, got)
			}
		}
	}
}

// On water, what is around a swan moves with it, though less: what moves as its surroundings do speaks against it, not for it.
func TestVotesAreHeldAgainstWhatIsAround(t *testing.T) {
	const side, wake = 12, 6
	left := float32(20) // of the object
	tr := stage(t, 2, func(x, y float32) (float32, float32) {
		switch {
		case x >= left && x < left+side && y >= 10 && y < 10+side:
			return 2, 0
		case x >= left-wake && x < left+side+wake && y >= 10-wake && y < 10+side+wake:
			return 1.2, 0
		}
		return 0, 0
	})
	o := place(tr, square(int(left), 10, side), seg.Tracking)
	next(t, tr)
	ev := at(tr, tr.Newest())
	ev.prior = o.track
	if o.track.last.Inliers == 0 || ev.e.Scene.Affine.C > 0.2 {
		t.Fatalf("the object's motion has %v inliers, the scene moves by %v", o.track.last.Inliers, ev.e.Scene.Affine.C)
	}
	var s shape.Sum
	s.Reset(60, 40, image.Rect(16, 6, 40, 26))
	tr.addVotes(&s, o, ev)
	if in, out := on(&s, 28, 16), on(&s, 18, 16); in <= 0 || out >= 0 {
		t.Errorf("the votes are %+.2f on it and %+.2f on the water about it", in, out)
	}
}

// What the object looks like where its cover is near is not learnt: part of it is the cover.
func TestNothingIsLearntUnderACover(t *testing.T) {
	for _, c := range []struct {
		what   string
		cover  *shape.Patch
		learns bool
	}{
		{"without a cover", nil, true},
		{"with a cover that is elsewhere", square(44, 24, 10), true},
		{"with a cover on it", square(16, 12, 16), false},
	} {
		tr := stage(t, 3, calm)
		o := place(tr, square(10, 10, 12), seg.Tracking)
		if c.cover != nil {
			place(tr, c.cover, seg.Tracking).hide(o)
		}
		best, ev := saying(image.Rect(10, 10, 22, 22)), at(tr, tr.Newest())
		ev.prior = o.track
		tr.adopt(o, square(10, 10, 12), ev, &best)
		if o.Colours.Ready() != c.learns {
			t.Errorf("%s: learnt %v", c.what, o.Colours.Ready())
		}
	}
}

// What comes into sight again may come in parts: it is expected to have the size that it had.
func TestWhatComesBackInPartsKeepsItsSize(t *testing.T) {
	tr := stage(t, 3, calm)
	o := place(tr, square(10, 10, 12), seg.Occluded)
	best, ev := saying(image.Rect(10, 10, 16, 16)), at(tr, tr.Newest())
	tr.adopt(o, square(10, 10, 6), ev, &best)
	if o.size != 144 {
		t.Errorf("a quarter of it was found, and it is expected to have %.0f cells instead of 144", o.size)
	}
}

// What was elsewhere while the object was still seen is another thing; where the way back is not known, it may be the object.
func TestARivalWasSeenBesideTheObject(t *testing.T) {
	blind := false
	tr := New(Options{FPS: 30, UpdateEvery: 1e6}, flows(func(dst []motion.Vector) {
		for i := range dst {
			dst[i].OK = !blind
		}
	}))
	for _, c := range []struct {
		what          string
		blind, beside bool
		there         *shape.Patch
	}{
		{"elsewhere", false, true, square(40, 20, 12)},
		{"in its place", false, false, square(11, 10, 12)},
		{"elsewhere, by a way that nobody knows", true, false, square(40, 20, 12)},
	} {
		next(t, tr)
		o := place(tr, square(10, 10, 12), seg.Lost)
		blind = c.blind
		next(t, tr)
		if got := tr.beside(o, c.there, tr.Newest()); got != c.beside {
			t.Errorf("%s: was it beside the object? %v", c.what, got)
		}
		blind = false
	}
}

// flows is a flow in which nothing moves, and which measures where it says.
type flows func(dst []motion.Vector)

func (f flows) Step(_, _ *motion.Gray, _ []motion.Pixel, dst []motion.Vector) error {
	clear(dst)
	f(dst)
	return nil
}

// Where the motion is not explained an object is asked about with what looks like it around its mask, but not where another object is near:
// what looks like it may be that one.
func TestALikenessIsNotAskedAboutInACrowd(t *testing.T) {
	for _, crowd := range []bool{false, true} {
		tr := stage(t, 1, calm)
		o := lostThing(t, tr)
		o.state = seg.Tracking
		seq := shown(t, tr, thing{image.Rect(8, 8, 20, 20), 255, 1}, thing{image.Rect(20, 8, 32, 20), 255, 1})
		if crowd {
			place(tr, square(22, 10, 8), seg.Tracking)
		}
		there, ok := tr.trackAt(o, seq)
		if !ok {
			t.Fatal("its track is not there")
		}
		there.last.Inliers = 0
		asked := tr.maskPrompt(o, &there, seq).Cut(60, 40, seg.Threshold)
		if got := asked.Contains(seg.Point{X: 27.5 / 60, Y: 14.5 / 40}); got == crowd {
			t.Errorf("with another near %v, what looks like it is asked about %v", crowd, got)
		}
	}
}

// thing is what a picture shows in a rectangle of the stage: its grey, and the one feature that the encoder has for it.
type thing struct {
	at      image.Rectangle
	level   byte
	feature float32
}

// shown has the stage show things on black, and the encoder see them.
func shown(t *testing.T, tr *Tracker, things ...thing) (seq uint64) {
	t.Helper()
	f := frame.New(60, 40)
	f.Seq = tr.Newest() + 1
	m := seg.Features{W: 15, H: 10, C: 1, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 150)}
	clear(f.Pix)
	for _, s := range things {
		for y := s.at.Min.Y; y < s.at.Max.Y; y++ {
			for x := s.at.Min.X; x < s.at.Max.X; x++ {
				m.Data[y/4*15+x/4] = s.feature
				for c := range 3 {
					f.Pix[3*(60*y+x)+c] = s.level
				}
			}
		}
	}
	if err := tr.Step(f); err != nil {
		t.Fatal(err)
	}
	tr.See(f.Seq, []seg.Features{m})
	return f.Seq
}

// at is the evidence of a frame without an answer.
func at(tr *Tracker, seq uint64) *evidence {
	i, _ := tr.scene.Find(seq)
	return &evidence{seq: seq, at: i, e: tr.scene.At(i), view: tr.looks.At(seq)}
}

// lostThing is a white thing that the stage showed, and that is lost.
func lostThing(t *testing.T, tr *Tracker) *object {
	t.Helper()
	ev := at(tr, shown(t, tr, thing{image.Rect(8, 8, 20, 20), 255, 1}))
	o := place(tr, square(8, 8, 12), seg.Tracking)
	tr.learn(o, o.track.Patch, ev)
	o.base, o.state = tr.colourShare(o, o.track.Patch, ev), seg.Lost
	return o
}

// Of two places that look alike to the encoder, what is lost is looked for where its colours are.
func TestColoursSayWhereToLook(t *testing.T) {
	tr := stage(t, 1, calm)
	o := lostThing(t, tr)
	white := image.Rect(44, 24, 56, 36)
	seq := shown(t, tr, thing{white, 255, 1}, thing{image.Rect(8, 8, 20, 20), 120, 1.1})
	p, ok := tr.seek(o, seq)
	if !ok || len(p.Clicks) != 1 {
		t.Fatalf("looked for by %+v, %v", p, ok)
	}
	if c := p.Clicks[0]; !image.Pt(int(c.X*60), int(c.Y*40)).In(white) {
		t.Errorf("a white thing is looked for at %.2f, %.2f, where a grey one is", c.X, c.Y)
	}
}

// What was lost is found where it looks as it usually did, the more so the better it was told from the rest; where the encoder hardly tells
// it, its colours decide.
func TestWhatIsFoundLooksAsItUsuallyDid(t *testing.T) {
	const white, grey = 255, 120
	for _, c := range []struct {
		what  string
		usual float64 // likeness
		mean  float64 // of what is found: 1 as it looked once, −1 as the rest did
		level byte
		side  int
		went  bool // behind something, and is expected where it is found
		found bool
	}{
		{"as ever", 1, 1, white, 12, false, true},
		{"rather unlike itself", 1, 0.4, white, 12, false, false},
		{"in other colours", 1, 1, grey, 12, false, false},
		{"a small part", 1, 1, white, 6, false, false},
		{"seldom told from the rest, and now as ever", 0.3, 0.3, white, 12, false, true},
		{"seldom told from the rest, and now not", 0.3, 0.17, white, 12, false, false},
		{"never told from the rest, in its colours", 0.1, -0.5, white, 12, false, true},
		{"never told from the rest, in others", 0.1, -0.5, grey, 12, false, false},
		{"in other company, beside what it went behind", 1, 0.2, white, 12, true, true},
		{"the same in other colours", 1, 0.2, grey, 12, true, false},
		{"the same of a part", 1, 0.2, white, 6, true, false},
	} {
		tr := stage(t, 1, calm)
		o := lostThing(t, tr)
		ev := at(tr, shown(t, tr, thing{image.Rect(40, 20, 40+c.side, 20+c.side), c.level, float32(c.mean+1) / 2}))
		o.In(ev.view).Usual = c.usual
		p := square(40, 20, c.side)
		if c.went {
			o.state, o.coasting, o.track = seg.Occluded, true, newTrack(square(40, 20, 12), ev.seq)
		}
		if mean, _ := tr.looks.Resemblance(o.known(ev), ev.view, tr.maskOf(p, ev.seq)); c.side == 12 && math.Abs(mean-c.mean) > 0.02 {
			t.Fatalf("%s: it resembles it by %.2f, and the test needs %.2f", c.what, mean, c.mean)
		}
		if got := tr.recognised(o, p, ev); got != c.found {
			t.Errorf("%s: found %v", c.what, got)
		}
	}
}

// A mask that has another object's colours is not believed, whether the object is in sight or lost; not even where its cover's are left out of
// it. The object's own, and another's where that is not followed, are.
func TestNoObjectIsTakenForAnother(t *testing.T) {
	white, grey := thing{image.Rect(8, 8, 20, 20), 255, 1}, thing{image.Rect(36, 8, 48, 20), 120, 1}
	for _, state := range []seg.State{seg.Tracking, seg.Lost} {
		tr := stage(t, 1, calm)
		seq := shown(t, tr, white, grey)
		o, q := place(tr, square(8, 8, 12), state), place(tr, square(36, 8, 12), seg.Tracking)
		for _, x := range []*object{o, q} {
			tr.learn(x, x.track.Patch, at(tr, seq))
		}
		if tr.mistaken(o, o.track.Patch, at(tr, seq)) || tr.mistaken(q, q.track.Patch, at(tr, seq)) {
			t.Errorf("%v: one is taken for the other where it is itself", state)
		}
		best := saying(grey.at)
		if !tr.mistaken(o, square(36, 8, 12), at(tr, seq)) || tr.believable(o, square(36, 8, 12), at(tr, seq), &best) {
			t.Errorf("%v: the other's mask is believed", state)
		}
		both := tuned.Shape.PatchOf(saying(image.Rect(17, 8, 48, 20)).Logits, 60, 40)
		for _, cover := range []*object{nil, q} {
			if o.cover = cover; tr.mistaken(o, both, at(tr, seq)) != (cover == nil) {
				t.Errorf("%v: a little of it and all of the other, covered by that: %v", state, cover != nil)
			}
		}
		tr.objects = tr.objects[:1]
		if tr.mistaken(o, square(36, 8, 12), at(tr, seq)) {
			t.Errorf("%v: nobody else is followed, and it is taken for somebody", state)
		}
	}
}
