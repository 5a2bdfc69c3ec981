package config

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// The parser's time and memory grow with the square of what is nested and of the keys beside each other: 900,000 brackets took 23 GB.
// The lexer's grow with the file alone, so it looks first.
const (
	maxTokens = 50_000 // a hundred cameras with every setting are a third of it
	maxNested = 64     // levels in brackets, or values begun in one line
)

// tooMuch is the place from which on a document is more than a configuration can be; nil where it is not.
func (d *document) tooMuch() *Problem {
	flow, line, begun := 0, 0, 0
	for i, t := range lexer.Tokenize(string(d.data)) {
		if t.Position.Line != line {
			line, begun = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.AnchorType, token.TagType:
			if flow == 0 {
				begun++
			}
		default:
		}
		at := place{t.Position.Line, t.Position.Column}
		switch {
		case flow > maxNested || begun > maxNested:
			return d.problem("", at, "nested more than %d deep: this is no configuration", maxNested)
		case i >= maxTokens:
			return d.problem("", at, "more than %d words and marks: this is no configuration", maxTokens)
		}
	}
	return nil
}
