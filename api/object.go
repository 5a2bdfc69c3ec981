package api

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/segedge/segedge/seg"
)

// ParseObject reads an object's id as every door writes it, "<camera>-<n>": the n of an object of that camera. The
// error is an *Error that a reply can carry.
func ParseObject(camera, s string) (seg.ID, error) {
	digits, ok := strings.CutPrefix(s, camera+"-")
	if !ok {
		return 0, &Error{UnknownObject, fmt.Sprintf("object %q is not one of camera %q: its objects are called %s-1, %s-2, …", s, camera, camera, camera)}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n == 0 || seg.ObjectID(camera, seg.ID(n)) != s {
		return 0, &Error{UnknownObject, fmt.Sprintf("object %q is not an id: write %s-<number>", s, camera)}
	}
	return seg.ID(n), nil
}

// ValidName reports whether s can be a camera's or an agent's name: a level of an MQTT topic, a segment of a path and
// the head of an object's id, so 1 to 64 letters, digits, '_', '.' or '-', starting with a letter or a digit.
func ValidName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("_.-", rune(c))) {
			return false
		}
	}
	return true
}
