package grounding

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

func theWords(t *testing.T) Words {
	t.Helper()
	w, err := NewWords("person: frau, mann\ndog: hund  # in German")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// told is a parsed phrase in one line: number, then each term.
func told(p *Phrase) string {
	s := fmt.Sprint(p.Count)
	for _, t := range p.Terms {
		s += " " + strings.Join(append(append([]string{}, t.colours...), classes[t.class]), "-")
		if t.shade != "" {
			s += " " + t.shade
		}
		if t.size != 0 {
			s += fmt.Sprintf(" size%+d", t.size)
		}
		if t.place != (place{}) {
			s += fmt.Sprintf(" at%+d%+d", t.place.x, t.place.y)
		}
	}
	for _, n := range p.Not {
		s += " not " + classes[n]
	}
	return s
}

// TestWhatPhrasesMean: number, colour, shade, size, place, "or", "and", "but not", plurals and synonyms, in any language that was added.
func TestWhatPhrasesMean(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"dog": "1 dog", "Dogs": "0 dog", "the big dog": "1 dog size+1", "a woman": "1 person", "people": "0 person", "hot dog": "1 hot dog",
		"two hot dogs": "2 hot dog", "buses": "0 bus", "red sports car": "1 red-car", "coffee mug": "1 cup", "two red cups": "2 red-cup",
		"all the children": "0 person", "the left cup": "1 cup at-1+0", "the person on the right": "1 person at+1+0", "upper left bird": "1 bird at-1-1",
		"cup or bottle": "1 cup bottle", "dog and cat": "0 dog cat", "brown and white cow": "1 brown-white-cow", "a dark grey car": "1 grey-car dark",
		"gray cars": "0 grey-car", "silver car": "1 grey-car", "car but not truck": "1 car not truck", "the smallest person, not a dog": "1 person size-1 not dog",
		"orange": "1 orange", "orange ball": "1 orange-sports ball", "an orange": "1 orange", "wine glass": "1 wine glass", "Frau": "1 person", "zwei Hund": "1 dog", "every dog": "0 dog", "3 dogs": "3 dog",
	} {
		p, err := w.Parse(phrase)
		if err != nil {
			t.Errorf("%q: %v", phrase, err)
		} else if got := told(p); got != want {
			t.Errorf("%q is %s, want %s", phrase, got, want)
		}
	}
}

// TestWhatIsNotUnderstoodIsRefused with what can be said, and the classes that are closest.
func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	w := theWords(t)
	for phrase, want := range map[string]string{
		"": "empty", "not a person": "what the thing is not", "no dogs": "what the thing is not", "the cup behind the table": "behind the table",
		"man with a hat": "with a hat", "happiness": "closest are", "bycicle": "bicycle", "kettle": "closest are", "red": "closest are", "dog or": "closest are",
	} {
		_, err := w.Parse(phrase)
		var refused *PhraseError
		if !errors.As(err, &refused) || refused.UnknownPhrase() != phrase || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", phrase, err, want)
		}
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
	} {
		boxes, note, err := d.Ground(t.Context(), nil, f, phrase)
		ok := err == nil && len(boxes) == len(want) && (note != "") == (phrase == "three cars")
		for i := range boxes {
			ok = ok && boxes[i].IoU(want[i]) > 0.95
		}
		if !ok {
			t.Errorf("%q: %.2f (%s), %v; want %.2f", phrase, boxes, note, err, want)
		}
	}
}
