package inference

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Recognised is a model whose family is known.
type Recognised struct {
	Family  Family
	Encoder *File // nil where the family is a single file
	Decoder *File
}

// ErrUnknownFamily is a model that is none of the known ones; its error says what was seen and what was expected.
var ErrUnknownFamily = errors.New("no known family of promptable models")

// Recognise finds the family of one or two files, in any order, by the names, ranks and fixed sizes of their inputs and
// outputs. family is a family's name where the files alone leave a choice, else empty.
func Recognise(family string, files ...File) (*Recognised, error) {
	if len(files) == 0 || len(files) > 2 {
		return nil, fmt.Errorf("a model is one or two ONNX files (encoder and decoder), not %d", len(files))
	}
	contracts := make([]*Contract, len(files))
	for i, f := range files {
		c, err := f.Contract()
		if err != nil {
			return nil, err
		}
		contracts[i] = c
	}
	var found []Recognised
	nearest, why := -1, ""
	for _, f := range Families() {
		if family != "" && f.Name != family {
			continue
		}
		for _, p := range pairings(contracts) {
			hits, err := f.match(p.encoder, p.decoder)
			if err == nil {
				r := Recognised{Family: f, Decoder: &files[p.d]}
				if p.encoder != nil {
					r.Encoder = &files[p.e]
					f.adopt(p.encoder)
				}
				found = append(found, r)
			} else if hits > nearest {
				nearest, why = hits, fmt.Sprintf("the nearest is %s (%s), but %v", f.Name, f.Title, err)
			}
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("models %v fit the families %s: say which with model.family", files, names(found))
	case nearest < 0:
		return nil, fmt.Errorf("unknown family %q: there are %s", family, strings.Join(familyNames(), ", "))
	}
	return nil, refusal(files, contracts, why)
}

func refusal(files []File, contracts []*Contract, why string) error {
	var seen []string
	for i, c := range contracts {
		seen = append(seen, fmt.Sprintf("%s takes %s and gives %s", files[i], describe(c.Inputs), describe(c.Outputs)))
	}
	return fmt.Errorf("%w: %s; %s", ErrUnknownFamily, strings.Join(seen, "; "), why)
}

func names(rs []Recognised) string {
	var s []string
	for _, r := range rs {
		s = append(s, r.Family.Name)
	}
	return strings.Join(s, ", ")
}

func familyNames() []string {
	var s []string
	for _, f := range Families() {
		s = append(s, f.Name)
	}
	return s
}

// pairing says which contract is tried as the encoder and which as the decoder.
type pairing struct {
	e, d             int
	encoder, decoder *Contract
}

func pairings(cs []*Contract) []pairing {
	if len(cs) == 1 {
		return []pairing{{0, 0, nil, cs[0]}}
	}
	return []pairing{{0, 1, cs[0], cs[1]}, {1, 0, cs[1], cs[0]}}
}

// match reports how many names of the family the graphs have, and the first thing that does not fit.
func (f *Family) match(encoder, decoder *Contract) (hits int, err error) {
	note := func(format string, args ...any) {
		if err == nil {
			err = fmt.Errorf(format, args...)
		}
	}
	want := slices.DeleteFunc([]string{f.Ask.Image, f.Ask.Points, f.Ask.Labels, f.Ask.Mask, f.Ask.Has, f.Ask.Size},
		func(s string) bool { return s == "" })
	want = append(want, slices.Sorted(maps.Keys(f.Image.Embeds))...)
	for _, n := range want {
		if index(decoder.Inputs, n) >= 0 {
			hits++
		} else {
			note("its decoder has an input %q, which is missing here", n)
		}
	}
	for _, p := range decoder.Inputs {
		if !slices.Contains(want, p.Name) {
			note("its decoder has no input %q, which is there", p.Name)
		}
	}
	for _, n := range []string{f.Reply.Logits, f.Reply.Scores} {
		if index(decoder.Outputs, n) >= 0 {
			hits++
		} else {
			note("its decoder has an output %q, which is missing here", n)
		}
	}
	switch single := f.Ask.Image != ""; {
	case single && encoder != nil:
		note("it is a single file")
	case !single && encoder == nil:
		note("it is two files, an encoder and a decoder")
	case !single:
		h, e := f.matchEncoder(encoder, decoder)
		hits += h
		if e != nil {
			note("%w", e)
		}
	}
	if err == nil {
		err = f.matchSizes(decoder)
	}
	return hits, err
}

func (f *Family) matchEncoder(encoder, decoder *Contract) (hits int, err error) {
	for _, to := range slices.Sorted(maps.Keys(f.Image.Embeds)) {
		from := f.Image.Embeds[to]
		o, i := f.embedding(encoder, from), index(decoder.Inputs, to)
		if o < 0 {
			err = fmt.Errorf("its encoder has an output %q, which is missing here", from)
			continue
		}
		hits++
		if i >= 0 && !agree(encoder.Outputs[o].Shape, decoder.Inputs[i].Shape) {
			return hits, fmt.Errorf("encoder and decoder are of different models: one gives %s, the other takes %s",
				encoder.Outputs[o], decoder.Inputs[i])
		}
	}
	if err != nil {
		return hits, err
	}
	p, ok := imagePort(encoder.Inputs, f.Image.Input)
	if !ok {
		return hits, fmt.Errorf("its encoder has one input, the picture; this has %s", describe(encoder.Inputs))
	}
	return hits, f.matchImage(p)
}

// embedding is the encoder's output of this name; where the family has a single one, a lone output of any name will do.
func (f *Family) embedding(encoder *Contract, name string) int {
	if len(f.Image.Embeds) == 1 && len(encoder.Outputs) == 1 {
		return 0
	}
	return index(encoder.Outputs, name)
}

// adopt takes over the names of the encoder's outputs. The family is this model's own copy.
func (f *Family) adopt(encoder *Contract) {
	for to, from := range f.Image.Embeds {
		f.Image.Embeds[to] = encoder.Outputs[f.embedding(encoder, from)].Name
	}
}

// maxSide bounds what a file can make of the memory: the largest published input is a quarter of it.
const maxSide = 4096

func (f *Family) matchImage(p Port) error {
	r := &f.Image
	if p.Type != "float32" {
		return fmt.Errorf("it takes the picture as float32, not %s", p)
	}
	if p.Shape == nil {
		return nil
	}
	if len(p.Shape) != r.Rank {
		return fmt.Errorf("it takes the picture in %d dimensions, not %s", r.Rank, p)
	}
	channels := p.Shape[1]
	if r.Rank == 3 {
		channels = p.Shape[2]
	}
	if channels > 0 && channels != 3 {
		return fmt.Errorf("it takes a picture of 3 channels, not %s", p)
	}
	for _, n := range p.Shape {
		if n > maxSide {
			return fmt.Errorf("it takes a picture of at most %d pixels a side, not %s", maxSide, p)
		}
	}
	if r.Fit == FitPad || r.Fit == FitSquash {
		if h, w := p.Shape[2], p.Shape[3]; h != w {
			return fmt.Errorf("it takes a square picture, not %s", p)
		}
	}
	return nil
}

// matchSizes checks ranks and fixed sizes of the decoder's inputs.
func (f *Family) matchSizes(decoder *Contract) error {
	p := decoder.Inputs[index(decoder.Inputs, f.Ask.Points)]
	if p.Shape == nil {
		return nil
	}
	rank := 3
	if f.Ask.Queries {
		rank = 4
	}
	if len(p.Shape) != rank || p.Shape[rank-1] >= 0 && p.Shape[rank-1] != 2 {
		return fmt.Errorf("it takes points in %d dimensions, the last of size 2, not %s", rank, p)
	}
	if f.Ask.Mask == "" {
		return nil
	}
	m := decoder.Inputs[index(decoder.Inputs, f.Ask.Mask)]
	if g := int64(f.Ask.Grid); len(m.Shape) == 4 && g > 0 && (m.Shape[2] >= 0 && m.Shape[2] != g || m.Shape[3] >= 0 && m.Shape[3] != g) {
		return fmt.Errorf("it takes mask prompts of %d×%d, not %s", g, g, m)
	}
	return nil
}

// agree reports whether two shapes can be the same.
func agree(a, b []int64) bool {
	if a == nil || b == nil {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] >= 0 && b[i] >= 0 && a[i] != b[i] {
			return false
		}
	}
	return true
}

func (f *Family) encoderOutputs() []string { return slices.Sorted(maps.Values(f.Image.Embeds)) }
