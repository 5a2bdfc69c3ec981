package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/segedge/segedge/secret"
)

// Problem is a setting that makes no sense.
type Problem struct {
	Key  string // dotted, such as cameras.1.source
	Text string // one sentence, without secrets
	From string // file:line:column, the environment variable or --set that it comes from; empty where it is a default
	Show string // the lines of the file with a caret under the value; empty where it comes from elsewhere
}

func (p Problem) String() string {
	s := p.Key + ": " + p.Text
	if p.Key == "" {
		s = p.Text
	}
	if p.From != "" {
		s = p.From + ": " + s
	}
	if p.Show != "" {
		s += "\n" + p.Show
	}
	return s
}

// Problems are all that is wrong with a configuration, in the order of its keys. As an error it is a line or more for each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is ps as an error, nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Add appends one.
func (ps *Problems) Add(key, format string, args ...any) {
	*ps = append(*ps, Problem{Key: key, Text: secret.Mask(fmt.Sprintf(format, shownTexts(args)...))})
}

// AddError adds what an error says of a setting, whole: a word with a colon in a sentence is no setting. Of the setting's own value, which
// the sentence may repeat, stands there what may be shown.
func (ps *Problems) AddError(key, value string, err error) {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), key+": "), key+" ")
	if shown := secret.MaskValue(shownText(value)); shown != value {
		text = strings.ReplaceAll(text, value, shown)
		text = strings.ReplaceAll(text, inQuotes(value), inQuotes(shown))
	}
	*ps = append(*ps, Problem{Key: key, Text: secret.Mask(text)})
}

// inQuotes is a value as %q writes it, without the quotation marks.
func inQuotes(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
