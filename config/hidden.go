package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/segedge/segedge/secret"
)

// hidden are the parts of a file that are shown to nobody: by line, the column from which on.
type hidden map[int]int

// from hides a line's rest.
func (h hidden) from(line, column int) {
	if before, ok := h[line]; !ok || column < before {
		h[line] = column
	}
}

// mask is a line as it may be shown.
func (h hidden) mask(line int, text string) string {
	column, ok := h[line]
	runes := []rune(text)
	if !ok || column > len(runes) {
		return text
	}
	return string(runes[:column-1]) + secret.Hidden
}

// hide keeps a node, and what stands behind it in its lines, from being shown.
func (d *document) hide(n ast.Node) {
	var s span
	if n != nil {
		ast.Walk(&s, n)
	}
	if s.first == nil {
		return
	}
	lines := d.lines()
	first := s.first.Position
	d.hidden.from(first.Line, first.Column)
	for line := first.Line + 1; line <= min(s.end(lines), len(lines)); line++ {
		text := lines[line-1]
		d.hidden.from(line, 1+len(text)-len(strings.TrimLeft(text, " \t")))
	}
}

// span is from the first to the last token of the nodes that it visits.
type span struct{ first, last *token.Token }

// Visit takes one node in.
func (s *span) Visit(n ast.Node) ast.Visitor {
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return s
	}
	if s.first == nil || before(t, s.first) {
		s.first = t
	}
	if s.last == nil || before(s.last, t) {
		s.last = t
	}
	return s
}

func before(a, b *token.Token) bool {
	p, q := a.Position, b.Position
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// end is the last line in which something of the span stands: a value of several lines goes on until the next token.
func (s *span) end(lines []string) int {
	next := s.last.Next
	if next == nil || next.Position == nil {
		return len(lines)
	}
	line := next.Position.Line
	if line > len(lines) {
		return len(lines)
	}
	runes := []rune(lines[line-1])
	if head := runes[:min(len(runes), next.Position.Column-1)]; strings.TrimSpace(string(head)) == "" {
		line--
	}
	return max(line, s.last.Position.Line)
}
