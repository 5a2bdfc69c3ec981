package grounding

import (
	"fmt"
	"slices"
	"strings"
)

// term is one kind of thing.
type term struct {
	classes []int // any of them
	colours []string
	shade   string // "dark", "light" or empty
	size    int    // 1: the largest, −1: the smallest
	place   place
}

// paired says whether one such thing is called a pair.
func (t *term) paired() bool {
	return len(t.classes) == 1 && (classes[t.classes[0]] == "scissors" || classes[t.classes[0]] == "skis")
}

// term reads what alone has left of one kind of thing: the longest run of words that names a class, the last of several, and what the
// others say of it. Without a class it has none. Words that say nothing are passed over.
func (w *Words) term(said []string) (t term, several bool, passed []string, err error) {
	from, to := w.find(said)
	if from < to {
		n, _ := w.named(said[from:to])
		t.classes, several = n.classes, n.several
	}
	for i, s := range said {
		if i >= from && i < to {
			continue
		}
		if !t.describe(s) && !fill[s] && !prepositions[s] {
			passed = append(passed, s)
		}
	}
	if t.place.x == opposite || t.place.y == opposite {
		return t, false, nil, fmt.Errorf("it is in two opposite places at once; say \"the left and the right cup\" of two things")
	}
	return t, several, passed, nil
}

// find is the longest run of words that names a class, the last of several as long; empty where there is none.
func (w *Words) find(said []string) (from, to int) {
	for i := range said {
		for j := min(len(said), i+w.longest); j > i; j-- {
			if _, ok := w.named(said[i:j]); ok && j-i >= to-from {
				from, to = i, j
			}
		}
	}
	return from, to
}

// noun is the words that name a class.
func (w *Words) noun(said []string) []string {
	if said, _, err := w.alone(said); err == nil {
		if from, to := w.find(said); from < to {
			return said[from:to]
		}
	}
	return nil
}

// alone is what is said of the thing by itself. What stands to something else is refused, but for what it is of ("a cup of coffee", "a
// herd of cows"), which says nothing and is passed over.
func (w *Words) alone(said []string) (kept, passed []string, err error) {
	for i, s := range said {
		switch {
		case relations[s]:
			return nil, nil, fmt.Errorf("what stands to something else (%q) is not; %s", strings.Join(said[i:], " "), sayable)
		case orders[s]:
			return nil, nil, fmt.Errorf("which one %q is cannot be told; %s", s, sayable)
		case !prepositions[s] || w.placed(said[i+1:]):
		case s == "of":
			if from, to := w.find(said[:i]); from < to {
				return said[:i], said[i+1:], nil
			}
			for _, b := range said[:i] {
				if describes(b) || fill[b] || prepositions[b] {
					kept = append(kept, b)
				} else {
					passed = append(passed, b)
				}
			}
			if len(passed) > 0 { // "a herd of cows" is not one
				kept = slices.DeleteFunc(kept, func(b string) bool { return articles[b] })
			}
			rest, more, err := w.alone(said[i+1:])
			return append(kept, rest...), append(passed, more...), err
		default:
			if i > 0 {
				return nil, nil, fmt.Errorf("what stands to something else (%q) is not; %s", strings.Join(said[i:], " "), sayable)
			}
		}
	}
	return said, nil, nil
}

// placed says whether what follows a preposition only says where in the picture, or in which colour.
func (w *Words) placed(rest []string) bool {
	return !slices.ContainsFunc(rest, func(s string) bool { return !describes(s) && !fill[s] && !prepositions[s] })
}

// opposite is where left and right meet, or top and bottom.
const opposite = 2

// describe takes a word that says what the thing looks like or where it is; false for one that does not.
func (t *term) describe(s string) bool {
	if n, ok := sizes[s]; ok {
		t.size = n
	}
	if at, ok := places[s]; ok {
		t.place.x, t.place.y, t.place.mid = side(t.place.x, at.x), side(t.place.y, at.y), t.place.mid || at.mid
	}
	if s == "dark" || s == "light" {
		t.shade = s
	}
	if c, ok := colourOf(s); ok {
		t.colours = append(t.colours, c)
	}
	return describes(s)
}

// side is both of two sides.
func side(a, b int) int {
	if a*b < 0 || a == opposite {
		return opposite
	}
	return max(-1, min(1, a+b))
}

// unknown says that words name no thing, and what they may have meant.
func (w *Words) unknown(said []string) error {
	if slices.ContainsFunc(said, func(s string) bool { return everything[s] }) {
		return fmt.Errorf("all that can be told apart is found without words, by automask or segment --everything; %s", sayable)
	}
	why := "nothing in it is a thing that the detector knows"
	if describing(said) {
		why = "it names no thing"
	}
	return fmt.Errorf(
		"%s; closest are %s. segedge words lists all of them, and grounding.synonyms adds words",
		why, strings.Join(w.closest(said, 3), ", "),
	)
}
