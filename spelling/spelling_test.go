package spelling

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	long := strings.Repeat("a", 65)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"cup", "cup", 0},
		{"", "cup", 3},
		{"cup", "cups", 1},
		{"cup", "cap", 1},
		{"cup", "up", 1},
		{"kitten", "sitting", 3},
		{"saturday", "sunday", 3},
		{"ab", "ba", 2},
		{long, long, 65},
		{long, "cup", 65},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
