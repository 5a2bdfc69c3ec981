package grounding

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/segedge/segedge/spelling"
)

// classes are COCO's, in the order of its detectors.
var classes = []string{
	"person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
	"fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
	"elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
	"skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
	"wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
	"broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
	"dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
	"toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
}

//go:embed synonyms.txt
var builtIn string

// Words are the classes by what people call them.
type Words map[string]int

// NewWords are the classes' names, the built-in synonyms, and those of more, lines of "class: word, word"; # begins a comment.
func NewWords(more string) (Words, error) {
	w := Words{}
	for i, c := range classes {
		w[c] = i
	}
	for n, text := range []string{builtIn, more} {
		for k, line := range strings.Split(text, "\n") {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.ToLower(strings.TrimSpace(line)); line == "" {
				continue
			}
			class, words, ok := strings.Cut(line, ":")
			i := slices.Index(classes, strings.TrimSpace(class))
			if !ok || i < 0 {
				return nil, fmt.Errorf(
					"synonyms, line %d: %q: write CLASS: WORD, WORD with one of the detector's classes (%s)",
					k+1,
					line,
					strings.Join(classes, ", "),
				)
			}
			for word := range strings.SplitSeq(words, ",") {
				if word = strings.TrimSpace(word); word != "" && (n > 0 || w[word] == 0) {
					w[word] = i
				}
			}
		}
	}
	return w, nil
}

// class is the class that words name together, and whether they say several of it; -1 for none.
func (w Words) class(words []string) (class int, plural bool) {
	p := strings.Join(words, " ")
	if i, ok := w[p]; ok {
		return i, irregular[p]
	}
	for _, ending := range []string{"s", "es"} {
		if one, ok := strings.CutSuffix(p, ending); ok {
			if i, ok := w[one]; ok {
				return i, true
			}
		}
	}
	return -1, false
}

// irregular are plurals that do not end in s, as far as the synonyms have them.
var irregular = map[string]bool{
	"people":   true,
	"men":      true,
	"women":    true,
	"children": true,
	"geese":    true,
	"cattle":   true,
	"oxen":     true,
	"knives":   true,
	"books":    true,
	"glasses":  true,
}

// List is every class with its other names, in the order of the classes.
func (w Words) List() []string {
	names := map[int][]string{}
	for _, word := range slices.Sorted(maps.Keys(w)) {
		if word != classes[w[word]] {
			names[w[word]] = append(names[w[word]], word)
		}
	}
	out := slices.Clone(classes)
	for i := range out {
		if len(names[i]) > 0 {
			out[i] += ": " + strings.Join(names[i], ", ")
		}
	}
	return out
}

// closest are the n classes whose names, or whose synonyms, are spelt most alike to the words.
func (w Words) closest(phrase string, n int) []string {
	best := map[int]float64{}
	for word, class := range w {
		for _, said := range append(strings.Fields(phrase), phrase) {
			d := float64(spelling.Distance(said, word)) / float64(max(len(said), len(word)))
			if old, ok := best[class]; !ok || d < old {
				best[class] = d
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(best), func(a, b int) int { return cmp.Or(cmp.Compare(best[a], best[b]), cmp.Compare(a, b)) })
	var out []string
	for _, i := range order[:min(n, len(order))] {
		out = append(out, classes[i])
	}
	return out
}
