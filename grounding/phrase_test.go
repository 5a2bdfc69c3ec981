package grounding

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

func theWords(t *testing.T) *Words {
	t.Helper()
	w, err := NewWords(`person: frau, mann
dog: hund  # in German
dogs: hunde
red: rot, rote, roter
left: links, linke, linker, a la izquierda
two: zwei
and: und
or: oder
not: nicht, kein
in: im
middle: mitte
dog: 狗, perro
red: 红色
of: 的
dog, cat: haustier
person: l'homme, café-gast`)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// told is a parsed phrase in one line: of each group its number and its terms, then what it is not and what was passed over.
func told(p *Phrase) string {
	var groups []string
	for _, g := range p.groups {
		s := fmt.Sprint(g.count)
		for i := range g.terms {
			s += " " + toldTerm(&g.terms[i])
		}
		groups = append(groups, s)
	}
	s := strings.Join(groups, " + ")
	for i := range p.not {
		s += " not " + toldTerm(&p.not[i])
	}
	if len(p.passed) > 0 {
		s += " passed " + strings.Join(p.passed, " ")
	}
	return s
}

func toldTerm(t *term) string {
	s := strings.Join(append(slices.Clone(t.colours), strings.ReplaceAll(classNames(t.classes), ", ", "|")), "-")
	if t.shade != "" {
		s += " " + t.shade
	}
	if t.size != 0 {
		s += fmt.Sprintf(" size%+d", t.size)
	}
	if t.place != (place{}) {
		s += fmt.Sprintf(" at%+d%+d", t.place.x, t.place.y)
	}
	return s
}

// TestWhatPhrasesMean: number, colour, shade, size, place, "or", "and", "but not", plurals and synonyms, in any language that was added.
func TestWhatPhrasesMean(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"dog": "1 dog", "Dogs": "0 dog", "the big dog": "1 dog size+1", "a woman": "1 person", "people": "0 person", "hot dog": "1 hot dog",
		"two hot dogs": "2 hot dog", "buses": "0 bus", "red sports car": "1 red-car passed sports", "coffee mug": "1 cup passed coffee", "two red cups": "2 red-cup",
		"all the children": "0 person", "the left cup": "1 cup at-1+0", "the person on the right": "1 person at+1+0", "upper left bird": "1 bird at-1-1",
		"cup or bottle": "1 cup bottle", "dog and cat": "1 dog + 1 cat", "brown and white cow": "1 brown-white-cow", "a dark grey car": "1 grey-car dark",
		"gray cars": "0 grey-car", "silver car": "1 grey-car", "car but not truck": "1 car not truck", "the smallest person, not a dog": "1 person size-1 not dog",
		"orange": "1 orange", "orange ball": "1 orange-sports ball", "an orange": "1 orange", "wine glass": "1 wine glass", "Frau": "1 person", "zwei Hund": "2 dog", "every dog": "0 dog", "3 dogs": "3 dog",
	} {
		p, err := w.Parse(phrase)
		if err != nil {
			t.Errorf("%q: %v", phrase, err)
		} else if got := told(p); got != want {
			t.Errorf("%q is %s, want %s", phrase, got, want)
		}
	}
}

// TestJoinedAndDescribed: each thing of a list has its own number, words that only describe go to the thing they describe, a comma is what the
// list ends with, and "of" is no relation where a number or a measure stands before it.
func TestJoinedAndDescribed(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"a dog and a woman": "1 dog + 1 person", "two dogs and a woman": "2 dog + 1 person", "2 red and 3 blue cars": "2 red-car + 3 blue-car",
		"a man and a woman": "1 person + 1 person", "dog, woman": "1 dog + 1 person", "cup, bottle or bowl": "1 cup bottle bowl", "cups, bottles and bowls": "0 cup + 0 bottle + 0 bowl",
		"dog/cat": "1 dog cat", "dogs & cats": "0 dog + 0 cat", "a dog, a cat, and a bird": "1 dog + 1 cat + 1 bird", "dog,": "1 dog", "big, red car": "1 red-car size+1",
		"red, green or blue cars": "0 red-car green-car blue-car", "a red and a blue car": "1 red-car + 1 blue-car", "the left and the right cup": "1 cup at-1+0 + 1 cup at+1+0",
		"cow, brown and white": "1 brown-white-cow", "cars, red or blue": "0 red-car blue-car", "cars that are red or blue": "0 red-car blue-car",
		"apple and orange": "1 apple + 1 orange", "orange and apple": "1 orange + 1 apple", "an orange or an apple": "1 orange apple", "orange and white cat": "1 orange-white-cat", "two cups or bottles": "2 cup bottle",
		"a dog or two": "2 dog", "three of the dogs": "3 dog", "both of them dogs": "2 dog passed them", "a couple of dogs": "2 dog", "one dog": "1 dog", "any of the dogs": "0 dog", "every one of the dogs": "0 dog",
		"a pair of scissors": "1 scissors", "a pair of dogs": "2 dog", "a cup of coffee": "1 cup passed coffee", "a herd of cows": "0 cow passed herd", "bowl of oranges": "1 bowl passed oranges",
		"11 dogs": "11 dog", "a dozen dogs": "12 dog", "car but not red": "1 car not red-", "cars that aren't red": "0 car not red-", "cars, not the red ones": "0 car not red- passed ones",
		"cars but not red cars": "0 car not red-car", "animals but not dogs or cats": "0 bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe not dog not cat",
		"car but not truck and not bus": "1 car not truck not bus", "the dog on the left side of the picture": "1 dog at-1+0", "the dog in the upper left corner": "1 dog at-1-1", "woman in red": "1 red-person",
		"the running dog": "1 dog passed running", "dog woman": "1 person passed dog", "where is my dog?": "1 dog", "look for a dog": "1 dog", "on the left a dog": "1 dog at-1+0",
	} {
		p, err := w.Parse(phrase)
		if err != nil {
			t.Errorf("%q: %v", phrase, err)
		} else if got := told(p); got != want {
			t.Errorf("%q is %s, want %s", phrase, got, want)
		}
	}
}

// TestHowPhrasesAreWritten: marks, quotes, possessives, forms of accents and other scripts change nothing.
func TestHowPhrasesAreWritten(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"dog's": "1 dog", "the dog\u2019s": "1 dog", "'dog'": "1 dog", "\u201cdog\u201d": "1 dog", "dog:": "1 dog", "(brown) dog": "1 brown-dog", "dog\n": "1 dog", "  DOG\t!": "1 dog", "hot-dog": "1 hot dog",
		"[dog]": "1 dog", "\uff24\uff4f\uff47": "1 dog", "puppies": "0 dog passed", "ladies": "0 person", "zwei rote Hunde": "2 red-dog", "Hunde": "0 dog", "Hund und Frau": "1 dog + 1 person", "der linke Hund": "1 dog at-1+0 passed der",
		"Hund, nicht rot": "1 dog not red-", "Hund im Auto": "", "Hund oder Frau": "1 dog person", "perro a la izquierda": "1 dog at-1+0", "Haustier": "1 dog|cat", "红色的狗": "1 red-dog", "红色狗": "1 red-dog", "大狗": "1 dog passed 大", "L'homme": "1 person", "l\u2019homme": "1 person",
		"cafe\u0301-gast": "1 person", "CAF\u00c9 Gast": "1 person",
	} {
		p, err := w.Parse(phrase)
		switch got := ""; {
		case err == nil:
			if got = told(p); got != want && got+" passed" != want {
				t.Errorf("%q is %s, want %s", phrase, got, want)
			}
		case want != "":
			t.Errorf("%q: %v", phrase, err)
		}
	}
}

// TestWhatIsNotUnderstoodIsRefused with what can be said, and the classes that are closest.
func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"": "empty", "not a person": "what the thing is not", "no dogs": "what the thing is not", "the cup behind the table": "behind the table",
		"man with a hat": "with a hat", "happiness": "closest are", "bycicle": "bicycle", "kettle": "closest are", "red": "closest are", "dog or": "joins it to nothing",
		"or dog": "joins it to nothing", "dog and or cat": "joins it to nothing", ",": "empty", "!?": "empty", "\x01": "empty", "no": "what the thing is not", "dog but not": "says not what", "brown": "names no thing; closest are",
		"the brown thing": "automask", "everything": "automask", "everything except the dog": "automask", "cup on the table": "on the table", "dog in the car": "in the car", "person at the door": "at the door",
		"the second dog": "second", "the other dog": "other", "the tallest man": "tallest", "at least two dogs": "least", "more than two dogs": "more", "zero dogs": "says none", "0 dogs": "says none",
		"the left right dog": "opposite", "people but not women": "tells no such two things apart: both are person", "dog but not dog": "both are dog", "dogs but not the left one": "no size and no place",
		"dog but not happiness": "closest are", "woman to the left of the dog": "to the left of the dog", "dgo": "dog", "kitte": "kitten (cat)", "\u72d0": "closest are", strings.Repeat("a", 257): "257 bytes", "2000 happinesses": "closest are",
		"dog in zone yard": "in zone yard",
	} {
		_, err := w.Parse(phrase)
		var refused *PhraseError
		if !errors.As(err, &refused) || refused.UnknownPhrase() != phrase || !strings.Contains(err.Error(), want) || len(err.Error()) > 500 {
			t.Errorf("%q: %v, want %q", phrase, err, want)
		}
	}
	if _, err := NewWords("puppy, dog: hund"); err == nil || !strings.Contains(err.Error(), "puppy") {
		t.Errorf("a synonym of a synonym: %v", err)
	}
	if _, err := NewWords("doggy: hund"); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a class that there is not: %v", err)
	}
}

// patches are a picture of two things of 40 pixels, the left and the right of these colours, red, green, blue, on grey.
func patches(left, right [3]byte) *frame.Frame {
	f := frame.New(160, 80)
	for y := range 80 {
		for x := range 160 {
			c := [3]byte{140, 140, 140}
			switch {
			case x >= 20 && x < 60 && y >= 20 && y < 60:
				c = left
			case x >= 100 && x < 140 && y >= 20 && y < 60:
				c = right
			case y < 8:
				c = [3]byte{250, 250, 250} // something white, by which the light is judged
			}
			p := f.Pix[y*f.Stride()+3*x:]
			p[0], p[1], p[2] = c[2], c[1], c[0]
		}
	}
	return f
}

// TestColoursAreNamedAsPeopleDo on plain patches, in daylight, and in warm and in dim light.
func TestColoursAreNamedAsPeopleDo(t *testing.T) {
	for name, c := range map[string][3]byte{
		"red": {200, 30, 40}, "blue": {40, 80, 190}, "green": {40, 130, 50}, "yellow": {235, 210, 40}, "orange": {240, 130, 20}, "brown": {120, 75, 45}, "black": {22, 22, 24},
		"white": {240, 240, 238}, "grey": {120, 122, 126}, "purple": {120, 40, 140}, "pink": {240, 150, 180},
	} {
		for light, gain := range map[string][3]float64{"day": {1, 1, 1}, "warm": {1, 0.93, 0.8}, "dim": {0.7, 0.7, 0.7}} {
			var lit [3]byte
			for k := range lit {
				lit[k] = byte(float64(c[k]) * gain[k])
			}
			f := patches(lit, lit)
			for i := range f.Pix {
				if x, y := i/3%160, i/3/160; y < 20 || y >= 60 || x < 20 {
					f.Pix[i] = byte(float64(f.Pix[i]) * gain[2-i%3])
				}
			}
			got := coloursOf(f, middle(160, 80, seg.Box{X0: 20. / 160, Y0: 0.25, X1: 60. / 160, Y1: 0.75}), lightOf(f))
			if fit := got.fits([]string{name}, ""); fit < leastFit {
				t.Errorf("%s in %s light fits %.2f: %v", name, light, fit, got.share)
			}
			for _, other := range []string{"red", "blue", "green"} {
				if fit := got.fits([]string{other}, ""); other != name && fit > 0.6 {
					t.Errorf("%s in %s light is taken for %s: %v", name, light, other, got.share)
				}
			}
		}
	}
}

// TestASilverCarIsNotBlack: a body, and windows and tyres that take more than a third of it.
func TestASilverCarIsNotBlack(t *testing.T) {
	for _, c := range []struct {
		what  string
		body  byte
		asked string
		fits  bool
	}{
		{"silver", 150, "black", false}, {"silver", 150, "grey", true}, {"silver", 150, "white", false},
		{"white", 235, "black", false}, {"white", 235, "white", true}, {"white", 235, "grey", false},
		{"black", 30, "black", true}, {"black", 30, "grey", false}, {"black", 30, "white", false},
	} {
		f := patches([3]byte{c.body, c.body, c.body}, [3]byte{})
		for y := 26; y < 45; y++ { // the windows
			for x := 24; x < 56; x++ {
				p := f.Pix[y*f.Stride()+3*x:][:3]
				p[0], p[1], p[2] = 18, 18, 18
			}
		}
		all := seg.NewMask(160, 80, image.Rect(20, 20, 60, 60))
		for y := 20; y < 60; y++ {
			row := all.Row(y)
			for i := range row {
				row[i] = 1
			}
		}
		got := coloursOf(f, all, lightOf(f))
		if fit := got.fits([]string{c.asked}, ""); (fit >= leastFit) != c.fits {
			t.Errorf("a %s car fits %s by %.2f: %.2f, lightness %.0f", c.what, c.asked, fit, got.share, got.l)
		}
	}
}

// TestGrounding looks for cars of which the left is red and the right blue, with the boxes that a detector would give.
func TestGrounding(t *testing.T) {
	car := 2
	g := &oneBox{size: 160, boxes: []truth{{20, 20, 60, 60, car, 0.8}, {100, 20, 140, 60, car, 0.9}}}
	d, err := New(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := patches([3]byte{200, 30, 40}, [3]byte{40, 80, 190})
	left, right := seg.Box{X0: 20. / 160, Y0: 0.25, X1: 60. / 160, Y1: 0.75}, seg.Box{X0: 100. / 160, Y0: 0.25, X1: 140. / 160, Y1: 0.75}
	for phrase, want := range map[string][]seg.Box{
		"car": {right}, "cars": {right, left}, "red car": {left}, "blue car": {right}, "black car": nil, "the left car": {left}, "rightmost car": {right},
		"two cars": {right, left}, "cars on the left": {left}, "blue or red cars": {right, left}, "truck": nil, "car but not truck": {right}, "three cars": {right, left},
		"car but not red": {right}, "cars, not blue": {left}, "a car and a car": {right, left}, "a red and a blue car": {left, right}, "vehicles": {right, left}, "a red car and a truck": {left}, "a sports car": {right}, "every vehicle but no car": nil,
	} {
		boxes, note, err := d.Ground(t.Context(), nil, f, phrase)
		ok := err == nil && len(boxes) == len(want) && (note != "") == slices.Contains([]string{"three cars", "a red car and a truck", "a sports car"}, phrase)
		for i := range boxes {
			ok = ok && boxes[i].IoU(want[i]) > 0.95
			if name := map[string][]string{"a red and a blue car": {"red car", "blue car"}, "a red car and a truck": {"red car"}}[phrase]; name != nil {
				ok = ok && boxes[i].Name == name[i]
			} else {
				ok = ok && (boxes[i].Name == "" || phrase == "a car and a car")
			}
		}
		if !ok {
			t.Errorf("%q: %v (%s), %v; want %v", phrase, boxes, note, err, want)
		}
	}
}

// TestAKinIsTakenForAClassOnlyInDoubt: a dog that may nearly as well be a cat is one, where no cat is seen; one that is a dog is none.
func TestAKinIsTakenForAClassOnlyInDoubt(t *testing.T) {
	dog, cat := slices.Index(classes, "dog"), slices.Index(classes, "cat")
	for _, c := range []struct {
		dog, cat float32
		want     int
	}{{0.9, 0.2, 0}, {0.9, 0.29, 0}, {0.5, 0.29, 1}, {0.4, 0.1, 0}, {0.2, 0.4, 1}} {
		d, err := New(&oneBox{size: 160, boxes: []truth{{20, 20, 60, 60, dog, c.dog}, {20, 20, 60, 60, cat, c.cat}}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if boxes, _, err := d.Ground(t.Context(), nil, patches([3]byte{}, [3]byte{}), "cat"); err != nil || len(boxes) != c.want {
			t.Errorf("a dog by %.2f, a cat by %.2f: %d cats (%v), want %d", c.dog, c.cat, len(boxes), err, c.want)
		}
	}
}

// FuzzPhrases: whatever is said is understood or refused, in a sentence that can be shown.
func FuzzPhrases(f *testing.F) {
	for _, s := range []string{"a red and a blue car, or two dogs, not white", "of of the in dog on", "orange, orange or orange and", "红色的狗 's ’", "but not", "\xff dog"} {
		f.Add(s)
	}
	w, err := NewWords("red: 红色\ndog: 狗\nof: 的")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := w.Parse(s)
		var refused *PhraseError
		switch {
		case err == nil && len(p.classes()) == 0:
			t.Errorf("%q means no thing", s)
		case err != nil && (!errors.As(err, &refused) || len(err.Error()) > 2000):
			t.Errorf("%q: %v", s, err)
		}
	})
}
