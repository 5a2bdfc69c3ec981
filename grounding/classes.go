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

// Words are what people say: names of the classes, and the grammar's own words in other languages.
type Words struct {
	names   map[string]name   // of one class, or of several of a kind
	said    map[string]string // a word of the grammar, by what else it is called
	longest int               // of all of these, in words
}

// name is what a word stands for.
type name struct {
	classes []int
	several bool // it is a plural
}

// NewWords are the classes' names, the built-in synonyms, and those of more: lines of "WORD: word, word" where WORD is a class, its plural,
// several classes with commas between them, or a word of the grammar, such as a colour; # begins a comment.
func NewWords(more string) (*Words, error) {
	w := &Words{names: map[string]name{}, said: map[string]string{}}
	for i, c := range classes {
		w.names[c] = name{classes: []int{i}}
	}
	for n, text := range []string{builtIn, more} {
		for k, line := range strings.Split(text, "\n") {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.ToLower(strings.TrimSpace(line)); line == "" {
				continue
			}
			if err := w.learn(line, n > 0); err != nil {
				return nil, fmt.Errorf("synonyms, line %d: %w", k+1, err)
			}
		}
	}
	for word := range w.names {
		w.longest = max(w.longest, 1+strings.Count(word, " "))
	}
	for word := range w.said {
		w.longest = max(w.longest, 1+strings.Count(word, " "))
	}
	return w, nil
}

// learn takes in a line of synonyms. What is built in gives no class's name another meaning; a person's own words may.
func (w *Words) learn(line string, own bool) error {
	of, others, ok := strings.Cut(line, ":")
	means, isClass := w.classesOf(of)
	word := strings.Join(split(of), " ")
	if !ok || !isClass && !grammatical(word) {
		return fmt.Errorf(
			"%q: write WORD: WORD, WORD; the first is one of the detector's classes (%s), or a number, colour, size or place in English",
			line,
			strings.Join(classes, ", "),
		)
	}
	for other := range strings.SplitSeq(others, ",") {
		key := strings.Join(split(other), " ")
		_, taken := w.names[key]
		switch {
		case key == "" || taken && !own:
		case isClass:
			w.names[key] = means
		default:
			w.said[key] = word
		}
	}
	return nil
}

// classesOf are the classes named by a list with commas; false where one of them is none.
func (w *Words) classesOf(list string) (all name, ok bool) {
	for one := range strings.SplitSeq(list, ",") {
		n, ok := w.named(split(one))
		if !ok || !slices.Contains(classes, strings.TrimSpace(one)) && !n.several {
			return all, false // a synonym of a synonym would hang on the order of the lines
		}
		all.classes, all.several = append(all.classes, n.classes...), n.several
	}
	return all, true
}

// named is what words name together.
func (w *Words) named(words []string) (name, bool) {
	p := strings.Join(words, " ")
	if n, ok := w.names[p]; ok {
		n.several = n.several || irregular[p]
		return n, true
	}
	for _, ending := range [][2]string{{"s", ""}, {"es", ""}, {"ies", "y"}} {
		if one, ok := strings.CutSuffix(p, ending[0]); ok {
			if n, ok := w.names[one+ending[1]]; ok {
				n.several = true
				return n, true
			}
		}
	}
	return name{}, false
}

// irregular are plurals that do not end in s, as far as the synonyms have them.
var irregular = words(
	"people folks men women children policemen policewomen firemen gentlemen geese cattle oxen calves mice " +
		"knives books glasses everybody everyone",
)

// List is every class with its other names, in the order of the classes, and then the names of several and the grammar's words in other
// languages.
func (w *Words) List() []string {
	others, kinds := map[string][]string{}, []string(nil)
	for _, word := range slices.Sorted(maps.Keys(w.names)) {
		n := w.names[word]
		of := classNames(n.classes)
		if len(n.classes) > 1 && others[of] == nil {
			kinds = append(kinds, of)
		}
		if word != of {
			others[of] = append(others[of], word)
		}
	}
	for _, word := range slices.Sorted(maps.Keys(w.said)) {
		of := w.said[word]
		if others[of] == nil {
			kinds = append(kinds, of)
		}
		others[of] = append(others[of], word)
	}
	slices.Sort(kinds)
	out := append(slices.Clone(classes), kinds...)
	for i, of := range out {
		if len(others[of]) > 0 {
			out[i] += ": " + strings.Join(others[of], ", ")
		}
	}
	return out
}

func classNames(list []int) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = classes[c]
	}
	return strings.Join(names, ", ")
}

// closest are the n classes whose names, or whose synonyms, are spelt most alike to one of the words or to all of them; a synonym with its
// class, of which it is one.
func (w *Words) closest(said []string, n int) []string {
	said = append(slices.DeleteFunc(slices.Clone(said), func(s string) bool { return grammatical(s) || fill[s] }), strings.Join(said, " "))
	type guess struct {
		word     string
		distance float64
	}
	best := map[int]guess{}
	for _, word := range slices.Sorted(maps.Keys(w.names)) {
		for _, s := range said {
			d := float64(spelling.Distance(s, word)) / float64(max(len(s), len(word)))
			for _, class := range w.names[word].classes {
				if old, ok := best[class]; !ok || d < old.distance || d == old.distance && word == classes[class] {
					best[class] = guess{word, d}
				}
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(best), func(a, b int) int {
		return cmp.Or(cmp.Compare(best[a].distance, best[b].distance), cmp.Compare(a, b))
	})
	var out []string
	for _, i := range order[:min(n, len(order))] {
		if best[i].word == classes[i] {
			out = append(out, classes[i])
		} else {
			out = append(out, fmt.Sprintf("%s (%s)", best[i].word, classes[i]))
		}
	}
	return out
}
