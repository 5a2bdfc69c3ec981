package eval

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// ClicksResult is how well clicks are answered. Means are over objects.
type ClicksResult struct {
	Method string `json:"method"`
	Input  int    `json:"input,omitempty"` // longest side that the model saw, pixels
	Images int    `json:"images"`
	// BaselineInput is the longest side that the baseline saw, if there is one.
	BaselineInput int `json:"baseline_input,omitempty"`
	Answers
	Sets  map[string]Answers `json:"sets"`
	Sizes map[string]Answers `json:"sizes"` // small: below 2 % of the picture, large: above 10 %, medium

	worst, best []example
}

// Answers are the mean scores of some objects.
type Answers struct {
	Objects int       `json:"objects"`
	MIoU    []float64 `json:"miou"`    // IoU after 1, 2, … clicks
	Oracle1 float64   `json:"oracle1"` // IoU of the best candidate for one click
	NoC85   float64   `json:"noc85"`   // clicks to IoU 0.85; an object that never gets there counts the most allowed
	NoC90   float64   `json:"noc90"`
	Box     float64   `json:"box"` // IoU from a tight box
	// The baseline's IoU from the same first click and box, if there is one.
	BaselineClick *float64 `json:"baseline_click,omitempty"`
	BaselineBox   *float64 `json:"baseline_box,omitempty"`
}

// row is the scores of one object.
type row struct {
	ious               []float64
	oracle             float64 // best of the candidates for the first click
	box                float64
	baseClick, baseBox float64
}

// example is a case worth looking at.
type example struct {
	iou float64
	tile
}

// tally gathers scores.
type tally struct {
	o           *ClicksOptions
	images      int
	input, base int
	all         []row
	sets, sizes map[string][]row
	worst, best []example // the worst and the best first
}

func newTally(o *ClicksOptions) *tally {
	return &tally{o: o, sets: map[string][]row{}, sizes: map[string][]row{}}
}

// add takes the scores of a picture's objects.
func (t *tally) add(p *sample) {
	if len(p.sessions) == 0 {
		return
	}
	t.images++
	t.input, t.base = max(t.input, p.input), max(t.base, p.baseline)
	for _, s := range p.sessions {
		set, size := p.item.Set, sizeOf(s.truth)
		t.all, t.sets[set], t.sizes[size] = append(t.all, s.row), append(t.sets[set], s.row), append(t.sizes[size], s.row)
		t.keep(p.frame, s)
	}
}

func sizeOf(m *seg.Mask) string {
	switch a := m.Area(); {
	case a < 0.02:
		return "small"
	case a <= 0.10:
		return "medium"
	}
	return "large"
}

func (t *tally) result() (*ClicksResult, error) {
	if len(t.all) == 0 {
		return nil, errors.New("eval clicks: no object in the data is large enough to be measured")
	}
	// With few objects the worst and the best meet: the better half is no worst case.
	t.worst, t.best = t.worst[:min(len(t.worst), len(t.all)/2)], t.best[:min(len(t.best), (len(t.all)+1)/2)]
	r := &ClicksResult{
		Method: t.o.Method, Input: t.input, BaselineInput: t.base, Images: t.images, Answers: t.answers(t.all), worst: t.worst, best: t.best,
		Sets: map[string]Answers{}, Sizes: map[string]Answers{},
	}
	for name, rows := range t.sets {
		r.Sets[name] = t.answers(rows)
	}
	for name, rows := range t.sizes {
		r.Sizes[name] = t.answers(rows)
	}
	return r, nil
}

// answers are the means over rows.
func (t *tally) answers(rows []row) Answers {
	of := func(value func(r *row) float64) float64 {
		sum := 0.0
		for i := range rows {
			sum += value(&rows[i])
		}
		return sum / float64(len(rows))
	}
	a := Answers{
		Objects: len(rows), Oracle1: of(func(r *row) float64 { return r.oracle }), Box: of(func(r *row) float64 { return r.box }),
		NoC85: of(func(r *row) float64 { return r.clicksTo(0.85) }), NoC90: of(func(r *row) float64 { return r.clicksTo(0.90) }),
	}
	for n := range t.o.Clicks {
		a.MIoU = append(a.MIoU, of(func(r *row) float64 { return r.ious[n] }))
	}
	if t.o.Baseline != nil {
		click, box := of(func(r *row) float64 { return r.baseClick }), of(func(r *row) float64 { return r.baseBox })
		a.BaselineClick, a.BaselineBox = &click, &box
	}
	return a
}

// clicksTo is the number of clicks after which the IoU is reached, or all.
func (r *row) clicksTo(iou float64) float64 {
	n := slices.IndexFunc(r.ious, func(v float64) bool { return v >= iou })
	if n < 0 {
		return float64(len(r.ious))
	}
	return float64(n + 1)
}

// keep remembers the case if it is among the worst or the best so far by its first click.
func (t *tally) keep(f *frame.Frame, s *session) {
	e := example{s.ious[0], tile{label: fmt.Sprintf("%.2f", s.ious[0]), mask: s.first, truth: s.truth, click: s.prompt.Clicks[0].Point}}
	place := func(list []example, before func(a, b float64) bool) []example {
		i, _ := slices.BinarySearchFunc(list, e, func(a, b example) int {
			if before(a.iou, b.iou) || a.iou == b.iou {
				return -1
			}
			return 1
		})
		if i >= t.o.Cases {
			return list
		}
		if e.frame == nil {
			e.frame = thumbnail(f, tileW, tileH)
		}
		return slices.Insert(list, i, e)[:min(len(list)+1, t.o.Cases)]
	}
	t.worst = place(t.worst, cmp.Less)
	t.best = place(t.best, func(a, b float64) bool { return cmp.Less(b, a) })
}
