package config

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilesThatAreTooMuch: what the parser would take minutes and gigabytes for is refused before.
func TestFilesThatAreTooMuch(t *testing.T) {
	const n = maxFile - 10
	keys := func(value string) string {
		var s strings.Builder
		for i := 0; s.Len() < n-20; i++ {
			fmt.Fprintf(&s, "a%d: %s\n", i, value)
		}
		return s.String()
	}
	for name, text := range map[string]string{
		"brackets":       "a: " + strings.Repeat("[", n),
		"closed ones":    "a: " + strings.Repeat("[", n/2) + strings.Repeat("]", n/2),
		"braces":         "a: " + strings.Repeat("{", n),
		"maps in maps":   "a: " + strings.Repeat("{a: ", n/4),
		"lists in lists": strings.Repeat("- ", n/2),
		"keys of keys":   strings.Repeat("? ", n/2),
		"values":         strings.Repeat("a: ", n/3),
		"anchors":        "a: " + strings.Repeat("&a ", n/3),
		"tags":           "a: " + strings.Repeat("!a ", n/3),
		"a long list":    "a: [" + strings.Repeat("a,", n/2),
		"many keys":      keys("b"),
		"many lists":     keys("[1, 2]"),
		"many entries":   "a:\n" + strings.Repeat("- a\n", n/4),
		"documents":      strings.Repeat("---\n", n/4),
	} {
		c := Default()
		_, problems := c.parse("x.yaml", []byte(text))
		if len(problems) != 1 || !strings.Contains(problems[0].Text, "this is no configuration") || problems[0].From == "" {
			t.Errorf("%s: %.300v", name, problems)
		}
	}
}
