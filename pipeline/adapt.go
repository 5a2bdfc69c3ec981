package pipeline

import (
	"slices"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// adapt leaves out of a query what the model cannot take, where the object is known well enough without: a carried mask becomes its box; of
// what was said to an earlier model, negative points, the oldest of too many, boxes and phrases go. said is the prompt that a person waits
// for, nil for a routine query. What a person asked in so many words is never left out silently: the query stays as it is then, and the
// model refuses it by name.
func adapt(q tracker.Query, i *inference.Info, said *seg.Prompt) tracker.Query {
	p, k := &q.Prompt, i.Kinds
	if p.Mask != nil && !k.Mask {
		if box := p.Mask.Box(seg.Threshold); p.Box == nil && k.Box && !box.Empty() {
			p.Box = &box
		}
		if p.Box != nil || len(p.Clicks) > 0 {
			p.Mask = nil
		}
	}
	if !k.Negatives && (said == nil || !slices.ContainsFunc(said.Clicks, negative)) {
		p.Clicks = slices.DeleteFunc(slices.Clone(p.Clicks), negative)
	}
	if said != nil {
		return q
	}
	const forBox = 2 // a box, or what stands for none
	if over := len(p.Clicks) + forBox - i.MaxPoints; i.MaxPoints > 0 && over > 0 {
		p.Clicks = p.Clicks[min(over, len(p.Clicks)):]
	}
	if !k.Points {
		p.Clicks = nil
	}
	if !k.Box {
		p.Box = nil
	}
	if !k.Text {
		p.Text = ""
	}
	return q
}

func negative(c seg.Click) bool { return c.Label == seg.Negative }

// everything is the part that a keyframe of the whole frame shows.
var everything = seg.Box{X1: 1, Y1: 1}

// shows says whether a prompt can be answered on what a keyframe shows: all that was said lies in it, and so does a part of a carried mask.
func (k *keyframe) shows(p *seg.Prompt) bool {
	if k.part == everything {
		return true
	}
	if p.Mask != nil {
		return overlaps(k.part, p.Mask.Box(seg.Threshold))
	}
	out := func(c seg.Click) bool { return !k.part.Contains(c.Point) }
	if b := p.Box; b != nil && (!k.part.Contains(seg.Point{X: b.X0, Y: b.Y0}) || !k.part.Contains(seg.Point{X: b.X1, Y: b.Y1})) {
		return false
	}
	return !slices.ContainsFunc(p.Clicks, out)
}

func overlaps(a, b seg.Box) bool { return a.X0 < b.X1 && b.X0 < a.X1 && a.Y0 < b.Y1 && b.Y0 < a.Y1 }
