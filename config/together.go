package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/segedge/segedge/secret"
)

// Where a comma is missing between two settings, {role: view token: x}, the parser takes both for the value of one; then what is repeated
// of the one would be the other, which may be a secret.

// together is where another setting begins within a value.
var together = regexp.MustCompile(`\s["']?(` + strings.Join(longestFirst(settingNames), "|") + `)["']?\s*:(?:\s|$)`)

func longestFirst(names []string) []string {
	out := slices.Clone(names)
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// runTogether is the setting that a value without quotation marks has swallowed; empty where there is none.
func runTogether(n ast.Node) string {
	s, ok := n.(*ast.StringNode)
	if !ok || s.Token == nil || s.Token.Type != token.StringType {
		return ""
	}
	if m := together.FindStringSubmatch(s.Value); m != nil {
		return m[1]
	}
	return ""
}

// shownText is what may be repeated of a value: the part before another setting.
func shownText(s string) string {
	if at := together.FindStringIndex(s); at != nil {
		return s[:at[0]] + " " + secret.Hidden
	}
	return s
}

// shownWord is what may be repeated, in quotation marks, of a value that should be one word.
func shownWord(s string) string {
	if at := strings.IndexAny(s, " \t\r\n"); at >= 0 {
		s = s[:at] + " " + secret.Hidden
	}
	return strconv.Quote(s)
}

// shownTexts are the parts of a sentence, each as it may be shown.
func shownTexts(args []any) []any {
	out := slices.Clone(args)
	for i, a := range out {
		if s, ok := a.(string); ok {
			out[i] = secret.MaskValue(shownText(s))
		}
	}
	return out
}
