package inference

import (
	"cmp"
	"context"
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
)

// boxed asks for what the boxes are around. What lies outside of a box is not what it is around.
func boxed(ctx context.Context, e Embedding, kinds Kinds, boxes []seg.Box, w, h int) ([]Found, error) {
	if len(boxes) == 0 || !kinds.Box {
		return nil, nil
	}
	prompts := make([]seg.Prompt, len(boxes))
	for i := range boxes {
		prompts[i] = seg.Prompt{Box: &boxes[i], Single: true}
	}
	answers, err := e.Decode(ctx, prompts)
	if err != nil {
		return nil, err
	}
	var out []Found
	for i, a := range answers {
		if best := a.Best(); best != nil {
			m := best.Logits.Cut(w, h, seg.Threshold)
			m = within(m, boxes[i])
			if m.Rect.Empty() {
				continue
			}
			out = append(
				out,
				Found{Mask: m, PredictedIoU: best.PredictedIoU, Stability: best.Stability, Point: m.Center(), box: m.Box(), known: true, crop: 1},
			)
		}
	}
	return out, nil
}

// boxMargin is how far a thing may reach beyond its box, as a part of the box's side.
const boxMargin = 0.1

// within is the part of a mask in a box and its margin.
func within(m *seg.Mask, b seg.Box) *seg.Mask {
	w, h := float64(m.W), float64(m.H)
	dx, dy := boxMargin*(b.X1-b.X0), boxMargin*(b.Y1-b.Y0)
	r := m.Rect.Intersect(image.Rect(int((b.X0-dx)*w), int((b.Y0-dy)*h), int((b.X1+dx)*w+1), int((b.Y1+dy)*h+1)))
	if r == m.Rect {
		return m
	}
	out := seg.NewMask(m.W, m.H, r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(out.Row(y), m.Row(y)[r.Min.X-m.Rect.Min.X:])
	}
	return out.Trim()
}

// Surrounds reports whether a mask leaves the picture on three sides or more, as sky, ground, water and table tops do: that is what the
// objects are in front of.
func Surrounds(m *seg.Mask) bool {
	const near = 0.01
	b, sides := m.Box(), 0
	for _, leaves := range []bool{b.X0 < near, b.Y0 < near, b.X1 > 1-near, b.Y1 > 1-near} {
		if leaves {
			sides++
		}
	}
	return sides >= 3
}

// complement is the IoU from which what surrounds something is only the rest of the picture around it.
const complement = 0.7

// ranked puts what is known to be a thing first, what surrounds things last, and the better before the worse; what is but the rest of the
// picture around something else is left out.
func ranked(fs []Found) []Found {
	behind := make(map[*seg.Mask]bool, len(fs))
	for _, f := range fs {
		behind[f.Mask] = !f.known && Surrounds(f.Mask)
	}
	fs = slices.DeleteFunc(fs, func(f Found) bool {
		return behind[f.Mask] && slices.ContainsFunc(fs, func(o Found) bool { return !behind[o.Mask] && restIoU(f.Mask, o.Mask) > complement })
	})
	slices.SortStableFunc(fs, func(a, b Found) int {
		return cmp.Or(first(b.known, a.known), first(behind[a.Mask], behind[b.Mask]), cmp.Compare(b.PredictedIoU, a.PredictedIoU))
	})
	return fs
}

// restIoU is the IoU of what is left of the picture without a, and b.
func restIoU(a, b *seg.Mask) float64 {
	left := b.Minus(a).Count() // in both the rest and b
	return float64(left) / float64(a.W*a.H-a.Count()+b.Count()-left)
}

// first compares so that what is false comes before what is true.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
