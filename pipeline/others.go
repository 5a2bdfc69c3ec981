package pipeline

import (
	"slices"

	"github.com/segedge/segedge/seg"
)

// apiece are prompts for one thing each: those of several boxes become one for each box. Without any of these it is the slice given.
func apiece(prompts []seg.Prompt) []seg.Prompt {
	if !slices.ContainsFunc(prompts, func(p seg.Prompt) bool { return len(p.Others) > 0 }) {
		return prompts
	}
	var out []seg.Prompt
	for _, p := range prompts {
		others := p.Others
		p.Others = nil
		out = append(out, p)
		for i := range others {
			out = append(out, seg.Prompt{Box: &others[i], Single: true})
		}
	}
	return out
}

// together are the answers to prompts out of those to what apiece made of them: of several boxes the best mask of each, in their order.
func together(prompts []seg.Prompt, each []seg.Prediction) []seg.Prediction {
	out := make([]seg.Prediction, len(prompts))
	for i := range prompts {
		n := 1 + len(prompts[i].Others)
		out[i] = each[0]
		if n > 1 {
			out[i] = oneOf(each[:n])
		}
		each = each[n:]
	}
	return out
}

func oneOf(each []seg.Prediction) (out seg.Prediction) {
	for i := range each {
		if best := each[i].Best(); best != nil {
			out.Candidates = append(out.Candidates, *best)
		}
	}
	out.Ambiguous = len(out.Candidates) > 1
	return out
}
