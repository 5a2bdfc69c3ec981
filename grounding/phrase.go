package grounding

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Phrase is what a person asked for: some of one kind of thing, or of several kinds.
type Phrase struct {
	Text   string
	groups []group  // each is wanted
	not    []term   // what is meant is none of these
	passed []string // words that say nothing to the grammar
}

// classes are all that a phrase may mean.
func (p *Phrase) classes() (all []int) {
	for _, g := range p.groups {
		for _, t := range g.terms {
			all = append(all, t.classes...)
		}
	}
	return all
}

// PhraseError is a phrase that is not understood.
type PhraseError struct{ Phrase, Why string }

// UnknownPhrase is the phrase, for those who know no grounder.
func (e *PhraseError) UnknownPhrase() string { return e.Phrase }

func (e *PhraseError) Error() string {
	return fmt.Sprintf("%q is not understood: %s", short(e.Phrase), e.Why)
}

// short is a phrase as far as it is worth repeating.
func short(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}

const sayable = `say what it is, its colour, size, number and place in the picture: "two red cups", "the largest dog", ` +
	`"the person on the left", "cup or bottle"`

// longestPhrase is how many bytes a phrase may have.
const longestPhrase = 256

// Parse understands a phrase: number, colours and shade, size, place, kinds joined by "or" and "and", and what it is not ("car but not
// truck", "car but not red").
func (w *Words) Parse(text string) (*Phrase, error) {
	p := &Phrase{Text: text}
	if err := p.read(w, text); err != nil {
		return nil, &PhraseError{text, err.Error()}
	}
	return p, nil
}

func (p *Phrase) read(w *Words, text string) error {
	if len(text) > longestPhrase {
		return fmt.Errorf("it has %d bytes; %d at most", len(text), longestPhrase)
	}
	said := w.tokens(text)
	if !slices.ContainsFunc(said, func(s string) bool { return s != "," }) {
		return fmt.Errorf("it is empty; %s", sayable)
	}
	negation := slices.IndexFunc(said, func(s string) bool { return refusals[s] })
	if negation == 0 {
		return fmt.Errorf("it says what the thing is not; %s, or \"car but not truck\"", sayable)
	}
	var not []string
	if negation > 0 {
		said, not = said[:negation], said[negation:]
	}
	parts, err := w.parts(said)
	if err != nil {
		return err
	}
	for i := range parts {
		if err := p.add(w, &parts[i]); err != nil {
			return err
		}
	}
	for i := range p.groups {
		if err := p.groups[i].number(); err != nil {
			return err
		}
	}
	return p.exclude(w, not)
}

// add takes in a kind of thing.
func (p *Phrase) add(w *Words, of *part) error {
	kept, beside, err := w.alone(of.words)
	if err != nil {
		return err
	}
	t, several, passed, err := w.term(kept)
	if err != nil {
		return err
	}
	if t.classes == nil {
		return w.unknown(of.words)
	}
	p.passed = append(append(p.passed, beside...), passed...)
	if !of.or || len(p.groups) == 0 {
		p.groups = append(p.groups, group{})
	}
	g := &p.groups[len(p.groups)-1]
	g.terms, g.said, g.kept, g.several = append(g.terms, t), append(g.said, of.words...), append(g.kept, kept...), g.several || several
	return nil
}

// exclude takes in what the thing is not: another thing, a colour, or a thing of a colour.
func (p *Phrase) exclude(w *Words, words []string) error {
	said := slices.DeleteFunc(slices.Clone(words), func(s string) bool { return refusals[s] })
	parts, err := joined(said)
	if err != nil {
		return err
	}
	if len(parts) == 0 && len(words) > 0 {
		return fmt.Errorf("it says not what the thing is not; %s", sayable)
	}
	for _, not := range parts {
		kept, _, err := w.alone(not.words)
		if err != nil {
			return err
		}
		t, _, passed, err := w.term(kept)
		plain := len(t.colours) == 0 && t.shade == ""
		switch {
		case err != nil:
			return err
		case t.size != 0 || t.place != place{}:
			return fmt.Errorf("what it is not may be a thing or a colour, no size and no place; %s", sayable)
		case t.classes == nil && plain:
			return w.unknown(not.words)
		case plain && !slices.ContainsFunc(p.classes(), func(c int) bool { return !slices.Contains(t.classes, c) }):
			return fmt.Errorf("the detector tells no such two things apart: both are %s to it", classNames(t.classes))
		}
		p.not, p.passed = append(p.not, t), append(p.passed, passed...)
	}
	return nil
}

// group is some of one kind of thing: "two dogs or cats".
type group struct {
	said    []string
	kept    []string // the same, less what it is of
	terms   []term   // any of them fits
	several bool     // it has a plural
	count   int      // how many; 0: all there are
	any     bool     // a number was not said, so finding fewer or more is no news
}

// which says whether a group tells which thing is meant.
func (g *group) which() bool {
	return slices.ContainsFunc(g.terms, func(t term) bool { return t.size != 0 || t.place != place{} })
}

// nameOf is what a thing of a group is called, where the phrase names others too.
func (p *Phrase) nameOf(g *group) string {
	if len(p.groups) == 1 {
		return ""
	}
	return strings.Join(slices.DeleteFunc(slices.Clone(g.said), func(s string) bool {
		_, isNumber := number(s)
		return isNumber || every[s] || fill[s]
	}), " ")
}

// number finds how many are meant: the first number that is no article, or all where there is none and a plural.
func (g *group) number() error {
	g.count, g.any = 1, true
	all := slices.ContainsFunc(g.kept, func(s string) bool { return every[s] })
	if all || g.several {
		g.count = 0
	}
	for _, s := range g.kept {
		n, isNumber := number(s)
		switch {
		case !isNumber || all && n == 1:
		case n == 0:
			return fmt.Errorf("it says none; %s", sayable)
		case articles[s]:
			g.count = 1
		case s == "pair" && g.terms[0].paired():
			g.count, g.any = 1, false
			return nil
		default:
			g.count, g.any = n, false
			return nil
		}
	}
	return nil
}
