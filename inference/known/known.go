// Package known proves a model by pictures whose right answers are known because code draws them: discs, a shirt, two look-alikes, and a
// thing off the centre of a very wide and a very tall picture, each with clicks and boxes. A model that segments answers them; one whose
// weights are zeros, no numbers or shuffled does not, nor does one that is shown its pictures in the wrong colours, size, place or scale.
// It runs no graph.
package known

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Question is a prompt for a picture, and what answers it.
type Question struct {
	Name  string
	Least float64 // IoU of a right answer
	// Any: one of the candidates is to be right, not the first: a click may mean more than one thing.
	Any bool

	scene  *scene
	prompt seg.Prompt
	truth  *seg.Mask
}

// Square reports whether the picture is nearly so, and not very wide or tall.
func (q *Question) Square() bool { return max(q.scene.w, q.scene.h) < 2*min(q.scene.w, q.scene.h) }

// Answer is what a model made of a question.
type Answer struct {
	Question
	IoU      float64
	Empty    bool    // the model found nothing
	Believed float64 // the IoU that the model itself predicts of its best candidate
}

// Right reports whether it is good enough.
func (a *Answer) Right() bool { return a.IoU >= a.Least }

func click(x, y float64) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: x, Y: y}, Label: seg.Positive}}}
}

// The least IoU of clicks, which may mean more than one thing, and of boxes, which an ellipse that fills them misses by a tenth.
const (
	leastClick = 0.55
	leastShirt = 0.4 // a part of a person: the smallest thing that is asked about
	leastBox   = 0.7
)

// about makes the questions about a thing of a scene: a click at its centre and the box around it.
func about(name string, s *scene, thing int) (clicked, boxed Question) {
	truth := s.mask(thing)
	box := truth.Box()
	c := truth.Center()
	clicked = Question{Name: "a click on " + name, Least: leastClick, Any: true, scene: s, truth: truth, prompt: click(c.X, c.Y)}
	boxed = Question{Name: "a box around " + name, Least: leastBox, scene: s, truth: truth, prompt: seg.Prompt{Box: &box}}
	return clicked, boxed
}

// Quick are the questions that a model answers before it is used: two pictures.
func Quick() []Question {
	d := discs()
	small, smallBox := about("a disc", d, 0)
	_, largeBox := about("a large disc", d, 1)
	_, wideBox := about("a thing on the right of a wide picture", wide(), 0)
	tiny, _ := about("a small disc", d, 4)
	return []Question{small, tiny, smallBox, largeBox, wideBox}
}

// All are all questions, the quick ones first.
func All() []Question { return append(Quick(), slower()...) }

func slower() []Question {
	l := lookAlikes()
	left, leftBox := about("the left of two look-alikes", l, 0)
	right, rightBox := about("the right of two look-alikes", l, 1)
	worn, wornBox := about("a shirt", shirt(), 2)
	worn.Least = leastShirt
	_, tallBox := about("a thing at the bottom of a tall picture", tall(), 0)
	return []Question{left, leftBox, right, rightBox, worn, wornBox, tallBox}
}

// Faint are questions about red things that differ from a grey ground by less than the picture's grain, so that how well a model sees red
// decides. One that is shown blue for red answers much worse: networks learn from cameras, whose blue has the most noise and says least.
// They are no test of a model by themselves, but compare two ways of showing it pictures.
func Faint() (out []Question) {
	for _, s := range faint() {
		small, smallBox := about("a faint disc", s, 0)
		large, largeBox := about("a large faint disc", s, 1)
		out = append(out, small, smallBox, large, largeBox)
	}
	return out
}

// Ask asks a model, a picture at a time, what its family can be asked. see may change a picture before it is shown, for a diagnosis; nil
// does not.
func Ask(ctx context.Context, s inference.Segmenter, qs []Question, see *View) ([]Answer, error) {
	var out []Answer
	for _, qs := range scenes(qs) {
		answers, err := about1(ctx, s, qs, see)
		if err != nil {
			return nil, err
		}
		out = append(out, answers...)
	}
	return out, nil
}

// scenes are the questions by their pictures.
func scenes(qs []Question) (out [][]Question) {
	for i := 0; i < len(qs); {
		n := i + 1
		for n < len(qs) && qs[n].scene == qs[i].scene {
			n++
		}
		out, i = append(out, qs[i:n]), n
	}
	return out
}

// about1 asks the questions about one picture.
func about1(ctx context.Context, s inference.Segmenter, qs []Question, see *View) (out []Answer, err error) {
	e, err := s.Embed(ctx, see.picture(qs[0].scene.paint()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	kinds := s.Info().Kinds
	for _, q := range qs {
		if q.prompt.Box != nil && !kinds.Box || len(q.prompt.Clicks) > 0 && !kinds.Points {
			continue
		}
		a, err := e.Decode(ctx, []seg.Prompt{see.prompt(q.prompt)})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Name, err)
		}
		got := Answer{Question: q, Empty: len(a[0].Candidates) == 0}
		for i, c := range a[0].Candidates {
			got.Believed = max(got.Believed, c.PredictedIoU)
			if i == 0 || q.Any {
				got.IoU = max(got.IoU, see.mask(c.Logits, q.truth.W, q.truth.H).IoU(q.truth))
			}
		}
		out = append(out, got)
	}
	return out, nil
}

// Refused is a model that does not answer what is known.
type Refused struct {
	Answers []Answer
	Looks   string // what is wrong with it by the looks of it; may be empty
	Err     error  // why it could not be asked about pictures that are not square
}

func (r *Refused) Unwrap() error { return r.Err }

func (r *Refused) Error() string {
	wrong, first := 0, ""
	for _, a := range r.Answers {
		if a.Right() {
			continue
		}
		if wrong++; first == "" {
			first = fmt.Sprintf("%s has an IoU of %.2f, and needs %.2f", a.Name, a.IoU, a.Least)
		}
	}
	if wrong == 0 && r.Err == nil {
		return "it answers the known pictures, but " + strings.TrimPrefix(r.Looks, "it ")
	}
	s := fmt.Sprintf("it answers %d of %d known pictures wrong: %s", wrong, len(r.Answers), first)
	switch {
	case r.Err != nil && wrong == 0:
		s = "it fails on pictures that are not square: " + r.Err.Error()
	case r.Err != nil:
		s = "it fails on pictures that are not square, and " + s[len("it "):]
	}
	if r.Looks != "" {
		s += "; " + r.Looks
	}
	return s
}

// doubtful is a model that is right and believes nothing of it: its best mask is then chosen among the others by chance.
const doubtful = "it believes none of its answers: its predicted IoUs look negated, none is above 0"

func doubts(answers []Answer) bool {
	return len(answers) > 0 && !slices.ContainsFunc(answers, func(a Answer) bool { return a.Believed > 0 })
}

// Prove asks a model the quick questions, and refuses it where it answers a click or two of them wrongly, or not in numbers, or believes
// none of its answers. Boxes alone prove little: whoever fills them is half right.
func Prove(ctx context.Context, s inference.Segmenter) error {
	answers, err := Ask(ctx, s, Quick(), nil)
	switch {
	case err != nil:
		return fmt.Errorf("known pictures: %w", err)
	case !convincing(answers):
		return &Refused{Answers: answers, Looks: hastily(answers)}
	case count(answers) == len(answers) && doubts(answers):
		return &Refused{Answers: answers, Looks: doubtful}
	}
	return nil
}

// hastily is what the quick questions alone say of a fault: they were not asked in other ways.
func hastily(answers []Answer) string {
	s := nothing(answers)
	if s == "" {
		return s
	}
	return s + ", or it takes its picture, points or masks another way (of files, segedge models check says which)"
}

// convincing reports whether all clicks and all but one of the questions are answered rightly.
func convincing(answers []Answer) bool {
	wrong := 0
	for _, a := range answers {
		if a.Right() {
			continue
		}
		if wrong++; a.prompt.Box == nil {
			return false
		}
	}
	return wrong <= 1
}
