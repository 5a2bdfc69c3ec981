package motion

import (
	"errors"
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// push is a flow in which the left half of the picture moves by left and the right one by right, and which counts the points that it was
// asked about.
type push struct {
	left, right Pixel
	points      int
	err         error
}

func (p *push) Step(prev, _ *Gray, pts []Pixel, dst []Vector) error {
	p.points = len(pts)
	for i := range dst {
		d := p.left
		if pts[i].X > float32(prev.W)/2 {
			d = p.right
		}
		dst[i] = Vector{D: d, OK: true}
	}
	return p.err
}

// show takes the next frame and measures its motion.
func show(t *testing.T, s *Scene, seq uint64, closer ...Pixel) *Entry {
	t.Helper()
	f := frame.New(192, 108)
	f.Seq = seq
	if resized, err := s.Check(f); err != nil || resized {
		t.Fatalf("frame %d: %v, %v", seq, resized, err)
	}
	e, last := s.Take(f)
	if last != nil {
		if err := s.Measure(last, e, closer); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func small(flow Flow) *Scene {
	return NewScene(Options{Width: 192, Frames: 8, Points: 400}, tuned, flow)
}

func TestASceneMeasuresTheMotionOfItsWhole(t *testing.T) {
	p := &push{left: Pixel{2, 1}, right: Pixel{2, 1}}
	s := small(p)
	if e := show(t, s, 1); len(e.Vectors) != 0 || e.Scene.Affine != Identity {
		t.Errorf("the first frame has %d vectors and moves by %+v", len(e.Vectors), e.Scene)
	}
	e := show(t, s, 3, Pixel{5, 5}, Pixel{6, 5})
	if x, y := e.Scene.At(50, 50); math.Hypot(x-52, y-51) > 0.02 || e.Scene.Inliers < 0.99 {
		t.Errorf("it moves by %+v", e.Scene)
	}
	if grid := len(gridPoints(nil, 192, 108, e.Spacing)); len(e.Points) != grid+2 || p.points != grid+2 {
		t.Errorf("%d points on a grid of %d, and %d measured, want 2 more", len(e.Points), grid, p.points)
	}
	if e.Gray.W != 192 || len(e.BGR) != 3*192*108 || e.Gray.Stamp == 0 {
		t.Errorf("the picture is %d wide with %d bytes of colour", e.Gray.W, len(e.BGR))
	}
}

func TestASceneRefusesOldFramesAndSaysWhenTheSizeChanges(t *testing.T) {
	s := small(&push{})
	show(t, s, 5)
	f := frame.New(96, 54)
	f.Seq = 5
	if _, err := s.Check(f); !errors.Is(err, ErrOrder) {
		t.Errorf("the same frame again: %v", err)
	}
	f.Seq = 6
	if resized, err := s.Check(f); err != nil || !resized {
		t.Errorf("another size: %v, %v", resized, err)
	}
	s.Clear()
	if resized, err := s.Check(f); err != nil || resized {
		t.Errorf("the first of another size: %v, %v", resized, err)
	}
}

func TestAFrameWhoseMotionFailsIsDropped(t *testing.T) {
	p := &push{}
	s := small(p)
	show(t, s, 1)
	p.err = errors.New("no flow")
	f := frame.New(192, 108)
	f.Seq = 2
	e, last := s.Take(f)
	if err := s.Measure(last, e, nil); !errors.Is(err, p.err) {
		t.Errorf("the flow's error comes back as %v", err)
	}
	if s.Newest() != 1 || s.Len() != 1 {
		t.Errorf("the history ends at %d with %d entries", s.Newest(), s.Len())
	}
}

// A machine that misses frames measures at fewer points, never at less than the least share of them, and at all again once it keeps up.
func TestMissedFramesCostPoints(t *testing.T) {
	const most = 900
	p := &push{}
	s := NewScene(Options{Width: 384, Frames: 8, Points: most}, tuned, p)
	f := frame.New(384, 216)
	step := func(gap uint64) int {
		f.Seq += gap
		if e, last := s.Take(f); last != nil {
			if err := s.Measure(last, e, nil); err != nil {
				t.Fatal(err)
			}
		}
		return p.points
	}
	step(1)
	all := step(1)
	if once := step(2); once >= all || float64(once) < 0.6*float64(all) {
		t.Errorf("%d of %d points after one gap", once, all)
	}
	for range 50 {
		step(3)
	}
	if least := step(2); float64(least) > 1.1*shedLeast*most || float64(least) < 0.25*most {
		t.Errorf("%d points where every other frame is missed, of %d", least, all)
	}
	for range 250 {
		step(1)
	}
	if again := step(1); again != all {
		t.Errorf("%d points once no frame is missed, %d at first", again, all)
	}
}

func TestPointsAndBoxesArePropagatedByTheMotionAroundThem(t *testing.T) {
	s := small(&push{left: Pixel{1.92, 0}, right: Pixel{-0.96, 1.08}})
	for seq := range uint64(6) {
		show(t, s, seq+1)
	}
	for _, c := range []struct {
		what       string
		from, to   int
		x, y, u, v float64
	}{
		{"left, forward", 0, 5, 0.2, 0.5, 0.25, 0.5},
		{"left, back", 5, 0, 0.25, 0.5, 0.2, 0.5},
		{"right, forward", 0, 5, 0.8, 0.5, 0.775, 0.55},
		{"no way", 2, 2, 0.3, 0.3, 0.3, 0.3},
	} {
		q, trust := s.Point(seg.Point{X: c.x, Y: c.y}, c.from, c.to)
		if math.Hypot(q.X-c.u, q.Y-c.v) > 0.002 || trust < 0.99 {
			t.Errorf("%s: the point goes to %.3f, %.3f with trust %.2f, want %.3f, %.3f", c.what, q.X, q.Y, trust, c.u, c.v)
		}
		b, trust := s.Box(seg.Box{X0: c.x - 0.05, Y0: c.y - 0.05, X1: c.x + 0.05, Y1: c.y + 0.05}, c.from, c.to)
		if m := b.Center(); math.Hypot(m.X-c.u, m.Y-c.v) > 0.002 || trust < 0.99 || math.Abs(b.X1-b.X0-0.1) > 0.005 {
			t.Errorf("%s: the box goes to %+v with trust %.2f, want around %.3f, %.3f", c.what, b, trust, c.u, c.v)
		}
	}
	if q, trust := s.Point(seg.Point{X: 0.02, Y: 0.5}, 5, 0); trust != 0 || q.X != 0.02 {
		t.Errorf("a point that leaves the picture goes to %.3f, %.3f with trust %.2f, want it to stay, with none", q.X, q.Y, trust)
	}
	if b, trust := s.Box(seg.Box{X0: -0.3, Y0: 0.4, X1: -0.1, Y1: 0.5}, 0, 5); trust != 0 || b.X0 != -0.3 {
		t.Errorf("a box that leaves nothing in the picture goes to %+v with trust %.2f", b, trust)
	}
}

// Where nothing was found around a place, the picture's own motion carries it, and each step costs trust.
func TestWithoutVectorsTheWholeCarriesAndTrustFalls(t *testing.T) {
	s := small(&push{left: Pixel{1.92, 0}, right: Pixel{1.92, 0}})
	for seq := range uint64(3) {
		show(t, s, seq+1)
	}
	for i := range s.Len() {
		for j := range s.At(i).Vectors {
			s.At(i).Vectors[j].OK = false
		}
	}
	q, trust := s.Point(seg.Point{X: 0.5, Y: 0.5}, 0, 2)
	if math.Abs(q.X-0.52) > 1e-3 || math.Abs(trust-0.81) > 1e-9 {
		t.Errorf("it goes to %.3f with trust %.2f, want 0.52 with 0.81", q.X, trust)
	}
}

func TestASceneAllocatesNothingInSteadyState(t *testing.T) {
	s := small(&push{left: Pixel{1, 0}})
	frames := [2]*frame.Frame{frame.New(192, 108), frame.New(192, 108)}
	seq := uint64(0)
	step := func() {
		seq++
		f := frames[seq%2]
		f.Seq = seq
		if e, last := s.Take(f); last != nil {
			if err := s.Measure(last, e, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 * len(s.ring) {
		step()
	}
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("a frame allocates %.0f times", n)
	}
}
