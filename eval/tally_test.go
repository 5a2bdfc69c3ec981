package eval

import (
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/seg"
)

// measured is a picture with one object whose first click scored iou.
func measured(set string, iou float64, size int) *sample {
	f, _ := scene(0)
	truth := square(100, 100, image.Rect(0, 0, size, size))
	s := &session{truth: truth, prompt: click, row: row{ious: []float64{iou, (1 + iou) / 2}, oracle: iou, box: 0.5, baseClick: 0.1, baseBox: 0.2}, first: truth}
	return &sample{item: &dataset.Item{Set: set, Name: fmt.Sprint(iou)}, frame: f, sessions: []*session{s}, input: 160}
}

func TestSizesAreSharesOfThePicture(t *testing.T) {
	for size, want := range map[int]string{14: "small", 15: "medium", 31: "medium", 32: "large"} { // 1.96, 2.25, 9.61, 10.24 %
		if got := sizeOf(square(100, 100, image.Rect(0, 0, size, size))); got != want {
			t.Errorf("%d of 100: %s, want %s", size, got, want)
		}
	}
}

func TestClicksToAnIoU(t *testing.T) {
	r := &row{ious: []float64{0.5, 0.9, 0.86}}
	for iou, want := range map[float64]float64{0.4: 1, 0.85: 2, 0.9: 2, 0.95: 3} {
		if got := r.clicksTo(iou); got != want {
			t.Errorf("%v: %v clicks, want %v", iou, got, want)
		}
	}
}

func TestTallyKeepsTheWorstAndTheBest(t *testing.T) {
	tally := newTally(&ClicksOptions{Clicks: 2, Cases: 3, Baseline: &halves{}})
	for i, iou := range []float64{0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.1} {
		tally.add(measured([]string{"a", "b"}[i%2], iou, 20))
	}
	tally.add(&sample{}) // without an object it counts for nothing
	r, err := tally.result()
	if err != nil {
		t.Fatal(err)
	}
	ious := func(list []example) (out []float64) {
		for _, e := range list {
			out = append(out, e.iou)
		}
		return out
	}
	if worst, best := ious(r.worst), ious(r.best); !slices.Equal(worst, []float64{0.1, 0.1, 0.2}) || !slices.Equal(best, []float64{0.9, 0.8, 0.7}) {
		t.Errorf("worst %v, best %v", worst, best)
	}
	if r.worst[0].label != "0.10" || r.worst[0].frame.Width != sceneW || r.worst[0].click != click.Clicks[0].Point {
		t.Errorf("%+v", r.worst[0])
	}
	if r.Images != 8 || r.Objects != 8 || r.Input != 160 || math.Abs(r.MIoU[0]-0.45) > 1e-12 || math.Abs(r.MIoU[1]-0.725) > 1e-12 {
		t.Errorf("%+v", r)
	}
	if r.Sets["a"].Objects != 4 || math.Abs(r.Sets["b"].MIoU[0]-0.175) > 1e-12 || len(r.Sizes) != 1 || math.Abs(*r.BaselineClick-0.1)+math.Abs(*r.BaselineBox-0.2) > 1e-12 {
		t.Errorf("sets %+v, sizes %+v", r.Sets, r.Sizes)
	}
	if _, err := newTally(&ClicksOptions{}).result(); err == nil {
		t.Error("a mean over nothing")
	}
}

// TestAFewCasesAreNotBothWorstAndBest has three objects and room for five each.
func TestAFewCasesAreNotBothWorstAndBest(t *testing.T) {
	tally := newTally(&ClicksOptions{Clicks: 2, Cases: 5})
	for _, iou := range []float64{0.2, 0.6, 0.4} {
		tally.add(measured("a", iou, 20))
	}
	r, err := tally.result()
	if err != nil || len(r.worst) != 1 || len(r.best) != 2 || r.worst[0].iou != 0.2 || r.best[1].iou != 0.4 {
		t.Errorf("worst %d, best %d, %v", len(r.worst), len(r.best), err)
	}
}

func TestLayOut(t *testing.T) {
	f, l := scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red})
	wide := tile{label: "wide", frame: f, mask: l.Mask(1), truth: l.Mask(1), click: seg.Point{X: 1, Y: 1}}
	small := tile{frame: thumbnail(f, 80, 80), click: seg.Point{X: 0.5, Y: 0.5}}
	sheet, err := layOut([][]tile{{wide, small}, {small, small, small}})
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 3*80+2*gap, sceneH+gap+60); sheet.Rect != want {
		t.Errorf("%v, want %v", sheet.Rect, want)
	}
	green := func(x, y int) bool { c := sheet.RGBAAt(x, y); return c.R == 60 && c.G == 230 && c.B == 60 }
	if !green(sceneW-1, sceneH-1) || !green(sceneW+gap+40, 30) || !green(2*(80+gap)+40, sceneH+gap+30) {
		t.Error("a click is missing, or lies elsewhere")
	}
	if c := sheet.RGBAAt(39, 60); c.R != 255 || c.G != 255 || c.B != 255 {
		t.Errorf("the truth's outline is %v", c)
	}
	if c := sheet.RGBAAt(sceneW+2, 10); c.R != 0 || c.A != 255 {
		t.Errorf("the gap is %v", c)
	}
}
