package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/segedge/segedge/secret"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 256 << 10

// place is where something stands in a file, both from 1.
type place struct{ line, column int }

// document is a configuration file as it was read.
type document struct {
	name   string
	data   []byte
	places map[string]place // of the values, by dotted key
	hidden hidden
	split  []string // data by lines, once somebody has asked
}

// byteOrderMark begins files that some editors save.
var byteOrderMark = []byte("\xef\xbb\xbf")

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("configuration: %w: the agent runs as user %d and must read it (chown %d %s)", err, os.Getuid(), os.Getuid(), name)
	case err != nil:
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("configuration %s: larger than %d bytes", name, maxFile)
	}
	return data, nil
}

// parse changes c by a YAML document and notes where each value stands. Keys without a value leave the default, as do keys that are
// commented out. All unknown keys and wrong values are reported at once.
func (c *Config) parse(name string, data []byte) (*document, Problems) {
	d := &document{name: name, data: bytes.TrimPrefix(data, byteOrderMark), places: map[string]place{}, hidden: hidden{}}
	root, err := d.root()
	if err != nil {
		return d, Problems{*err}
	}
	if root == nil {
		return d, nil
	}
	w := walker{doc: d, anchors: map[string]ast.Node{}}
	w.into(c, root)
	for i, at := range w.at { // only now is it known what is hidden
		w.problems[i].Show = d.excerpt(at)
	}
	return d, w.problems
}

// without are the kinds of documents that say nothing. The parser takes a %YAML line for a document of its own.
var without = []ast.NodeType{ast.NullType, ast.CommentType, ast.DirectiveType}

// root is the one document's content; nil where there is none.
func (d *document) root() (ast.Node, *Problem) {
	if !utf8.Valid(d.data) || bytes.IndexByte(d.data, 0) >= 0 {
		return nil, &Problem{Text: d.name + ": this is no text in UTF-8: save it as such"}
	}
	if p := d.tooMuch(); p != nil {
		return nil, p
	}
	file, err := parser.ParseBytes(d.data, 0)
	if err != nil {
		return nil, d.unreadable(err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		body := doc.Body
		if body == nil || slices.Contains(without, body.Type()) {
			continue
		}
		if root != nil {
			return nil, d.problem("", placeOf(body), "a second YAML document begins here: everything goes into one, without --- between")
		}
		root = body
	}
	return root, nil
}

// problem is one at a place in the file.
func (d *document) problem(key string, p place, format string, args ...any) *Problem {
	text := secret.Mask(fmt.Sprintf(format, args...))
	return &Problem{Key: key, Text: text, From: fmt.Sprintf("%s:%d:%d", d.name, p.line, p.column), Show: d.excerpt(p)}
}

func (d *document) lines() []string {
	if d.split == nil {
		d.split = strings.Split(string(d.data), "\n")
	}
	return d.split
}

// excerpt shows a line with the one before and a caret under the column.
func (d *document) excerpt(p place) string {
	lines := d.lines()
	if p.line < 1 || p.line > len(lines) {
		return ""
	}
	var out strings.Builder
	for n := max(1, p.line-1); n <= p.line; n++ {
		mark := " "
		if n == p.line {
			mark = ">"
		}
		fmt.Fprintf(&out, "%s %4d | %s\n", mark, n, secret.MaskYAML(d.hidden.mask(n, strings.TrimRight(lines[n-1], "\r"))))
	}
	fmt.Fprintf(&out, "         %s^", strings.Repeat(" ", max(0, p.column-1)))
	return out.String()
}

// find is the place of a key, or of the nearest that stands in the file around it.
func (d *document) find(key string) (place, bool) {
	for {
		if p, ok := d.places[key]; ok {
			return p, true
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return place{}, false
		}
		key = key[:i]
	}
}

func placeOf(n ast.Node) place {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}

var errUnknownKey = errors.New("no such setting")
