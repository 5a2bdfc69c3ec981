package provider

import (
	"context"
	"errors"
	"time"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Report is what a check of a model found.
type Report struct {
	Family    string
	Status    Status
	Agreement Agreement // with the graph as the file has it, on the CPU
	Encode    time.Duration
	Decode    time.Duration // one click
	Masks     int           // that a click on the test picture got
}

// checkRounds are timed after one that is not, and the quickest counts: the others tell about the machine.
const checkRounds = 3

// Check opens a model as Open does, runs the test picture, and says how long it took and how well it agrees.
func Check(ctx context.Context, f inference.Factory, o Options, files ...inference.File) (r Report, err error) {
	o.Trusted = false
	m, err := Open(ctx, f, o, files...)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	reference, err := m.reference()
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, reference.Close()) }()
	r = Report{Family: m.family.Name, Status: m.Status()}
	if r.Agreement, err = Compare(ctx, reference, m); err != nil {
		return r, err
	}
	for i := range checkRounds + 1 {
		if err := r.round(ctx, m, i > 0); err != nil {
			return r, err
		}
	}
	return r, nil
}

// round times one picture and one click on it.
func (r *Report) round(ctx context.Context, m *Model, counts bool) (err error) {
	start := time.Now()
	e, err := m.Embed(ctx, TestPicture())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	embedded := time.Now()
	a, err := e.Decode(ctx, []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: 0.32, Y: 0.5}, Label: seg.Positive}}}})
	if err != nil {
		return err
	}
	if encode, decode := embedded.Sub(start), time.Since(embedded); counts && (r.Encode == 0 || encode+decode < r.Encode+r.Decode) {
		r.Encode, r.Decode, r.Masks = encode, decode, len(a[0].Candidates)
	}
	return nil
}
