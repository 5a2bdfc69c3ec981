package known

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/inference"
)

// better is by how much the mean IoU of another way of asking must be above that of the family's own for it to be the right one, and in
// which part of the questions it must be higher: networks shrug at much that is wrong, and answer only somewhat worse.
const (
	better     = 0.025
	betterPart = 0.7
	// same is what the mean IoU of two ways of asking may differ by where either may be the right one.
	same = 0.02
)

// examiner asks a model again and again, each time opened by other rules.
type examiner struct {
	family inference.Family
	open   func(inference.Family) (inference.Segmenter, error)
	own    inference.Segmenter // by the family's own rules; nil while none is needed: a large model takes gigabytes a session
	square bool                // it answers nothing but pictures that are nearly square
}

// Examine asks a model all questions, and where it fails asks them in other ways, to say what its fault looks like. open makes the model
// with the rules of a family, again and again; what it makes is closed. Where the model is refused, the error is a *Refused.
func Examine(
	ctx context.Context,
	f inference.Family,
	open func(inference.Family) (inference.Segmenter, error),
) (answers []Answer, err error) {
	x := &examiner{family: f, open: open}
	defer func() { err = errors.Join(err, x.close()) }()
	return x.examine(ctx)
}

// ask asks by the family's own rules.
func (x *examiner) ask(ctx context.Context, qs []Question, see *View) ([]Answer, error) {
	if x.own == nil {
		s, err := x.open(x.family)
		if err != nil {
			return nil, err
		}
		x.own = s
	}
	return Ask(ctx, x.own, x.of(qs), see)
}

func (x *examiner) close() (err error) {
	if x.own != nil {
		err = x.own.Close()
	}
	x.own = nil
	return err
}

func (x *examiner) examine(ctx context.Context) ([]Answer, error) {
	answers, err := x.ask(ctx, All(), nil)
	if err != nil {
		x.square = true
		square, other := x.ask(ctx, All(), nil)
		if other != nil || len(square) == 0 {
			return nil, err
		}
		return square, &Refused{Answers: square, Looks: x.looks(ctx, square), Err: err}
	}
	refused := &Refused{Answers: answers}
	switch {
	case count(answers) < len(answers):
		refused.Looks = x.looks(ctx, answers)
		return answers, refused
	case doubts(answers):
		refused.Looks = doubtful
	default:
		refused.Looks = x.suspect(ctx, answers)
	}
	if refused.Looks != "" {
		return answers, refused
	}
	return answers, ctx.Err()
}

// looks says what the fault of a model looks like.
func (x *examiner) looks(ctx context.Context, answers []Answer) string {
	var likely candidates
	most := float64(count(answers)) / float64(max(len(answers), 1))
	square, squares, rest := tallied(answers)
	if squares > 0 && square >= squares-1 && rest == 0 && squares < len(answers) {
		return "its resize rule looks like another than the family's: " +
			"it is right in pictures that are nearly square, and wrong in wide and tall ones"
	}
	for _, g := range guesses() {
		quick, rest, ok := x.guessed(ctx, &g, slower())
		own, other := answers, slices.Concat(quick, rest)
		if g.view.clicksAlone() {
			own, other = clicks(own), clicks(other)
		}
		n := count(other)
		share := float64(n) / float64(max(len(other), 1))
		if !ok || n <= count(own) || n < len(other) && share <= 0.75 {
			continue
		}
		if share > most || len(likely) > 0 && share == most && g.looks == likely[0].looks {
			if share > most {
				likely = nil
			}
			most, likely = share, append(likely, candidate{g, Mean(other)})
		}
	}
	if len(likely) > 0 {
		return likely.String()
	}
	return nothing(answers)
}

// candidate is a guess that may be right, and how good the answers are then.
type candidate struct {
	guess
	gain float64
}

type candidates []candidate

// String is the look of the best, and of which kinds it may be: a network may take several scales equally well.
func (cs candidates) String() string {
	slices.SortStableFunc(cs, func(a, b candidate) int { return cmp.Compare(b.gain, a.gain) })
	var which []string
	for _, c := range cs {
		if c.looks == cs[0].looks && c.gain > cs[0].gain-same {
			which = append(which, c.which)
		}
	}
	return cs[0].looks + strings.Join(which, ", or ")
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

// suspect says whether a model that answers well answers better when its colours are shown in another way. Another scale is held to the
// plain pictures, since one that only strengthens the contrast finds faint things better; another order of the channels to the faint ones,
// since it changes hardly anything elsewhere.
func (x *examiner) suspect(ctx context.Context, answers []Answer) string {
	faint, err := x.ask(ctx, Faint(), nil)
	if err != nil {
		return ""
	}
	var likely candidates
	for _, g := range guesses() {
		rules, own, more := x.family, answers, slower()
		switch {
		case g.view.swapped:
			own, more = faint, Faint()
		case g.family == nil || !g.family(&rules) || of(&rules.Image).near(of(&x.family.Image)):
			continue
		}
		quick, other, ok := x.guessed(ctx, &g, more)
		if !g.view.swapped {
			other = append(quick, other...)
		}
		if !ok || len(other) != len(own) {
			continue
		}
		if gain, part := compared(own, other); gain > better && part >= betterPart {
			likely = append(likely, candidate{g, gain})
		}
	}
	if len(likely) == 0 {
		return ""
	}
	said := likely.String() // which puts the best first
	faintly := ""
	if likely[0].view.swapped {
		faintly = "faint things "
	}
	return fmt.Sprintf("%sbetter by an IoU of %.3f when asked otherwise: %s", faintly, likely[0].gain, said)
}

// compared is by how much the mean IoU of other answers is higher, and in which part of the questions it is.
func compared(own, other []Answer) (gain, part float64) {
	for i := range own {
		d := other[i].IoU - own[i].IoU
		if gain += d; d > 0 {
			part++
		}
	}
	n := float64(max(len(own), 1))
	return gain / n, part / n
}

// Mean is the mean IoU of answers.
func Mean(answers []Answer) (sum float64) {
	for _, a := range answers {
		sum += a.IoU / float64(len(answers))
	}
	return sum
}

func count(answers []Answer) (right int) {
	for _, a := range answers {
		if a.Right() {
			right++
		}
	}
	return right
}

// guessed asks as if the guess were right, first the quick questions and then more; false where it cannot be asked so, or the quick ones
// show that it is not.
func (x *examiner) guessed(ctx context.Context, g *guess, more []Question) (quick, rest []Answer, ok bool) {
	ask := x.ask
	if g.family != nil {
		f := x.family
		if !g.family(&f) || x.close() != nil {
			return nil, nil, false
		}
		s, err := x.open(f)
		if err != nil {
			return nil, nil, false
		}
		defer func() { ok = s.Close() == nil && ok }()
		ask = func(ctx context.Context, qs []Question, see *View) ([]Answer, error) {
			return Ask(ctx, s, x.of(qs), see)
		}
	}
	for _, qs := range scenes(Quick()) { // a picture at a time: most guesses are wrong, and encoding takes seconds
		answers, err := ask(ctx, qs, &g.view)
		quick = append(quick, answers...)
		held := quick
		if g.view.clicksAlone() {
			held = clicks(held)
		}
		if err != nil || !convincing(held) {
			return nil, nil, false // not worth more
		}
	}
	rest, err := ask(ctx, more, &g.view)
	return quick, rest, err == nil
}

// of are the questions that the model can be asked.
func (x *examiner) of(qs []Question) []Question {
	if x.square {
		return slices.DeleteFunc(qs, func(q Question) bool { return !q.Square() })
	}
	return qs
}
