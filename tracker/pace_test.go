package tracker

import (
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// gaudy is a palette in which bright pixels are the object's, at log odds of 2, and dark ones are not, at −2.
func gaudy() *palette {
	c := &palette{odds: make([]int8, paletteBins), ready: true}
	for i := range c.odds {
		c.odds[i] = -2 * paletteScale
	}
	c.odds[bin([]byte{255, 255, 255})] = 2 * paletteScale
	return c
}

// What rests with the scene while an object moves is left out, unless it has the object's colours; where all rests at once in these, it has stopped.
func TestWhatRestsIsNotTheObject(t *testing.T) {
	const w, h = 200, 20
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
		e := &motion.Entry{Gray: motion.Gray{W: w, H: h}, BGR: make([]byte, 3*w*h), Scene: motion.Fit{Affine: motion.Shift(1, 0)}}
		tr := newTrack(square(0, 0, 20), 1)
		tr.pace = pace{drift: [2]float64{c.speed, 0}, steady: steadyAfter, usual: 20, hue: 2}
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
		got := tr.own(ps, e, gaudy())
		if len(got) != c.kept || math.Abs(tr.resting-c.resting) > 1e-9 {
			t.Errorf("%s: %d vectors are its own and %.2f rest, want %d and %.2f", c.what, len(got), tr.resting, c.kept, c.resting)
		}
		if tr.steady == 0 {
			t.Errorf("%s: taken for a stop", c.what)
		}
	}
}

// An object whose vectors all rest at once, in colours that are dull for it but its own, has stopped; few vectors in such colours are what shows
// beside something in front.
func TestAStopIsToldFromACover(t *testing.T) {
	const w, h = 200, 20
	white := make([]byte, 3*w*h)
	for i := range white {
		white[i] = 255
	}
	for _, c := range []struct {
		n    int
		stop bool
	}{{20, true}, {13, true}, {11, false}, {3, false}} {
		e := &motion.Entry{Gray: motion.Gray{W: w, H: h}, BGR: white, Scene: motion.Fit{Affine: motion.Identity}}
		tr := newTrack(square(0, 0, 20), 1)
		tr.pace = pace{drift: [2]float64{0, 6}, steady: steadyAfter, usual: 20, hue: 3} // 2 is two thirds of it: not its own by itself
		var ps []motion.Pair
		for i := range c.n {
			ps = append(ps, motion.Pair{X: float64(5 + 8*i), Y: 10, U: float64(5 + 8*i), V: 10, W: 4})
		}
		kept := tr.own(ps, e, gaudy())
		if stopped := tr.steady == 0 && tr.drift == [2]float64{}; stopped != c.stop || stopped != (len(kept) == c.n) {
			t.Errorf("%d vectors of 20 at rest: stopped %v, %d kept, want %v", c.n, stopped, len(kept), c.stop)
		}
	}
}

func TestSpeedIsAgainstTheScene(t *testing.T) {
	tr := newTrack(square(10, 10, 8), 1)
	tr.drift = [2]float64{2, -1}
	if dx, dy := tr.expected(&motion.Entry{Scene: motion.Fit{Affine: motion.Shift(-7, 3)}}); dx != -5 || dy != 2 {
		t.Errorf("a camera that pans leads to expect %.0f, %.0f, want -5, 2", dx, dy)
	}
}

// An object that stops at once is left with no speed, not with one backwards.
func TestAStopLeavesNoSpeed(t *testing.T) {
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
	o := &object{state: seg.Tracking, appearance: appearance{paint: *gaudy()}}
	o.track = newTrack(square(10, 10, 20), 1)
	o.track.pace = pace{drift: [2]float64{5, 0}, steady: steadyAfter, usual: 20, hue: 3}
	tr.move(o, tr.scene.Last())
	if d := o.track.drift; math.Abs(d[0]) > 1e-6 || math.Abs(d[1]) > 1e-6 {
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
