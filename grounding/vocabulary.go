package grounding

import (
	"strconv"
	"strings"
)

// place is where in the picture, or among what was found, a thing is.
type place struct {
	x, y int // −1: left, top; 1: right, bottom
	mid  bool
}

// The words that are no names of things.
var (
	articles = words("a an")
	numbers  = map[string]int{
		"zero": 0, "none": 0, "a": 1, "an": 1, "one": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
		"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "twenty": 20, "both": 2, "couple": 2, "pair": 2,
	}
	every = words("all every each any some several many")
	fill  = words(
		"the this that these those is are it my your picture image scene frame side hand part half corner edge please find " +
			"follow track show me there which where can you i want see look for select segment detect mark also",
	)
	prepositions = words("of in on at to by")
	sizes        = map[string]int{
		"largest": 1, "larger": 1, "biggest": 1, "bigger": 1, "large": 1, "big": 1, "huge": 1, "nearest": 1, "closest": 1,
		"smallest": -1, "smaller": -1, "small": -1, "tiny": -1, "little": -1, "farthest": -1, "furthest": -1,
	}
	places = map[string]place{
		"left": {x: -1}, "leftmost": {x: -1}, "right": {x: 1}, "rightmost": {x: 1},
		"top": {y: -1}, "upper": {y: -1}, "topmost": {y: -1}, "highest": {y: -1}, "bottom": {y: 1}, "lower": {y: 1}, "lowest": {y: 1},
		"middle": {mid: true}, "center": {mid: true}, "centre": {mid: true}, "central": {mid: true},
	}
	relations = words(
		"behind under underneath beneath beside near next between above below over inside outside front holding wearing carrying riding with " +
			"without from facing touching against around along who whose when while than",
	)
	orders = words( // they say which one is meant by what a picture does not tell, or the grammar does not count
		"first second third fourth fifth 1st 2nd 3rd 4th 5th last other another same previous least most fewer less more only " +
			"tallest shortest longest widest thinnest oldest youngest fastest slowest brightest darkest lightest newest",
	)
	refusals   = words("not no non never nothing neither nor except excluding besides but isn't aren't")
	everything = words("thing things object objects something anything everything stuff")
)

func words(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

// number is how many a word says.
func number(s string) (n int, ok bool) {
	if n, ok := numbers[s]; ok {
		return n, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

func joins(s string) bool { return s == "or" || s == "and" || s == "," }

// describes says whether a word tells of a thing what it looks like, where it is or how many there are.
func describes(s string) bool {
	_, isColour := colourOf(s)
	_, isNumber := number(s)
	_, isPlace := places[s]
	return isColour || isNumber || isPlace || every[s] || sizes[s] != 0 || s == "dark" || s == "light"
}

// grammatical says whether the grammar knows a word by itself.
func grammatical(s string) bool {
	return describes(s) || joins(s) || refusals[s] || relations[s] || prepositions[s] || orders[s] || everything[s] || s == "the"
}
