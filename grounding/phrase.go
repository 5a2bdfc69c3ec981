package grounding

import (
	"fmt"
	"slices"
	"strings"
)

// Phrase is what a person asked for: some of one kind of thing, or of several kinds.
type Phrase struct {
	Text  string
	Terms []term // any of them fits
	Not   []int  // classes that what is meant must not be
	Count int    // how many; 0: all there are
	Any   bool   // a number was not said, so finding fewer or more is no news
}

// term is one kind of thing.
type term struct {
	class   int
	colours []string
	shade   string // "dark", "light" or empty
	size    int    // 1: the largest, −1: the smallest
	place   place
}

// place is where in the picture, or among what was found, a thing is.
type place struct {
	x, y int // −1: left, top; 1: right, bottom
	mid  bool
}

// PhraseError is a phrase that is not understood.
type PhraseError struct{ Phrase, Why string }

// UnknownPhrase is the phrase, for those who know no grounder.
func (e *PhraseError) UnknownPhrase() string { return e.Phrase }

func (e *PhraseError) Error() string { return fmt.Sprintf("%q is not understood: %s", e.Phrase, e.Why) }

const sayable = `say what it is, its colour, size, number and place in the picture: "two red cups", "the largest dog", ` +
	`"the person on the left", "cup or bottle"`

// The words that are no names of things.
var (
	numbers = map[string]int{
		"a":      1,
		"an":     1,
		"one":    1,
		"single": 1,
		"two":    2,
		"three":  3,
		"four":   4,
		"five":   5,
		"six":    6,
		"seven":  7,
		"eight":  8,
		"nine":   9,
		"ten":    10,
		"both":   2,
		"couple": 2,
		"pair":   2,
		"1":      1,
		"2":      2,
		"3":      3,
		"4":      4,
		"5":      5,
		"6":      6,
		"7":      7,
		"8":      8,
		"9":      9,
		"10":     10,
	}
	every = words("all every each any some several many")
	fill  = words(
		"the this that these those of is are in on at to my your picture image scene frame side please find follow track show me there which",
	)
	sizes = map[string]int{
		"largest":  1,
		"biggest":  1,
		"large":    1,
		"big":      1,
		"huge":     1,
		"nearest":  1,
		"closest":  1,
		"smallest": -1,
		"small":    -1,
		"tiny":     -1,
		"little":   -1,
		"farthest": -1,
		"furthest": -1,
	}
	places = map[string]place{
		"left":      {x: -1},
		"leftmost":  {x: -1},
		"right":     {x: 1},
		"rightmost": {x: 1},
		"top":       {y: -1},
		"upper":     {y: -1},
		"topmost":   {y: -1},
		"bottom": {
			y: 1,
		},
		"lower":   {y: 1},
		"lowest":  {y: 1},
		"highest": {y: -1},
		"middle":  {mid: true},
		"center":  {mid: true},
		"centre":  {mid: true},
		"central": {mid: true},
	}
	relations = words(
		"behind under underneath beneath beside near next between above below over inside outside front holding " +
			"wearing carrying riding with without " +
			"from facing touching against around along who whose when where while",
	)
	refusals = words("not no non never nothing except excluding but isn't aren't")
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

// Parse understands a phrase: number, colours and shade, size, place, kinds joined by "or" and "and", and what it is not ("car but not
// truck").
func (w Words) Parse(text string) (*Phrase, error) {
	refuse := func(format string, args ...any) (*Phrase, error) {
		return nil, &PhraseError{text, fmt.Sprintf(format, args...)}
	}
	said := strings.Fields(
		strings.NewReplacer(",", " , ", ".", " ", "!", " ", "?", " ", ";", " , ", "\"", " ", "-", " ").Replace(strings.ToLower(text)),
	)
	p := &Phrase{Text: text, Count: 1, Any: true}
	if len(said) == 0 {
		return refuse("it is empty; %s", sayable)
	}
	if i := slices.IndexFunc(said, func(s string) bool { return refusals[s] }); i == 0 {
		return refuse("it says what the thing is not; %s, or \"car but not truck\"", sayable)
	} else if i > 0 {
		rest := slices.DeleteFunc(slices.Clone(said[i:]), func(s string) bool { return refusals[s] || s == "," })
		not, _, err := w.terms(text, rest)
		if err != nil {
			return nil, err
		}
		for _, t := range not {
			p.Not = append(p.Not, t.class)
		}
		said = said[:i]
	}
	terms, plural, err := w.terms(text, said)
	if err != nil {
		return nil, err
	}
	p.Terms = terms
	if plural {
		p.Count = 0
	}
	for _, s := range said {
		switch n, isNumber := numbers[s]; {
		case every[s]:
			p.Count = 0
		case isNumber:
			p.Count, p.Any = n, n == 1
		}
	}
	return p, nil
}

// terms are the kinds of things, joined by "or", "and" or commas. Colours joined by "and" are one thing's, by "or" those of either of two.
func (w Words) terms(text string, said []string) (out []term, plural bool, err error) {
	var part []string
	var either [][]string // colours that came before an "or"
	joined := false
	finish := func() error {
		t, several, err := w.term(text, part)
		if err != nil {
			return err
		}
		for _, colours := range either {
			o := t
			o.colours = nil
			for _, s := range colours {
				o.describe(s)
			}
			out = append(out, o)
		}
		out, plural, part, either = append(out, t), plural || several, nil, nil
		return nil
	}
	for i, s := range said {
		switch {
		case s != "or" && s != "and" && s != "," && s != "&":
			part = append(part, s)
		case s == "," && (i == len(said)-1 || len(part) == 0), onlyColours(part) && s != "or": // "brown and white cow"
		case onlyColours(part):
			either, part = append(either, part), nil
		default:
			joined = joined || s != "or"
			if err := finish(); err != nil {
				return nil, false, err
			}
		}
	}
	if err := finish(); err != nil {
		return nil, false, err
	}
	return out, plural || joined && len(out) > 1, nil
}

// onlyColours reports whether words name colours and no thing.
func onlyColours(said []string) bool {
	found := false
	for _, s := range said {
		if _, ok := colourOf(s); ok {
			found = true
		} else if numbers[s] == 0 && !fill[s] && s != "dark" && s != "light" {
			return false
		}
	}
	return found
}

// term reads one kind of thing: the longest run of words that names a class, and what the others say of it.
func (w Words) term(text string, said []string) (t term, plural bool, err error) {
	from, to := -1, -1
	for i := range said {
		for j := len(said); j > i; j-- {
			if c, several := w.class(said[i:j]); c >= 0 && (to < 0 || j-i > to-from || j-i == to-from && !relations[said[max(i-1, 0)]]) {
				t.class, plural, from, to = c, several, i, j
			}
		}
	}
	for i, s := range said {
		if relations[s] {
			return t, false, &PhraseError{text, fmt.Sprintf("what stands to something else (%q) is not; %s", strings.Join(said[i:], " "), sayable)}
		}
	}
	if to < 0 {
		return t, false, &PhraseError{
			text,
			fmt.Sprintf(
				"nothing in it is a thing that the detector knows; closest are %s. segedge words lists all of them, and grounding.synonyms adds words",
				strings.Join(w.closest(strings.Join(said, " "), 3), ", "),
			),
		}
	}
	for i, s := range said {
		if i >= from && i < to {
			continue
		}
		t.describe(s)
	}
	return t, plural, nil
}

// describe takes a word that is no part of the thing's name; one that means nothing to it is a name's own ("coffee mug") and passes.
func (t *term) describe(s string) {
	if n, ok := sizes[s]; ok {
		t.size = n
	}
	if at, ok := places[s]; ok {
		t.place.x, t.place.y, t.place.mid = t.place.x+at.x, t.place.y+at.y, t.place.mid || at.mid
	}
	if s == "dark" || s == "light" {
		t.shade = s
	}
	if c, ok := colourOf(s); ok {
		t.colours = append(t.colours, c)
	}
}
