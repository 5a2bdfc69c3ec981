package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// Edit changes settings in the text of a file and leaves everything else as it stands, comments too. Values are JSON, which is YAML. What
// cannot be changed without touching more is refused; the caller checks the result before it keeps it.
func Edit(data []byte, changes map[string]string) ([]byte, error) {
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		var err error
		if data, err = edit(data, key, changes[key]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// editor is a file's lines and where its keys and values stand.
type editor struct {
	lines  []string
	keys   map[string]place
	values map[string]ast.Node
	keyed  map[string][]string // the keys of each mapping, in order
}

func edit(data []byte, key, value string) ([]byte, error) {
	d := &document{name: "configuration", data: data}
	root, problem := d.root()
	if problem != nil {
		return nil, fmt.Errorf("%s", problem.String())
	}
	e := &editor{
		lines:  strings.SplitAfter(string(data), "\n"),
		keys:   map[string]place{},
		values: map[string]ast.Node{},
		keyed:  map[string][]string{},
	}
	if root != nil {
		e.index("", root)
	}
	if err := e.aligned(); err != nil {
		return nil, err
	}
	var err error
	if _, ok := e.keys[key]; ok {
		err = e.replace(key, value)
	} else {
		err = e.insert(key, value)
	}
	return []byte(strings.Join(e.lines, "")), err
}

// index notes where everything stands.
func (e *editor) index(key string, n ast.Node) {
	switch x := n.(type) {
	case *ast.SequenceNode:
		for i, v := range x.Values {
			k := join(key, strconv.Itoa(i))
			e.values[k] = v
			e.index(k, v)
		}
	case ast.MapNode:
		for it := x.MapRange(); it.Next(); {
			name, _ := scalar(it.Key())
			k := join(key, name)
			e.keys[k], e.values[k] = placeOf(it.Key()), it.Value()
			e.keyed[key] = append(e.keyed[key], k)
			e.index(k, it.Value())
		}
	}
}

// aligned refuses a file whose lines are not the parser's, so that another place than the one meant would be changed: to YAML a carriage
// return alone ends a line (YAML 1.2, 5.4), and it may count characters in its own way.
func (e *editor) aligned() error {
	for i, line := range e.lines {
		if cr := strings.IndexByte(line, '\r'); cr >= 0 && line[cr:] != "\r\n" {
			return fmt.Errorf("line %d has a carriage return without a line feed: change it in the file", i+1)
		}
	}
	for key, at := range e.keys {
		if at.line < 1 || at.line > len(e.lines) || at.column < 1 || at.column > utf8.RuneCountInString(e.lines[at.line-1]) {
			return refuseEdit(key, at.line)
		}
	}
	return nil
}

func refuseEdit(key string, line int) error {
	return fmt.Errorf("%s stands in line %d in a form that is not changed by command: change it in the file", key, line)
}

// replace puts a value in the place of another.
func (e *editor) replace(key, value string) error {
	at := e.keys[key]
	line := e.lines[at.line-1]
	runes := []rune(line)
	head := string(runes[:at.column-1])
	rest := string(runes[at.column-1:])
	colon := strings.Index(rest, ":")
	if colon < 0 {
		return refuseEdit(key, at.line)
	}
	head, rest = head+rest[:colon+1], rest[colon+1:]
	trimmed := strings.TrimLeft(rest, " ")
	if body := strings.TrimRight(trimmed, "\r\n"); body == "" || body[0] == '#' {
		return e.replaceBelow(key, at, head, value, rest)
	}
	end := valueEnd(trimmed, inFlow(head))
	if end < 0 {
		return refuseEdit(key, at.line)
	}
	if v := e.values[key]; strings.ContainsRune("|>&*!", rune(trimmed[0])) || v.GetToken().Position.Line != at.line {
		return refuseEdit(key, at.line)
	}
	e.lines[at.line-1] = head + " " + value + trimmed[end:]
	return nil
}

// replaceBelow replaces a value that stands in the lines below its key, or nowhere.
func (e *editor) replaceBelow(key string, at place, head, value, rest string) error {
	last := at.line
	if v := e.values[key]; v != nil && v.Type() != ast.NullType {
		for n := at.line; n < len(e.lines); n++ {
			text := strings.TrimRight(e.lines[n], "\r\n")
			body := strings.TrimLeft(text, " ")
			indent := len(text) - len(body)
			if body == "" || body[0] == '#' {
				continue
			}
			if indent < at.column-1 || indent == at.column-1 && !strings.HasPrefix(body, "- ") {
				break
			}
			last = n + 1
		}
	}
	comment := strings.TrimRight(rest, "\r\n")
	e.lines[at.line-1] = head + " " + value + comment + "\n"
	e.lines = slices.Delete(e.lines, at.line, last)
	return nil
}

// insert adds a key to the mapping around it, which is made where there is none.
func (e *editor) insert(key, value string) error {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		e.end()
		e.lines = append(e.lines, key+": "+value+"\n")
		return nil
	}
	parent, name := key[:i], key[i+1:]
	if children := e.keyed[parent]; len(children) > 0 {
		return e.beside(children, name, value)
	}
	if at, ok := e.keys[parent]; ok {
		if v := e.values[parent]; v.Type() != ast.NullType {
			return refuseEdit(parent, at.line)
		}
		e.lines = slices.Insert(e.lines, at.line, strings.Repeat(" ", at.column+1)+name+": "+value+"\n")
		return nil
	}
	if strings.Contains(parent, ".") {
		return fmt.Errorf("%s: the file has no %s to change", key, parent)
	}
	e.end()
	e.lines = append(e.lines, parent+":\n  "+name+": "+value+"\n")
	return nil
}

// end makes the last line a whole one.
func (e *editor) end() {
	if n := len(e.lines); n > 0 && e.lines[n-1] != "" && !strings.HasSuffix(e.lines[n-1], "\n") {
		e.lines[n-1] += "\n"
	}
}

// beside adds a key next to others: in a mapping of one line before the first, else below one whose value is in its line.
func (e *editor) beside(children []string, name, value string) error {
	first := e.keys[children[0]]
	runes := []rune(e.lines[first.line-1])
	if head := string(runes[:first.column-1]); inFlow(head) {
		e.lines[first.line-1] = head + name + ": " + value + ", " + string(runes[first.column-1:])
		return nil
	}
	for _, k := range children {
		at, v := e.keys[k], e.values[k]
		if v == nil || v.GetToken().Position.Line != at.line || isBlock(v) {
			continue
		}
		if _, many := v.(*ast.SequenceNode); many || v.Type() == ast.NullType {
			continue
		}
		e.lines[at.line-1] = strings.TrimRight(e.lines[at.line-1], "\n") + "\n"
		e.lines = slices.Insert(e.lines, at.line, strings.Repeat(" ", first.column-1)+name+": "+value+"\n")
		return nil
	}
	if head := strings.TrimSpace(string(runes[:first.column-1])); head != "" {
		return refuseEdit(children[0], first.line)
	}
	e.lines = slices.Insert(e.lines, first.line-1, strings.Repeat(" ", first.column-1)+name+": "+value+"\n")
	return nil
}

// isBlock reports whether a value is text that stands in the lines below its | or >.
func isBlock(v ast.Node) bool {
	_, ok := v.(*ast.LiteralNode)
	return ok
}

// inFlow reports whether a line, up to here, is inside { } or [ ].
func inFlow(head string) bool {
	depth := 0
	for _, r := range head {
		switch r {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
	return depth > 0
}

// valueEnd is where a value that begins a text ends, or -1 where it goes on in another line.
func valueEnd(s string, flow bool) int {
	switch s[0] {
	case '"', '\'':
		for i := 1; i < len(s); i++ {
			switch {
			case s[0] == '"' && s[i] == '\\':
				i++
			case s[i] == s[0]:
				return i + 1
			}
		}
		return -1
	case '[', '{':
		return bracketEnd(s)
	}
	end := len(strings.TrimRight(s, "\r\n"))
	if i := strings.Index(s, " #"); i >= 0 {
		end = i
	}
	if flow {
		if i := strings.IndexAny(s[:end], ",}]"); i >= 0 {
			end = i
		}
	}
	return len(strings.TrimRight(s[:end], " "))
}

func bracketEnd(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
