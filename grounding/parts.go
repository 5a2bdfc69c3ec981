package grounding

import (
	"fmt"
	"slices"
)

// part is the words of one kind of thing.
type part struct {
	words []string
	or    bool // it stands for the one before it too, not beside it
}

// joined takes a phrase apart at "or", "and" and commas; a comma is what the list ends with: "a cup, bottle or glass".
func joined(said []string) (out []part, err error) {
	var words []string
	before := ""
	end := func() {
		if len(words) > 0 {
			out = append(out, part{words, before == "or"})
		}
		words = nil
	}
	for i, s := range said {
		switch {
		case !joins(s):
			words = append(words, s)
		case s == "," && len(words) == 0:
		case len(words) == 0 && before != ",":
			return nil, fmt.Errorf("%q joins it to nothing", s)
		default:
			end()
			if before = s; s == "," {
				before = listed(said[i+1:])
			}
		}
	}
	if len(words) == 0 && (before == "or" || before == "and") && said[len(said)-1] != "," {
		return nil, fmt.Errorf("%q joins it to nothing", before)
	}
	end()
	return out, nil
}

// listed is what a list goes on with after a comma.
func listed(rest []string) string {
	if i := slices.IndexFunc(rest, func(s string) bool { return s == "or" || s == "and" }); i >= 0 && rest[i] == "or" {
		return "or"
	}
	return ","
}

// parts are the kinds of things that are joined. Words that only describe go to the thing that they describe: the one that follows ("brown
// and white cow", "red or blue cars", "a red and a blue car"), else the one before ("cars, red or blue").
func (w *Words) parts(said []string) ([]part, error) {
	in, err := joined(said)
	if err != nil {
		return nil, err
	}
	var out, tail []part // from the last to the first
	for _, p := range slices.Backward(in) {
		noun := w.noun(p.words)
		switch only := describing(p.words); {
		case only && len(out) > 0 && (noun == nil || coloured(out[len(out)-1].words) && !begins(out[len(out)-1].words)):
			next := &out[len(out)-1]
			if of := w.noun(next.words); of != nil && (next.or || begins(next.words)) {
				out = append(out, part{append(slices.Clone(p.words), of...), p.or})
			} else {
				next.words, next.or = append(slices.Clone(p.words), next.words...), p.or
			}
		case only && noun == nil:
			tail = append(tail, p)
		default:
			out = append(out, described(p, noun, tail)...)
			tail = nil
		}
	}
	if len(out) == 0 {
		out = tail // no thing is named
	}
	slices.Reverse(out)
	return out, nil
}

// described are a thing and what is said of it afterwards, both from the last to the first.
func described(p part, noun []string, tail []part) []part {
	if !slices.ContainsFunc(tail, func(t part) bool { return t.or }) {
		for _, t := range slices.Backward(tail) {
			p.words = append(slices.Clone(p.words), t.words...)
		}
		return []part{p}
	}
	out := []part{p}
	for i, t := range slices.Backward(tail) {
		if i == len(tail)-1 && !coloured(p.words) {
			out[0].words = append(slices.Clone(p.words), t.words...)
			continue
		}
		out = append(out, part{append(slices.Clone(t.words), noun...), true})
	}
	slices.Reverse(out)
	return out
}

// describing says whether words only describe a thing.
func describing(words []string) bool {
	return slices.ContainsFunc(words, describes) &&
		!slices.ContainsFunc(words, func(s string) bool { return !describes(s) && !fill[s] && !prepositions[s] })
}

// coloured says whether words say what a thing looks like, or where it is.
func coloured(words []string) bool {
	return slices.ContainsFunc(words, func(s string) bool {
		_, isNumber := number(s)
		return describes(s) && !isNumber && !every[s]
	})
}

// begins says whether words begin with what a thing of its own begins with: a number, an article.
func begins(words []string) bool {
	_, isNumber := number(words[0])
	return isNumber || every[words[0]] || words[0] == "the"
}
