package api

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/segedge/segedge/seg"
)

// ParseObject reads an object's id as every door writes it, "<camera>-<n>": the n of an object of that camera. The
// error is an *Error that a reply can carry.
func ParseObject(camera, s string) (seg.ID, error) {
	digits, ok := strings.CutPrefix(s, camera+"-")
	if !ok {
		const form = "object %q is not one of camera %q: its objects are called %s-1, %s-2, …"
		return 0, &Error{UnknownObject, fmt.Sprintf(form, s, camera, camera, camera)}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n == 0 || seg.ObjectID(camera, seg.ID(n)) != s {
		return 0, &Error{UnknownObject, fmt.Sprintf("object %q is not an id: write %s-<number>", s, camera)}
	}
	return seg.ID(n), nil
}

// ValidReply reports whether s can name a client: a level of an MQTT topic, so 1 to 64 letters, digits, '_', '.' or '-'.
func ValidReply(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, nameLetters) == ""
}

// nameLetters are what names in topics are made of.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

// checkText refuses a name or phrase that nobody could read: nothing but blanks, control characters, line ends, marks
// that turn the direction of what follows, or too long.
func checkText(what, s string) error {
	if len(s) > maxName {
		return fmt.Errorf("a %s has at most %d bytes, not %d", what, maxName, len(s))
	}
	if s != "" && strings.TrimFunc(s, blank) == "" {
		return fmt.Errorf("the %s is nothing but blanks", what)
	}
	for _, r := range s {
		if unicode.IsControl(r) || strings.ContainsRune(turning, r) || r == utf8.RuneError || unicode.Is(unicode.Noncharacter_Code_Point, r) {
			return fmt.Errorf("the %s %q has the character %U in it, which cannot be shown", what, s, r)
		}
	}
	return nil
}

// blank reports whether nobody sees a character: a space of any width, a mark that only joins or selects others, a filler.
func blank(r rune) bool {
	return unicode.IsSpace(r) || r == emptyBraille ||
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// emptyBraille is a character of Braille without dots, which counts as no space.
const emptyBraille = '\u2800'

// turning are the line and paragraph separators and the marks that override the direction of text (Unicode, annex 9).
const turning = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

// ValidName reports whether s can be a camera's or an agent's name: a level of an MQTT topic, a segment of a path and
// the head of an object's id, so 1 to 64 letters, digits, '_', '.' or '-', starting with a letter or a digit.
func ValidName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i, c := range []byte(s) {
		if strings.IndexByte(nameLetters, c) < 0 || i == 0 && strings.IndexByte("_.-", c) >= 0 {
			return false
		}
	}
	return true
}
