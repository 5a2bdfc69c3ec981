package tracker

import (
	"image"
	"reflect"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// wind is a flow by which each place moves as it says.
type wind func(x, y float32) (dx, dy float32)

func (w wind) Step(_, _ *motion.Gray, pts []motion.Pixel, dst []motion.Vector) error {
	for i, p := range pts {
		dx, dy := w(p.X, p.Y)
		dst[i] = motion.Vector{D: motion.Pixel{X: dx, Y: dy}, OK: true}
	}
	return nil
}

func calm(float32, float32) (float32, float32) { return 0, 0 }

// stage is a tracker that was shown n frames of 60×40 pixels, thirty a second, in which places move by flow.
func stage(t *testing.T, n int, flow wind) *Tracker {
	t.Helper()
	tr := New(Options{FPS: 30, UpdateEvery: 1e6}, flow)
	for range n {
		next(t, tr)
	}
	return tr
}

func next(t *testing.T, tr *Tracker) {
	t.Helper()
	f := frame.New(60, 40)
	f.Seq = tr.Newest() + 1
	if err := tr.Step(f); err != nil {
		t.Fatal(err)
	}
}

// place puts an object with a mask on the stage, as if an answer about the newest frame had just been believed.
func place(tr *Tracker, p *shape.Patch, s seg.State) *object {
	o := &object{id: tr.opt.NextID(), state: s, stateSince: tr.Newest(), born: tr.Newest()}
	o.track, o.key = newTrack(p, tr.Newest()), tr.Newest()
	o.area, o.size = float64(p.Area()), float64(p.Area())
	tr.objects = append(tr.objects, o)
	tr.change(seg.ObjectNew, o)
	tr.Changes(nil)
	return o
}

func happened(tr *Tracker) (out []seg.EventType) {
	for _, c := range tr.Changes(nil) {
		out = append(out, c.Type)
	}
	return out
}

// saying is what a model says with a mask of a rectangle of the stage.
func saying(r image.Rectangle) seg.Candidate {
	m := seg.NewMask(60, 40, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return seg.Candidate{Logits: seg.LogitsOf(m, 60, 40, seg.Point{X: 1, Y: 1}, 6), PredictedIoU: 0.9, Stability: 0.9}
}

func TestWhatBecomesOfWhatIsDoubted(t *testing.T) {
	const limit = 12 // LostAfter, 0.4 s, at thirty frames a second
	inside, edge := square(20, 10, 12), square(50, 10, 20)
	for _, c := range []struct {
		what           string
		patch          *shape.Patch
		state          seg.State
		misses, doubts int
		since          int     // frames since the first doubt
		area           float64 // usual, of the patch's; 0: the same
		resting        float64
		want           seg.State
		event          seg.EventType
		coasting       bool
	}{
		{what: "all is well", patch: inside, state: seg.Tracking, want: seg.Tracking},
		{what: "a few misses", patch: inside, state: seg.Tracking, misses: 4, want: seg.Tracking},
		{what: "misses for a third of the time", patch: inside, state: seg.Tracking, misses: 5, want: seg.Uncertain},
		{what: "an answer was refused", patch: inside, state: seg.Tracking, doubts: 1, want: seg.Uncertain},
		{what: "doubted, and well again", patch: inside, state: seg.Uncertain, want: seg.Tracking},
		{what: "doubted, and a miss is left", patch: inside, state: seg.Uncertain, misses: 1, want: seg.Uncertain},
		{what: "misses all the time", patch: inside, state: seg.Uncertain, misses: limit, want: seg.Occluded, event: seg.ObjectOccluded},
		{what: "three answers refused at once", patch: inside, state: seg.Uncertain, doubts: 3, want: seg.Uncertain},
		{what: "three in time", patch: inside, state: seg.Uncertain, doubts: 3, since: limit, want: seg.Occluded, event: seg.ObjectOccluded},
		{what: "two in that time", patch: inside, state: seg.Uncertain, doubts: 2, since: limit, want: seg.Uncertain},
		{
			what: "behind what rests", patch: inside, state: seg.Uncertain, misses: limit, resting: 0.8,
			want: seg.Occluded, event: seg.ObjectOccluded, coasting: true,
		},
		{what: "gone while it leaves", patch: edge, state: seg.Uncertain, misses: limit, area: 3, want: seg.Lost, event: seg.ObjectLost},
		{what: "it has left", patch: edge, state: seg.Tracking, area: 10, want: seg.Lost, event: seg.ObjectLost},
	} {
		tr := stage(t, 2+c.since, calm)
		o := place(tr, c.patch, c.state)
		o.misses, o.doubts, o.track.resting = c.misses, c.doubts, c.resting
		o.doubted = tr.Newest() - uint64(c.since)
		if c.area > 0 {
			o.area *= c.area
		}
		tr.doubt(o, tr.Newest())
		if o.state != c.want || o.coasting != c.coasting {
			t.Errorf("%s: %v, coasting %v, want %v, %v", c.what, o.state, o.coasting, c.want, c.coasting)
		}
		if got := happened(tr); len(got) > 1 || len(got) == 1 != (c.event != "") || len(got) == 1 && got[0] != c.event {
			t.Errorf("%s: events %v, want %q", c.what, got, c.event)
		}
	}
}

func TestHowLongItIsHiddenAndSearchedFor(t *testing.T) {
	tr := stage(t, 2, calm)
	tr.opt.OccludedFor, tr.opt.ForgetAfter = 0.5, 1
	o := place(tr, square(20, 10, 12), seg.Occluded)
	from := tr.Newest()
	states := map[uint64]seg.State{}
	for range 60 {
		next(t, tr)
		states[tr.Newest()-from] = o.state
	}
	for after, want := range map[uint64]seg.State{1: seg.Occluded, 15: seg.Occluded, 16: seg.Lost, 46: seg.Lost, 47: seg.Ended} {
		if states[after] != want {
			t.Errorf("after %d frames it is %v, want %v", after, states[after], want)
		}
	}
	if len(tr.objects) != 0 {
		t.Error("it has ended, and is still there")
	}
}

// What is hidden goes on at its speed, and is lost at once where that takes it out of the picture.
func TestWhatIsHiddenMayLeave(t *testing.T) {
	tr := stage(t, 2, calm)
	o := place(tr, square(20, 10, 12), seg.Occluded)
	o.track.speed = [2]float64{10, 0}
	next(t, tr)
	if x, _ := o.track.Center(); x < 35 || x > 37 || o.state != seg.Occluded {
		t.Errorf("it is at %.1f, %v", x, o.state)
	}
	for range 3 {
		next(t, tr)
	}
	if o.state != seg.Lost {
		t.Errorf("out of the picture it is %v", o.state)
	}
}

func TestWhichAnswersAreBelievable(t *testing.T) {
	for _, c := range []struct {
		what   string
		answer image.Rectangle
		area   float64 // usual; 0: that of the object, 144
		asked  bool
		iou    float64
		want   bool
	}{
		{what: "the same again", answer: image.Rect(20, 10, 32, 22), iou: 0.9, want: true},
		{what: "a speck", answer: image.Rect(20, 10, 22, 12), iou: 0.9},
		{what: "a quarter of it", answer: image.Rect(20, 10, 26, 15), iou: 0.9},
		{what: "three times of it", answer: image.Rect(20, 10, 44, 28), iou: 0.9},
		{what: "three times of it, for a person", answer: image.Rect(20, 10, 44, 28), asked: true, iou: 0.9, want: true},
		{what: "the whole picture", answer: image.Rect(0, 0, 60, 40), area: 1500, iou: 0.9},
		{what: "the whole picture, for a person", answer: image.Rect(0, 0, 60, 40), asked: true, iou: 0.9, want: true},
		{what: "one that the model hardly believes", answer: image.Rect(20, 10, 32, 22), iou: 0.1},
	} {
		tr := stage(t, 2, calm)
		o := place(tr, square(20, 10, 12), seg.Tracking)
		o.asked = c.asked
		if c.area > 0 {
			o.area, o.size = c.area, c.area
		}
		best := saying(c.answer)
		best.PredictedIoU = c.iou
		now := tr.Newest()
		ev := &evidence{seq: now, at: 1, e: tr.scene.Last(), prior: o.track}
		if got := tr.believable(o, tuned.Shape.PatchOf(best.Logits, 60, 40), ev, &best); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// Of the model's answers to a click on what is left of an object, the one of its size is taken, unless the model believes it much less.
func TestTheLikeliestAnswerHasTheExpectedSize(t *testing.T) {
	tr := stage(t, 1, calm)
	o := place(tr, square(20, 10, 12), seg.Tracking)
	part, whole := saying(image.Rect(20, 10, 26, 16)), saying(image.Rect(20, 10, 32, 22))
	whole.PredictedIoU = 0.7
	if c := tr.likeliest(o, &seg.Prediction{Candidates: []seg.Candidate{part, whole}}, 60, 40); c.PredictedIoU != 0.7 {
		t.Error("the part is taken, since the model believes it a little more")
	}
	o.size = 36
	if c := tr.likeliest(o, &seg.Prediction{Candidates: []seg.Candidate{part, whole}}, 60, 40); c.PredictedIoU != 0.9 {
		t.Error("the whole is taken for an object of the part's size")
	}
	broken := seg.Candidate{PredictedIoU: 0.99}
	if c := tr.likeliest(o, &seg.Prediction{Candidates: []seg.Candidate{part, broken}}, 60, 40); c.PredictedIoU != 0.9 {
		t.Error("an answer without a mask is taken")
	}
}

func TestAMaskIsHeldToTheExpectedSize(t *testing.T) {
	for _, c := range []struct {
		what                    string
		cells                   int // that all evidence speaks for
		said                    float64
		expected, size, atLeast float64
		atMost                  int
	}{
		{"as expected", 400, 400, 400, 400, 400, 400},
		{"larger, and the model says so", 800, 800, 400, 400 + tuned.SizeUp*400, 300, 400},
		{"larger, but the model does not say so", 800, 300, 400, 400, 300, 400},
		{"smaller", 200, 200, 400, 398, 200, 200},
	} {
		tr := stage(t, 1, calm)
		s := &tr.fusion.sum
		s.Reset(60, 40, image.Rect(0, 0, 60, 40))
		for i := range c.cells {
			s.Row(i / 60)[i%60] = float32(1+i%60) / 16
		}
		size := tr.limited(s, c.expected, c.said)
		if size < c.size-1e-6 || size > c.size+1e-6 {
			t.Errorf("%s: a size of %.1f is expected next, want %.1f", c.what, size, c.size)
		}
		if n := s.Mask().Count(); n > c.atMost || float64(n) < c.atLeast {
			t.Errorf("%s: %d cells are left, want %.0f to %d", c.what, n, c.atLeast, c.atMost)
		}
	}
}

// Where two masks overlap, the one whose motion explains the vectors there lies in front; without vectors to tell it stays as it was.
func TestWhoLiesInFront(t *testing.T) {
	for _, c := range []struct {
		what        string
		there       float32 // how the overlap moves
		left, right float64 // how the two move
		front       int     // 0: the left one, 1: the right one, -1: not known
	}{
		{"the overlap moves with the left one", 3, 3, -3, 0},
		{"the overlap moves with the right one", -3, 3, -3, 1},
		{"both move alike", 3, 3, 3, -1},
		{"it moves with neither", 0, 3, -3, -1},
	} {
		tr := stage(t, 1, func(_, _ float32) (float32, float32) { return c.there, 0 })
		left, right := place(tr, square(15, 10, 16), seg.Tracking), place(tr, square(25, 10, 16), seg.Tracking)
		f := frame.New(60, 40)
		f.Seq = 2
		e, last := tr.scene.Take(f)
		if err := tr.scene.Measure(last, e, nil); err != nil {
			t.Fatal(err)
		}
		for o, dx := range map[*object]float64{left: c.left, right: c.right} {
			o.track.last.Affine = motion.Shift(dx, 0)
			o.track.Advance(&tuned.Motion, motion.Shift(dx, 0), nil, 2, 8)
		}
		tr.occlude(e)
		covers := [2]*object{left.cover, right.cover}
		want := [][2]*object{-1 + 1: {nil, nil}, 0 + 1: {nil, left}, 1 + 1: {right, nil}}[c.front+1]
		if covers != want {
			t.Errorf("%s: the left one is covered %v, the right one %v", c.what, covers[0] != nil, covers[1] != nil)
		}
		if c.front >= 0 { // and when they part, nobody covers anybody
			right.track.Advance(&tuned.Motion, motion.Shift(30, 0), nil, 3, 8)
			tr.occlude(e)
			if left.cover != nil || right.cover != nil {
				t.Errorf("%s: still covered, far apart", c.what)
			}
		}
	}
}

// What an object looks like goes back with undo as a whole: the usual size, what is expected, and the features and colours.
func TestUndoTakesBackAllThatWasLearnt(t *testing.T) {
	tr := stage(t, 3, calm)
	o := place(tr, square(20, 10, 12), seg.Tracking)
	o.base = 0.7
	e := tr.scene.Last()
	o.Colours.Learn(&tr.opt.Tuning.Look, e, o.track.Patch, image.Rect(0, 0, e.Gray.W, e.Gray.H))
	view := tr.looks.See(tr.Newest(), []seg.Features{{W: 6, H: 4, C: 1, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 24)}})
	tr.looks.Learn(o.In(view), view, tr.maskOf(o.track.Patch, tr.Newest()))
	was := o.clone()
	if !was.Colours.Ready() || !was.In(view).Known() {
		t.Fatal("the test needs a look that was learnt")
	}
	if err := tr.Refine(o.id, clickAt(50, 30, seg.Positive), tr.Newest()); err != nil {
		t.Fatal(err)
	}
	tr.looks.Learn(o.In(view), view, tr.maskOf(square(45, 25, 8), tr.Newest())) // what the answer to that taught
	o.Colours.Learn(&tr.opt.Tuning.Look, e, square(45, 25, 8), image.Rect(0, 0, e.Gray.W, e.Gray.H))
	o.area, o.size, o.base = 1, 2, 0.1
	o.reply = reply{tr.Newest(), square(45, 25, 8)}
	if err := tr.Undo(o.id); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o.appearance, was) {
		t.Errorf("%+v, want %+v", o.appearance, was)
	}
	if o.reply.mask != nil {
		t.Error("a thing is still known by the answer that was taken back")
	}
}

// What lies wholly in an object is a part of it, if it is of the same kin: else another thing that stands before it.
func TestAPartOfItsKinIsTheSame(t *testing.T) {
	tr := stage(t, 3, calm)
	o := place(tr, square(10, 8, 24), seg.Tracking)
	part := saying(image.Rect(14, 12, 26, 24)).Logits
	if id, ok := tr.Same(tr.Newest(), part, []seg.ID{o.id}); !ok || id != o.id {
		t.Errorf("a part of its kin: %v %v", id, ok)
	}
	if id, ok := tr.Same(tr.Newest(), part, nil); ok {
		t.Errorf("a part of no kin is %v", id)
	}
	if id, ok := tr.Same(tr.Newest(), saying(image.Rect(27, 8, 51, 32)).Logits, []seg.ID{o.id}); ok {
		t.Errorf("what lies beside, and overlaps a little, is %v", id)
	}
}

// What is left of an answer beside another object that is seen, because the answer is about that one, is no finding of a lost one.
func TestTheRimOfAnotherIsNotFound(t *testing.T) {
	for answer, want := range map[image.Rectangle]bool{
		image.Rect(14, 10, 32, 22): true, // the other, and a rim of it that its own mask lacks
		image.Rect(2, 10, 20, 22):  false,
	} {
		tr := stage(t, 2, calm)
		o := place(tr, square(40, 10, 12), seg.Lost)
		place(tr, square(20, 10, 12), seg.Tracking)
		rim := tuned.Shape.PatchOf(saying(image.Rect(14, 10, 20, 22)).Logits, 60, 40)
		ev := &evidence{seq: tr.Newest(), at: 1, e: tr.scene.Last(), model: saying(answer).Logits}
		if got := tr.another(o, rim, tr.readout.uncovered(o, rim, ev.seq), ev); got != want {
			t.Errorf("the model says %v: it is another: %v", answer, got)
		}
	}
}
