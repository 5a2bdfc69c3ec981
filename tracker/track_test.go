package tracker

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// tuned is what the product is shipped with.
var tuned = func() *Tuning {
	k := Defaults()
	return &k
}()

// square is a patch of a square on a grid of 60×40 cells, all sure.
func square(x, y, side int) *shape.Patch {
	m := seg.NewMask(60, 40, image.Rect(x, y, x+side, y+side).Intersect(image.Rect(0, 0, 60, 40)))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return tuned.Shape.PatchOf(seg.LogitsOf(m, 60, 40, seg.Point{X: 1, Y: 1}, 6), 60, 40)
}

// still is an entry over a picture of w×h pixels of one grey in which nothing was measured and the scene moves by (dx, dy).
func still(w, h int, grey byte, dx, dy float64) *motion.Entry {
	e := &motion.Entry{Gray: motion.Gray{W: w, H: h}, BGR: make([]byte, 3*w*h), Scene: motion.Fit{Affine: motion.Shift(dx, dy)}}
	for i := range e.BGR {
		e.BGR[i] = grey
	}
	return e
}

// gaudy are colours in which white is the object's and black is not, by log-odds of so much.
func gaudy(t *testing.T) (c *look.Colours, odds float64) {
	t.Helper()
	e := still(60, 40, 0, 0, 0)
	for y := 10; y < 30; y++ {
		for x := 20; x < 40; x++ {
			copy(e.BGR[3*(60*y+x):], []byte{255, 255, 255})
		}
	}
	c = &look.Colours{}
	c.Learn(&tuned.Look, e, square(20, 10, 20), image.Rect(0, 0, 60, 40))
	in, out := c.Logit([]byte{255, 255, 255}), c.Logit([]byte{0, 0, 0})
	if in < 2 || out > -2 {
		t.Fatalf("white has %.1f, black %.1f", in, out)
	}
	return c, float64(min(in, float32(tuned.Look.ColourClip)))
}

// What rests with the scene while an object moves is left out, unless it has the object's colours; where all rests at once in these, it has
// stopped.
func TestWhatRestsIsNotTheObject(t *testing.T) {
	const w, h = 200, 20
	colours, odds := gaudy(t)
	for _, c := range []struct {
		what       string
		speed      float64 // that it had
		move, rest int     // vectors
		bright     bool    // those that rest have its colours
		kept       int
		resting    float64
	}{
		{what: "a tree in front of a part", speed: 5, move: 12, rest: 8, kept: 12, resting: 0.4},
		{what: "a tree in front of all", speed: 5, rest: 20, kept: 0, resting: 1},
		{what: "a foot on the ground", speed: 5, move: 15, rest: 5, bright: true, kept: 20},
		{what: "it stops", speed: 5, rest: 20, bright: true, kept: 20},
		{what: "it is slow", speed: 2, move: 10, rest: 10, kept: 20},
		{what: "nothing rests", speed: 5, move: 20, kept: 20},
	} {
		e := still(w, h, 0, 1, 0)
		m := newTrack(square(0, 0, 20), 1)
		m.pace = pace{speed: [2]float64{c.speed, 0}, steady: tuned.SteadyAfter, usual: 20, colour: odds}
		var ps []motion.Pair
		for i := range c.move + c.rest {
			x, d := float64(5+8*i), 1.0
			bright := c.bright
			if i < c.move {
				d, bright = 1+c.speed, true
			}
			ps = append(ps, motion.Pair{X: x, Y: 10, U: x + d, V: 10, W: 4})
			for k := 0; bright && k < 3*w*h; k += 3 * w { // a column five pixels wide
				for j := range 15 {
					e.BGR[k+3*(int(x+d)-2)+j] = 255
				}
			}
		}
		got, resting := m.own(tuned, ps, e, colours)
		if len(got) != c.kept || math.Abs(resting-c.resting) > 1e-9 {
			t.Errorf("%s: %d vectors are its own and %.2f rest, want %d and %.2f", c.what, len(got), resting, c.kept, c.resting)
		}
		if m.steady == 0 {
			t.Errorf("%s: taken for a stop", c.what)
		}
	}
}

// An object whose vectors all rest at once, in colours that are dull for it but its own, has stopped; few vectors in such colours are what
// shows beside something in front.
func TestAStopIsToldFromACover(t *testing.T) {
	colours, odds := gaudy(t)
	for _, c := range []struct {
		n    int
		stop bool
	}{{20, true}, {13, true}, {9, false}, {3, false}} {
		e := still(200, 20, 255, 0, 0)
		m := newTrack(square(0, 0, 20), 1)
		// White is two thirds of its usual colours: not its own by itself.
		m.pace = pace{speed: [2]float64{0, 6}, steady: tuned.SteadyAfter, usual: 20, colour: 1.5 * odds}
		var ps []motion.Pair
		for i := range c.n {
			ps = append(ps, motion.Pair{X: float64(5 + 8*i), Y: 10, U: float64(5 + 8*i), V: 10, W: 4})
		}
		kept, _ := m.own(tuned, ps, e, colours)
		if stopped := m.steady == 0 && m.speed == [2]float64{}; stopped != c.stop || stopped != (len(kept) == c.n) {
			t.Errorf("%d vectors of 20 at rest: stopped %v, %d kept, want %v", c.n, stopped, len(kept), c.stop)
		}
	}
}

func TestSpeedIsAgainstTheScene(t *testing.T) {
	m := newTrack(square(10, 10, 8), 1)
	m.speed = [2]float64{2, -1}
	if dx, dy := m.expected(still(60, 40, 0, -7, 3)); dx != -5 || dy != 2 {
		t.Errorf("a camera that pans leads to expect %.0f, %.0f, want -5, 2", dx, dy)
	}
}

func TestASpeedFollowsWhatIsMeasuredByItsWeight(t *testing.T) {
	p := pace{}
	for range 40 {
		p.measured(tuned, 4, -2, 1)
	}
	if math.Hypot(p.speed[0]-4, p.speed[1]+2) > 0.01 || p.steady != 40 {
		t.Errorf("after 40 steps of 4, -2: %v, %d frames", p.speed, p.steady)
	}
	was := p.speed
	if p.measured(tuned, 100, 0, 0); p.speed != was {
		t.Errorf("a step of no weight changes it to %v", p.speed)
	}
}

func TestFewVectorsAreHeldToTheSpeed(t *testing.T) {
	for _, c := range []struct {
		n             int
		inliers, want float64 // share of the way from the speed, 2 pixels a frame, to the fit, 10
	}{{0, 0, 0}, {3, 0, 0}, {3, 1, 0.5}, {3, 0.5, 1. / 3}, {12, 1, 0.8}} {
		m := newTrack(square(10, 10, 8), 1)
		m.speed, m.steady = [2]float64{2, 0}, tuned.SteadyAfter
		m.last = motion.Fit{Affine: motion.Shift(10, 0), Pairs: c.n, Inliers: c.inliers}
		weight := m.coast(tuned, still(60, 40, 0, 0, 0))
		if math.Abs(weight-c.want) > 1e-9 {
			t.Errorf("%d vectors, %.1f of them inliers, weigh %.3f, want %.3f", c.n, c.inliers, weight, c.want)
		}
		x0, y0 := m.Center()
		x, y := m.last.At(x0, y0)
		if want := 2 + 8*c.want; math.Abs(x-x0-want) > 1e-9 || math.Abs(y-y0) > 1e-9 {
			t.Errorf("%d vectors, %.1f of them inliers, move it by %.2f, %.2f, want %.2f", c.n, c.inliers, x-x0, y-y0, want)
		}
	}
}

// A vector that keeps the object's speed weighs as before; one that has another weighs the less the more it differs.
func TestVectorsThatKeepTheSpeedWeighMore(t *testing.T) {
	m := newTrack(square(10, 10, 8), 1)
	m.speed = [2]float64{3, 0}
	ps := []motion.Pair{{X: 12, Y: 12, U: 15, V: 12, W: 1}, {X: 12, Y: 12, U: 13, V: 12, W: 1}, {X: 12, Y: 12, U: 5, V: 12, W: 1}}
	m.favour(tuned, ps, still(60, 40, 0, 0, 0))
	if ps[0].W != 1 || ps[1].W <= ps[2].W || ps[1].W >= 1 || ps[2].W > 0.1 {
		t.Errorf("weights %.3f, %.3f, %.3f", ps[0].W, ps[1].W, ps[2].W)
	}
}

// An object that stops at once is left with no speed, not with one backwards.
func TestAStopLeavesNoSpeed(t *testing.T) {
	colours, odds := gaudy(t)
	tr := New(Options{}, &rest{})
	white := frame.New(60, 40)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	for seq := uint64(1); seq <= 2; seq++ {
		white.Seq = seq
		if err := tr.Step(white); err != nil {
			t.Fatal(err)
		}
	}
	o := &object{state: seg.Tracking}
	o.Colours = *colours
	o.track = newTrack(square(10, 10, 20), 1)
	o.track.pace = pace{speed: [2]float64{5, 0}, steady: tuned.SteadyAfter, usual: 20, colour: 1.5 * odds}
	tr.move(o, tr.scene.Last())
	if d := o.track.speed; math.Abs(d[0]) > 1e-6 || math.Abs(d[1]) > 1e-6 {
		t.Errorf("it stopped, and is left with a speed of %.2f, %.2f", d[0], d[1])
	}
}

// rest is a flow in which nothing moves.
type rest struct{}

func (*rest) Step(_, _ *motion.Gray, _ []motion.Pixel, dst []motion.Vector) error {
	for i := range dst {
		dst[i] = motion.Vector{OK: true}
	}
	return nil
}
