package known

import (
	"slices"

	"github.com/segedge/segedge/inference"
)

// guess is something that may be wrong with a model, and how it would then have to be asked to be right.
type guess struct {
	looks  string
	which  string // of several that one look may have
	view   View
	family func(f *inference.Family) bool // changes the family's rules; false where that is no change
}

// scale is a normalisation: a mean that is taken off, and what is divided by.
type scale struct {
	name      string
	mean, std [3]float32
}

func even(name string, mean, std float32) scale {
	return scale{name, [3]float32{mean, mean, mean}, [3]float32{std, std, std}}
}

// normalisations are those that published models have, in units of 0..255.
var normalisations = []scale{
	even("none, values of 0 to 255", 0, 1),
	even("a division by 255", 0, 255),
	{"ImageNet's mean and deviation", [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}},
	even("values of -1 to 1", 127.5, 127.5),
}

// again are those that a graph may have in itself although its picture comes normalised, so that it is done twice; the usual ones first.
var again = []scale{
	normalisations[2], normalisations[1], normalisations[3],
	{"ImageNet's mean and deviation of values of 0 to 1", [3]float32{.485, .456, .406}, [3]float32{.229, .224, .225}},
	even("values of -1 to 1 out of 0 to 1", 0.5, 0.5),
}

// of is the family's own.
func of(r *inference.ImageRule) scale {
	s := scale{mean: r.Mean, std: r.Std}
	for c := range s.std {
		if s.std[c] == 0 {
			s.std[c] = 1
		}
	}
	return s
}

// undoing is the normalisation by s that leaves the family's own after this one.
func (s scale) undoing(own scale) (out scale) {
	for c := range out.std {
		out.std[c] = own.std[c] / s.std[c]
		out.mean[c] = own.mean[c] - s.mean[c]*out.std[c]
	}
	return out
}

// near reports whether two are the same but for rounding.
func (s scale) near(o scale) bool {
	for c := range s.std {
		if d := s.mean[c] - o.mean[c]; d*d > 1e-4 || s.std[c] > 1.001*o.std[c] || o.std[c] > 1.001*s.std[c] {
			return false
		}
	}
	return true
}

func guesses() []guess {
	out := append(
		turns(),
		guess{looks: "its channels look like blue, green, red, where the family has red, green, blue", view: View{swapped: true}},
		guess{looks: "its masks look inside out: its logits are negative where the thing is", family: func(f *inference.Family) bool {
			f.Reply.Negative = !f.Reply.Negative
			return true
		}},
		guess{looks: "its predicted IoUs look negated: it believes its worst masks most", family: func(f *inference.Family) bool {
			f.Reply.Unsure = !f.Reply.Unsure
			return true
		}},
	)
	out = append(out, scales()...)
	for _, fit := range []struct {
		fit  inference.Fit
		name string
	}{{inference.FitSquash, "squashed into a square"}, {inference.FitPad, "padded at the right and bottom"}} {
		out = append(
			out,
			guess{looks: "its resize rule looks like " + fit.name + ", where the family has another", family: func(f *inference.Family) bool {
				same := f.Image.Fit == fit.fit
				if squares := f.Image.Fit == inference.FitPad || f.Image.Fit == inference.FitSquash; !squares {
					return false
				}
				f.Image.Fit = fit.fit
				return !same
			}},
		)
	}
	return out
}

// turns are the guesses that something lies wrongly: one thing before two.
func turns() []guess {
	const axes = "its axes look transposed: it "
	return []guess{
		{looks: "its points look transposed: it takes y before x", view: View{asked: transposed}},
		{looks: axes + "takes the picture's columns for its rows", view: View{shown: transposed}},
		{looks: axes + "gives masks with columns for rows", view: View{told: transposed}},
		{looks: axes + "takes the picture's columns for its rows, and points likewise", view: View{shown: transposed, asked: transposed}},
		{looks: axes + "takes points and gives masks with columns for rows", view: View{asked: transposed, told: transposed}},
		{looks: axes + "takes pictures and gives masks with columns for rows", view: View{shown: transposed, told: transposed}},
		{looks: "its picture looks upside-down: it takes the last row first", view: View{shown: upsideDown}},
		{looks: "its picture looks mirrored: it takes the last column first", view: View{shown: mirrored}},
		{looks: "its points look upside-down: it counts y from the bottom", view: View{asked: upsideDown}},
		{looks: "its points look mirrored: it counts x from the right", view: View{asked: mirrored}},
		{looks: "its masks look upside-down: it gives the last row first", view: View{told: upsideDown}},
		{looks: "its masks look mirrored: it gives the last column first", view: View{told: mirrored}},
	}
}

// scales are the guesses at another normalisation, and at one that is done twice.
func scales() (out []guess) {
	for _, n := range normalisations {
		out = append(out, guess{
			looks: "its normalisation looks like another than the family's: ", which: n.name,
			family: func(f *inference.Family) bool {
				own := of(&f.Image)
				f.Image.Mean, f.Image.Std, f.Image.Pad = n.mean, n.std, [3]float32{}
				return !n.near(own)
			},
		})
	}
	for _, n := range again {
		out = append(out, guess{
			looks: "its picture looks normalised twice, the second time by its own graph: ", which: n.name,
			family: func(f *inference.Family) bool {
				s := n.undoing(of(&f.Image))
				f.Image.Mean, f.Image.Std = s.mean, s.std
				for c := range f.Image.Pad {
					f.Image.Pad[c] = f.Image.Pad[c]*n.std[c] + n.mean[c]
				}
				return !slices.ContainsFunc(normalisations, s.near) // which are guesses of their own
			},
		})
	}
	return out
}
