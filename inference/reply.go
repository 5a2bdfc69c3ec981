package inference

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/seg"
)

// ErrBroken is a model that answers with numbers that are none: its weights or its provider are broken.
var ErrBroken = errors.New("the model answers with values that are not numbers: its file or its execution provider is broken")

// reply is the decoder's answer: masks logits of h×w for each prompt, and as many scores.
type reply struct {
	masks, h, w int
	logits      []float32
	scores      []float32
}

// read checks the shapes of the answer for so many prompts.
func (m *model) read(outputs []Tensor, prompts int) (reply, error) {
	if len(outputs) <= max(m.ports.logits, m.ports.scores) {
		return reply{}, fmt.Errorf("the decoder gave %d outputs, need %s and %s", len(outputs), m.family.Reply.Logits, m.family.Reply.Scores)
	}
	l, s := &outputs[m.ports.logits], &outputs[m.ports.scores]
	n := len(l.Shape)
	if n < 3 || l.Float32 == nil || s.Float32 == nil {
		return reply{}, fmt.Errorf("output %s: shape %v, need float32 with masks, height and width last", l.Name, l.Shape)
	}
	r := reply{masks: int(l.Shape[n-3]), h: int(l.Shape[n-2]), w: int(l.Shape[n-1]), logits: l.Float32, scores: s.Float32}
	if n == 3 { // [masks,h,w], or [prompts,h,w] with one mask each
		r.masks = len(s.Float32) / prompts
	}
	if r.masks < 1 || r.h < 1 || r.w < 1 || len(r.logits) != prompts*r.masks*r.h*r.w || len(r.scores) != prompts*r.masks {
		return reply{}, fmt.Errorf("outputs %s %v and %s %v do not fit %d prompts", l.Name, l.Shape, s.Name, s.Shape, prompts)
	}
	return r, nil
}

// Ambiguity: two masks are the same answer above sameIoU; they are different objects below otherIoU, and both are
// believed where the scores differ by at most closeScore.
const (
	sameIoU    = 0.9
	otherIoU   = 0.7
	closeScore = 0.15
)

// wholePicture is the part of the picture above which a mask is no object: a model that is lost answers "everything"
// (sam2#242).
const wholePicture = 0.995

// prediction is the answer to prompt i: its valid masks, best first.
func (r *reply) prediction(f *Family, g *geometry, view geometry, i int, p *seg.Prompt) (seg.Prediction, error) {
	from, n := f.Reply.tokens(r.masks, single(p))
	out := seg.Prediction{Candidates: make([]seg.Candidate, 0, n)}
	for k := i*r.masks + from; k < i*r.masks+from+n; k++ {
		l := r.whole(f, g, view, r.logits[k*r.w*r.h:][:r.w*r.h])
		if f.Reply.Negative {
			for i := range l.Data {
				l.Data[i] = -l.Data[i]
			}
		}
		score := r.scores[k]
		if f.Reply.Unsure {
			score = -score
		}
		if score-score != 0 || !l.Finite() {
			return seg.Prediction{}, ErrBroken
		}
		keepInBox(l, p)
		if part := inside(l); part == 0 || part > wholePicture && !coversAll(p) {
			continue
		}
		out.Candidates = append(out.Candidates, seg.Candidate{
			Logits: l, PredictedIoU: min(max(float64(score), 0), 1), Stability: l.StabilityScore(1),
		})
	}
	slices.SortStableFunc(out.Candidates, func(a, b seg.Candidate) int { return cmp.Compare(b.PredictedIoU, a.PredictedIoU) })
	out.Candidates = distinct(out.Candidates, sameIoU)
	if p.Single || f.Reply.Single < 0 && !single(p) {
		out.Candidates = out.Candidates[:min(1, len(out.Candidates))]
	}
	if out.Ambiguous = ambiguous(out.Candidates, p); out.Ambiguous {
		out.Candidates = distinct(out.Candidates, otherIoU) // to choose between things, not between sizes of one outline
	}
	return out, nil
}

// whole is an answer about the whole input, out of one about a view of it.
func (r *reply) whole(f *Family, g *geometry, view geometry, data []float32) *seg.Logits {
	if view == *g {
		return &seg.Logits{W: r.w, H: r.h, Extent: g.extent(), Data: slices.Clone(data)}
	}
	w, h := f.grid(*g)
	return &seg.Logits{W: w, H: h, Extent: g.extent(), Data: view.paste(data, w, h, f.Ask.Window.Floor)}
}

// single reports whether the prompt is one click, which may mean the whole, a part or a part of that.
func single(p *seg.Prompt) bool { return len(p.Clicks) == 1 && p.Box == nil && p.Mask == nil }

// coversAll reports whether the prompt itself means the whole picture.
func coversAll(p *seg.Prompt) bool { return p.Box != nil && p.Box.Area() > 0.9 }

// tokens are the masks that answer a prompt, of the k that the decoder gives.
func (r *ReplyRule) tokens(k int, oneClick bool) (from, n int) {
	if !oneClick && r.Single >= 0 && r.Single < k {
		return r.Single, 1
	}
	if r.Multi[0]+r.Multi[1] > k {
		return 0, k
	}
	return r.Multi[0], r.Multi[1]
}

// inside is the part of the picture's cells with positive logits.
func inside(l *seg.Logits) float64 {
	w, h, n := visible(l.W, l.Extent.X), visible(l.H, l.Extent.Y), 0
	for y := range h {
		for _, v := range l.Data[y*l.W:][:w] {
			if v > seg.Threshold {
				n++
			}
		}
	}
	return float64(n) / float64(w*h)
}

// visible is the number of cells of an axis that touch the picture.
func visible(n int, extent float64) int { return min(n, int(float64(n)/extent+0.999)) }

// distinct drops the candidates that overlap a better one by more than this IoU.
func distinct(cs []seg.Candidate, most float64) []seg.Candidate {
	kept := cs[:0]
	for _, c := range cs {
		if !slices.ContainsFunc(kept, func(k seg.Candidate) bool { return logitsIoU(k.Logits, c.Logits) > most }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// A part of something, a wheel of a car or a shirt on a person, is believed less than the whole, since most clicks mean that; it is offered
// all the same. It lies in the whole, is at most halfPart of it and at least leastPart, and is believed by leastBelief.
const (
	withinWhole = 0.9
	halfPart    = 0.5
	leastPart   = 0.01
	leastBelief = 0.2
)

// ambiguous reports whether one click may mean something else than the best mask: another, truly different, is believed nearly as much, or
// it is a part of it under the click.
func ambiguous(cs []seg.Candidate, p *seg.Prompt) bool {
	if len(cs) < 2 {
		return false
	}
	return slices.ContainsFunc(cs[1:], func(c seg.Candidate) bool {
		if logitsIoU(cs[0].Logits, c.Logits) >= otherIoU {
			return false
		}
		return cs[0].PredictedIoU-c.PredictedIoU <= closeScore || c.PredictedIoU >= leastBelief && single(p) && isPart(c.Logits, cs[0].Logits)
	})
}

// isPart reports whether a mask is a part of another on the same grid.
func isPart(part, whole *seg.Logits) bool {
	in, own, all := 0, 0, 0
	for i, v := range part.Data {
		inside := whole.Data[i] > seg.Threshold
		if inside {
			all++
		}
		if v > seg.Threshold {
			own++
			if inside {
				in++
			}
		}
	}
	share := float64(own) / float64(max(all, 1))
	return float64(in) >= withinWhole*float64(own) && share >= leastPart && share <= halfPart
}

// logitsIoU is the IoU of two masks on the same grid, counted within the picture.
func logitsIoU(a, b *seg.Logits) float64 {
	w, h, inter, union := visible(a.W, a.Extent.X), visible(a.H, a.Extent.Y), 0, 0
	for y := range h {
		other := b.Data[y*b.W:][:w]
		for x, v := range a.Data[y*a.W:][:w] {
			switch in, too := v > seg.Threshold, other[x] > seg.Threshold; {
			case in && too:
				inter++
				union++
			case in || too:
				union++
			}
		}
	}
	if union == 0 {
		return 1
	}
	return float64(inter) / float64(union)
}
