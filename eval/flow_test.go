package eval

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

func close4(a, b similarity) bool {
	return math.Abs(a.a-b.a)+math.Abs(a.b-b.b)+math.Abs(a.tx-b.tx)+math.Abs(a.ty-b.ty) < 1e-3
}

func TestSimilarityAlgebra(t *testing.T) {
	s, u := similarity{1.1, 0.2, 3, -4}, similarity{0.9, -0.3, 1, 2}
	x, y := u.at(5, 7)
	x, y = s.at(x, y)
	if cx, cy := s.after(u).at(5, 7); math.Abs(cx-x)+math.Abs(cy-y) > 1e-9 {
		t.Errorf("composed: %v, %v; want %v, %v", cx, cy, x, y)
	}
	if !close4(s.after(s.inverse()), similarity{a: 1}) {
		t.Errorf("inverse: %+v", s.inverse())
	}
}

// TestFitSimilarity moves points by a known similarity, a quarter of them by something else.
func TestFitSimilarity(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	want := similarity{1.02, 0.05, 2, -1}
	var pts []motion.Pixel
	var moves []motion.Vector
	for i := range 80 {
		p := motion.Pixel{X: float32(r.Float64() * 100), Y: float32(r.Float64() * 100)}
		x, y := want.at(float64(p.X), float64(p.Y))
		d := motion.Pixel{X: float32(x) - p.X, Y: float32(y) - p.Y}
		if i%4 == 0 {
			d = motion.Pixel{X: -9, Y: 12}
		}
		pts, moves = append(pts, p), append(moves, motion.Vector{D: d, OK: i%10 != 3})
	}
	if got := fitSimilarity(pts, moves); !close4(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := fitSimilarity(pts[:2], moves[:2]); got != (similarity{a: 1}) {
		t.Errorf("two vectors: %+v", got)
	}
	if got := fitSimilarity(nil, nil); got != (similarity{a: 1}) {
		t.Errorf("none: %+v", got)
	}
	same := []motion.Pixel{{X: 5, Y: 5}, {X: 5, Y: 5}, {X: 5, Y: 5}}
	one := motion.Vector{D: motion.Pixel{X: 3, Y: 1}, OK: true}
	if got := fitSimilarity(same, []motion.Vector{one, one, one}); got != (similarity{1, 0, 3, 1}) {
		t.Errorf("one place: %+v", got)
	}
	burst := []motion.Vector{{D: motion.Pixel{X: -40}, OK: true}, {D: motion.Pixel{X: 40}, OK: true}, {OK: true}}
	if got := fitSimilarity([]motion.Pixel{{X: 0}, {X: 10}, {X: 5}}, burst); math.Hypot(got.a, got.b) != 1 {
		t.Errorf("a burst is no motion: %+v", got)
	}
}

func TestSpread(t *testing.T) {
	m := square(50, 40, image.Rect(10, 10, 40, 30))
	pts := spread(m, 100)
	if len(pts) < 100 || len(pts) > 110 {
		t.Errorf("%d points", len(pts))
	}
	for _, p := range pts {
		if m.At(int(p.X), int(p.Y)) != 1 {
			t.Errorf("%v lies outside", p)
		}
	}
	if pts := spread(&seg.Mask{W: 4, H: 4}, 9); len(pts) != 0 {
		t.Errorf("%d points of nothing", len(pts))
	}
}

// refusing is a flow that fails.
type refusing struct{}

func (refusing) Step(*motion.Gray, *motion.Gray, []motion.Pixel, []motion.Vector) error {
	return errors.New("no flow")
}

func TestFlowAloneClosesWhatItOpened(t *testing.T) {
	closed := 0
	open := FlowAlone(nil, func() (motion.Flow, func() error, error) {
		return refusing{}, func() error { closed++; return nil }, nil
	})
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	pic := frame.New(32, 32)
	if err := f.Start(pic, PromptFor(PromptMask, square(32, 32, image.Rect(8, 8, 24, 24)))); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Next(pic); err == nil {
		t.Error("an error of the flow was lost")
	}
	if err := f.Close(); err != nil || closed != 1 {
		t.Errorf("closed %d times, %v", closed, err)
	}
	bad := errors.New("none left")
	if _, err := FlowAlone(nil, func() (motion.Flow, func() error, error) { return nil, nil, bad })(); !errors.Is(err, bad) {
		t.Error(err)
	}
	if _, err := Product(ProductOptions{Flow: func() (motion.Flow, func() error, error) { return nil, nil, bad }})(); !errors.Is(err, bad) {
		t.Error(err)
	}
}
