package config

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/segedge/segedge/secret"
)

// unreadable says why a file is no YAML, and where. Without its structure nobody can tell where a secret in it ends, so of its lines
// nothing is shown but the names of settings.
func (d *document) unreadable(err error) *Problem {
	d.hidden = hidden{}
	text, at := "this is no YAML", place{1, 1}
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		text = quoted.ReplaceAllStringFunc(syntax.Message, shownQuote)
		if t := syntax.Token; t != nil && t.Position != nil {
			at = place{max(1, t.Position.Line), max(1, t.Position.Column)}
		}
	}
	if line, column, ok := tabbed(d.lines(), at.line); ok {
		text, at = "a tab stands here, and YAML takes spaces alone in front of a setting: put spaces in its place", place{line, column}
	}
	for i, line := range d.lines() {
		d.hidden.from(i+1, 1+shownStart(line))
	}
	return d.problem("", at, "%s", text)
}

// tabbed is the first line up to one at which a file is no YAML that has a tab in front of its setting, and the tab's column.
func tabbed(lines []string, until int) (line, column int, ok bool) {
	for i, text := range lines[:min(until, len(lines))] {
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t-"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 {
			return i + 1, at + 1, true
		}
	}
	return 0, 0, false
}

// quoted is what the parser repeats of the file: single characters are no secret.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.){2,}"`)

func shownQuote(q string) string {
	if isSettingName(strings.Trim(q, `"`)) {
		return q
	}
	return `"` + secret.Hidden + `"`
}

// keyForm is the start of a line that may be shown: the name of a setting, in a list or not. It ends before the value.
var keyForm = regexp.MustCompile(`^[ \t]*(?:-[ \t]+)*(\w+)[ \t]*:[ \t]*`)

// shownStart is how many runes of a line may be shown.
func shownStart(line string) int {
	if m := keyForm.FindStringSubmatch(line); m != nil && isSettingName(m[1]) {
		return len(m[0]) // which is ASCII
	}
	return len(line) - len(strings.TrimLeft(line, " \t"))
}

// isSettingName reports whether a setting, or a section, is called so.
func isSettingName(name string) bool { return slices.Contains(settingNames, name) }

var settingNames = namesWithin(reflect.TypeFor[Config]())

func namesWithin(t reflect.Type) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	out := names(t)
	for f := range t.Fields() {
		out = append(out, namesWithin(f.Type)...)
	}
	return out
}
