package grounding

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// oneBox is a detector that sees boxes of known classes in the input's pixels.
type oneBox struct {
	size  int64
	boxes []truth
	seen  []float32
}

type truth struct {
	x0, y0, x1, y1 float64
	class          int
	score          float32
}

func (g *oneBox) Inputs() []inference.Port {
	return []inference.Port{{Name: "images", Type: "float32", Shape: []int64{1, 3, g.size, g.size}}}
}

func (g *oneBox) cells() int64 {
	s := g.size
	return s/8*(s/8) + s/16*(s/16) + s/32*(s/32)
}

func (g *oneBox) Outputs() []inference.Port {
	return []inference.Port{{Name: "output", Type: "float32", Shape: []int64{1, g.cells(), row}}}
}

// Run writes each box into the stride-8 cell under its centre, as YOLOX codes it.
func (g *oneBox) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	g.seen = in[0].Float32
	out := make([]float32, g.cells()*row)
	for _, b := range g.boxes {
		cx, cy := (b.x0+b.x1)/2, (b.y0+b.y1)/2
		x, y := int(cx/8), int(cy/8)
		cell := out[(y*int(g.size/8)+x)*row:]
		cell[0], cell[1] = float32(cx/8-float64(x)), float32(cy/8-float64(y))
		cell[2], cell[3] = float32(math.Log((b.x1-b.x0)/8)), float32(math.Log((b.y1-b.y0)/8))
		cell[4], cell[5+b.class] = 1, b.score
	}
	return []inference.Tensor{{Name: "output", Float32: out}}, func() {}, nil
}

func (g *oneBox) Close() error { return nil }

func TestBoxesComeBackInTheFrame(t *testing.T) {
	// A 640×320 frame scales by 0.5 into 320: the box 40..120 × 20..80 of the input is 80..240 × 40..160 of the frame.
	dog, cup := slices.Index(classes, "dog"), slices.Index(classes, "cup")
	g := &oneBox{size: 320, boxes: []truth{
		{40, 20, 120, 80, dog, 0.9}, {50, 20, 130, 80, dog, 0.7}, {200, 100, 260, 140, dog, 0.5}, {10, 100, 30, 120, cup, 0.9}, {200, 20, 220, 40, dog, 0.1},
	}}
	d, err := New(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(640, 320)
	for i := range f.Pix {
		f.Pix[i] = byte(10 * (i % 3)) // B 0, G 10, R 20
	}
	boxes, _, err := d.Ground(t.Context(), nil, f, "dogs")
	if err != nil || len(boxes) != 2 {
		t.Fatalf("%v, %v", boxes, err)
	}
	want := seg.Box{X0: 80. / 640, Y0: 40. / 320, X1: 240. / 640, Y1: 160. / 320}
	if boxes[0].IoU(want) < 0.999 {
		t.Errorf("box %v, want %v", boxes[0], want)
	}
	plane := 320 * 320
	if g.seen[0] != 0 || g.seen[plane] != 10 || g.seen[2*plane] != 20 || g.seen[200*320] != 114 {
		t.Error("the input must be BGR at the top left and 114 elsewhere")
	}
}

// shaped is a graph with any contract.
type shaped struct {
	oneBox
	in, out []inference.Port
}

func (g *shaped) Inputs() []inference.Port  { return g.in }
func (g *shaped) Outputs() []inference.Port { return g.out }

func TestOtherGraphsAreRefused(t *testing.T) {
	good := &oneBox{size: 64}
	for name, g := range map[string]*shaped{
		"no inputs": {},
		"odd size":  {in: []inference.Port{{Shape: []int64{1, 3, 50, 50}}}, out: good.Outputs()},
		"dynamic":   {in: []inference.Port{{Shape: []int64{1, 3, -1, -1}}}, out: good.Outputs()},
		"few cells": {in: good.Inputs(), out: []inference.Port{{Shape: []int64{1, 10, row}}}},
		"classes":   {in: good.Inputs(), out: []inference.Port{{Shape: []int64{1, good.cells(), 25}}}},
	} {
		if _, err := New(g, Options{}); !errors.Is(err, errNoDetector) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// inTurn is a detector that sees something else at each look: the whole first, then the four parts.
type inTurn struct {
	oneBox
	looks [][]truth
}

func (g *inTurn) Run(ctx context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	g.boxes = nil
	if len(g.looks) > 0 {
		g.boxes, g.looks = g.looks[0], g.looks[1:]
	}
	return g.oneBox.Run(ctx, in)
}

// What is half as likely as it would have to be on the whole, and sure in an enlarged part whose edge cuts it off, is there.
func TestAPartSupportsAWeakBox(t *testing.T) {
	dog := slices.Index(classes, "dog")
	for _, c := range []struct {
		name        string
		whole, part float32
		at          float64 // of the part's dog, its left edge
		want        int
	}{
		{"weak, and sure from near", 0.25, 0.65, 96, 1},
		{"hardly likely at all", 0.1, 0.65, 96, 0},
		{"not sure from near either", 0.25, 0.32, 96, 0},
		{"sure, but elsewhere", 0.25, 0.65, 260, 0},
	} {
		g := &inTurn{oneBox: oneBox{size: 320}, looks: [][]truth{
			{{57, 16, 192, 205, dog, c.whole}}, {{c.at, 27, 319, 319, dog, c.part}},
		}}
		d, err := New(g, Options{})
		if err != nil {
			t.Fatal(err)
		}
		boxes, _, err := d.Ground(t.Context(), nil, frame.New(640, 640), "dog")
		if err != nil || len(boxes) != c.want {
			t.Errorf("%s: %v, %v", c.name, boxes, err)
		}
		if len(boxes) == 1 && boxes[0].IoU(seg.Box{X0: 114. / 640, Y0: 32. / 640, X1: 384. / 640, Y1: 410. / 640}) < 0.99 {
			t.Errorf("%s: %v", c.name, boxes[0])
		}
	}
}
