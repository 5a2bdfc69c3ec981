package nanotrack

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// backbone passes the picture on, so that the head can look at it.
type backbone struct{ fail error }

func (backbone) Inputs() []inference.Port  { return []inference.Port{{Name: "input"}} }
func (backbone) Outputs() []inference.Port { return []inference.Port{{Name: "output"}} }
func (backbone) Close() error              { return nil }
func (b backbone) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	return in, func() {}, b.fail
}

// head answers where the brightest patch of the searched picture lies, with the template's box around it.
type head struct{ backbone }

func (head) Inputs() []inference.Port  { return []inference.Port{{Name: "input1"}, {Name: "input2"}} }
func (head) Outputs() []inference.Port { return []inference.Port{{Name: "output1"}, {Name: "output2"}} }
func (head) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	const n = cells * cells
	scores, ltrb := make([]float32, 2*n), make([]float32, 4*n)
	side := int(in[1].Shape[3])
	best, bx, by := float32(-1), 0, 0
	for y := 8; y < side-8; y += 2 {
		for x := 8; x < side-8; x += 2 {
			if v := in[1].Float32[y*side+x]; v > best {
				best, bx, by = v, x, y
			}
		}
	}
	for i := range n {
		x, y := (i%cells-cells/2)*stride+template, (i/cells-cells/2)*stride+template
		d := math.Hypot(float64(x-bx), float64(y-by))
		scores[n+i] = float32(4 - d/8)
		const half = 32
		ltrb[i], ltrb[n+i] = float32(x-bx+half), float32(y-by+half)
		ltrb[2*n+i], ltrb[3*n+i] = float32(bx-x+half), float32(by-y+half)
	}
	out := []inference.Tensor{
		{Shape: []int64{1, 2, cells, cells}, Float32: scores}, {Shape: []int64{1, 4, cells, cells}, Float32: ltrb},
	}
	return out, func() {}, nil
}

// picture has one bright spot on a dark ground.
func picture(x, y int) *frame.Frame {
	f := frame.New(320, 240)
	for j := range 240 {
		for i := range 320 {
			d := math.Hypot(float64(i-x), float64(j-y))
			p := f.Pix[j*f.Stride()+3*i:][:3]
			p[0], p[1], p[2] = 40, 50, byte(250*math.Exp(-d*d/200))
		}
	}
	return f
}

func TestFollowsTheHead(t *testing.T) {
	tr, err := New(Options{Backbone: backbone{}, Head: head{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := tr.Update(picture(100, 100)); !errors.Is(err, ErrNotStarted) {
		t.Errorf("an update before a box: %v", err)
	}
	if err := tr.Init(picture(100, 100), seg.Box{X0: 0.3, Y0: 0.3, X1: 0.301, Y1: 0.301}); err == nil {
		t.Error("a box without a pixel is accepted")
	}
	if err := tr.Init(picture(100, 100), seg.Box{X0: 80.0 / 320, Y0: 80.0 / 240, X1: 120.0 / 320, Y1: 120.0 / 240}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 12; n++ {
		x, y := 100+6*n, 100+3*n
		box, ok, err := tr.Update(picture(x, y))
		c := box.Center()
		if err != nil || !ok || math.Hypot(c.X*320-float64(x), c.Y*240-float64(y)) > 4 {
			t.Fatalf("frame %d: centre %.1f, %.1f, %v, %v, want %d, %d", n, c.X*320, c.Y*240, ok, err, x, y)
		}
		if tr.Score() < 0.5 {
			t.Errorf("frame %d: score %.2f", n, tr.Score())
		}
	}
}

func TestRefusesOtherGraphsAndPassesErrorsOn(t *testing.T) {
	if _, err := New(Options{Backbone: backbone{}, Head: backbone{}}); !errors.Is(err, errGraph) {
		t.Errorf("a head with one input: %v", err)
	}
	broken := errors.New("broken")
	tr, err := New(Options{Backbone: backbone{broken}, Head: head{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Init(picture(50, 50), seg.Box{X1: 0.5, Y1: 0.5}); !errors.Is(err, broken) {
		t.Errorf("a backbone that fails: %v", err)
	}
}

// The window keeps a far look-alike from winning, and size follows slowly (OpenCV's TrackerNano).
func TestTheWindowFavoursTheOldPlace(t *testing.T) {
	tr := &Tracker{cx: 100, cy: 100, w: 40, h: 40}
	for i := range tr.hann {
		tr.hann[i] = hann(i/cells) * hann(i%cells)
	}
	scores, ltrb := make([]float32, 2*cells*cells), make([]float32, 4*cells*cells)
	for i := range ltrb {
		ltrb[i] = 32
	}
	for i := range cells * cells {
		scores[i] = 8
	}
	const n = cells * cells
	near, far := 8*cells+8, 1*cells+1
	scores[near], scores[n+near] = 0, 3
	scores[far], scores[n+far] = 0, 3.2
	tr.follow(scores, ltrb, template/tr.span(), 320, 240)
	if math.Hypot(tr.cx-100, tr.cy-100) > 5 {
		t.Errorf("jumped to %.1f, %.1f", tr.cx, tr.cy)
	}
}
