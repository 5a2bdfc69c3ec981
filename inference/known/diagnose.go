package known

import (
	"context"
	"errors"
	"fmt"

	"github.com/segedge/segedge/inference"
)

// guess is something that may be wrong with a model, and how it would then have to be asked to be right.
type guess struct {
	looks  string
	view   View
	family func(f *inference.Family) bool // changes the family's rules; false where that is no change
}

// The normalisations that published models have, in units of 0..255.
var normalisations = []struct {
	name      string
	mean, std [3]float32
}{
	{"none, values of 0 to 255", [3]float32{}, [3]float32{}},
	{"a division by 255", [3]float32{}, [3]float32{255, 255, 255}},
	{"ImageNet's mean and deviation", [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}},
	{"values of -1 to 1", [3]float32{127.5, 127.5, 127.5}, [3]float32{127.5, 127.5, 127.5}},
}

func guesses() []guess {
	out := []guess{
		{looks: "its channels look like blue, green, red, where the family has red, green, blue", view: View{swapped: true}},
		{looks: "its points look transposed: it takes y before x", view: View{turnedAsk: true}},
		{looks: "its axes look transposed: it takes the picture's columns for its rows", view: View{turned: true}},
		{
			looks: "its axes look transposed: it takes the picture's columns for its rows, and points likewise",
			view:  View{turned: true, turnedAsk: true},
		},
		{looks: "its axes look transposed: it gives masks with columns for rows", view: View{turnedMask: true}},
		{looks: "its axes look transposed: it takes points and gives masks with columns for rows", view: View{turnedAsk: true, turnedMask: true}},
		{looks: "its axes look transposed: it takes pictures and gives masks with columns for rows", view: View{turned: true, turnedMask: true}},
	}
	for _, n := range normalisations {
		out = append(
			out,
			guess{looks: "its normalisation looks like " + n.name + ", where the family has another", family: func(f *inference.Family) bool {
				same := f.Image.Mean == n.mean && f.Image.Std == n.std
				f.Image.Mean, f.Image.Std, f.Image.Pad = n.mean, n.std, [3]float32{}
				return !same
			}},
		)
	}
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

// better is by how much the mean IoU of another way of asking must be above that of the family's own for it to be the right one, and in
// which part of the questions it must be higher: networks shrug at much that is wrong, and answer only somewhat worse.
const (
	better     = 0.025
	betterPart = 0.7
)

// Examine asks a model all questions, and where it fails asks them in other ways, to say what its fault looks like. open makes the model
// with the rules of a family, again and again; what it makes is closed. Where the model is refused, the error is a *Refused.
func Examine(ctx context.Context, f inference.Family, open func(inference.Family) (inference.Segmenter, error)) ([]Answer, error) {
	answers, err := askAs(ctx, f, open, nil, All())
	if err != nil {
		return nil, err
	}
	failed := false
	for _, a := range answers {
		failed = failed || !a.Right()
	}
	if failed {
		return answers, &Refused{Answers: answers, Looks: looks(ctx, answers, f, open)}
	}
	if s := suspect(ctx, answers, f, open); s != "" {
		return answers, errors.New(s)
	}
	return answers, nil
}

// looks says what the fault of a model looks like.
func looks(ctx context.Context, answers []Answer, f inference.Family, open func(inference.Family) (inference.Segmenter, error)) string {
	best, most := "", float64(count(answers))/float64(max(len(answers), 1))
	square, squares, rest := tallied(answers)
	if squares > 0 && square >= squares-1 && rest == 0 && squares < len(answers) {
		return "its resize rule looks like another than the family's: " +
			"it is right in pictures that are nearly square, and wrong in wide and tall ones"
	}
	for _, g := range guesses() {
		other, ok := g.ask(ctx, f, open)
		own := answers
		if g.view.turnedAsk { // what a box is answered with is held to the box as it was asked
			own, other = clicks(own), clicks(other)
		}
		n := count(other)
		if share := float64(n) / float64(max(len(other), 1)); ok && n > count(own) && share > most && (n == len(other) || share > 0.75) {
			best, most = g.looks, share
		}
	}
	if best != "" {
		return best
	}
	return nothing(answers)
}

// clicks are the answers to prompts without a box.
func clicks(answers []Answer) (out []Answer) {
	for _, a := range answers {
		if a.prompt.Box == nil {
			out = append(out, a)
		}
	}
	return out
}

// tallied are the right answers about pictures that are nearly square, how many of those there are, and the right ones about the others.
func tallied(answers []Answer) (square, squares, rest int) {
	for _, a := range answers {
		switch {
		case a.Square() && a.Right():
			square++
			squares++
		case a.Square():
			squares++
		case a.Right():
			rest++
		}
	}
	return square, squares, rest
}

// nothing says what a model looks like that finds nothing, or anything.
func nothing(answers []Answer) string {
	empty, clicks, sum := 0, 0.0, 0.0
	for _, a := range answers {
		if a.Empty {
			empty++
		}
		if a.prompt.Box == nil {
			clicks, sum = clicks+1, sum+a.IoU
		}
	}
	switch {
	case empty == len(answers):
		return "it finds nothing anywhere: its weights look like zeros or shuffled, " +
			"or its picture is not what it expects (colours, normalisation)"
	case sum < leastClick*clicks:
		return "its answers have little to do with what is asked: its weights look shuffled, zero in part, damaged or untrained"
	}
	return ""
}

// suspect says whether a model that answers well answers better when its colours are shown in another way.
func suspect(ctx context.Context, answers []Answer, f inference.Family, open func(inference.Family) (inference.Segmenter, error)) string {
	for _, g := range guesses() {
		if !g.view.swapped && g.family == nil {
			continue
		}
		rules := f
		if g.family != nil && (!g.family(&rules) || rules.Image.Fit != f.Image.Fit) {
			continue
		}
		other, ok := g.ask(ctx, f, open)
		if !ok || len(other) != len(answers) {
			continue
		}
		more, sum := 0, 0.0
		for i := range answers {
			d := other[i].IoU - answers[i].IoU
			if sum += d; d > 0 {
				more++
			}
		}
		if n := float64(len(answers)); sum/n > better && float64(more) >= betterPart*n {
			return fmt.Sprintf("it answers the known pictures, but better by an IoU of %.3f when asked otherwise: %s", sum/n, g.looks)
		}
	}
	return ""
}

func count(answers []Answer) (right int) {
	for _, a := range answers {
		if a.Right() {
			right++
		}
	}
	return right
}

// ask asks all questions as if the guess were right; false where it cannot be asked so, or the quick ones show that it is not.
func (g *guess) ask(ctx context.Context, f inference.Family, open func(inference.Family) (inference.Segmenter, error)) ([]Answer, bool) {
	if g.family != nil && !g.family(&f) {
		return nil, false
	}
	quick, err := askAs(ctx, f, open, &g.view, Quick())
	if err != nil || !convincing(quick) {
		return nil, false // not worth more
	}
	answers, err := askAs(ctx, f, open, &g.view, All())
	return answers, err == nil
}

func askAs(
	ctx context.Context,
	f inference.Family,
	open func(inference.Family) (inference.Segmenter, error),
	see *View,
	qs []Question,
) (answers []Answer, err error) {
	s, err := open(f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return Ask(ctx, s, qs, see)
}
