package config

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/segedge/segedge/secret"
)

// maxDepth bounds aliases of aliases.
const maxDepth = 32

// walker carries a YAML tree into a configuration and collects what does not fit.
type walker struct {
	doc      *document
	anchors  map[string]ast.Node
	problems Problems
	at       []place // of each problem
	depth    int
	secret   bool // what is being read is shown to nobody
}

func (w *walker) into(c *Config, root ast.Node) { w.node(reflect.ValueOf(c).Elem(), root, "") }

func (w *walker) refuse(key string, n ast.Node, format string, args ...any) {
	w.problems = append(w.problems, *w.doc.problem(key, placeOf(n), format, args...))
	w.at = append(w.at, placeOf(n))
}

// node sets v, whose dotted key is key, from a node.
func (w *walker) node(v reflect.Value, n ast.Node, key string) {
	written := n
	n = w.resolve(n)
	if n == nil && written != nil {
		w.refuse(key, written, "%s: no value was given this name before, as in &name", strings.TrimSpace(written.String()))
		return
	}
	if n == nil || n.Type() == ast.NullType {
		return // a key without a value: the default
	}
	if key != "" {
		w.doc.places[key] = placeOf(n)
	}
	switch {
	case v.Kind() == reflect.Struct:
		w.mapping(v, n, key)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		w.sequence(v, n, key)
	default:
		w.scalar(v, n, key)
	}
}

// scalar sets one value.
func (w *walker) scalar(v reflect.Value, n ast.Node, key string) {
	w.hide(n)
	text, ok := scalar(n)
	if !ok {
		w.refuse(key, n, "one value is wanted here, not %s", w.kind(n))
		return
	}
	if other := runTogether(n); other != "" {
		w.doc.hide(n)
		w.refuse(key, n, "the value goes on with %s: a comma is missing before it, or quotation marks around the value", other)
		return
	}
	err := assign(v, text)
	if _, rest, _ := strings.Cut(strings.TrimSpace(text), " "); rest != "" && (err != nil || secretName.MatchString(rest)) {
		w.doc.hide(n) // another setting may stand in it, without its colon
	}
	if err != nil {
		w.refuse(key, n, "%v", err)
	}
}

// resolve follows anchors, aliases and tags; nil where they lead nowhere.
func (w *walker) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		switch x := n.(type) {
		case *ast.AnchorNode:
			w.anchors[x.Name.String()] = x.Value
			n = x.Value
		case *ast.AliasNode:
			named, ok := w.anchors[x.Value.String()]
			if !ok {
				return nil
			}
			n = named
		case *ast.TagNode:
			n = x.Value
		default:
			return n
		}
	}
	return nil
}

func (w *walker) mapping(v reflect.Value, n ast.Node, key string) {
	m, ok := n.(ast.MapNode)
	if !ok || w.depth > maxDepth {
		w.within(w.secret || key == "" || holdsSecret(v.Type()), func() { // it may be a key whose colon was forgotten
			w.hide(n)
			w.refuse(key, n, "keys with values are wanted here, not %s", w.kind(n))
		})
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	for it := m.MapRange(); it.Next(); {
		if it.Key().IsMergeKey() {
			w.node(v, it.Value(), key)
			continue
		}
		name, _ := scalar(it.Key())
		field, found := fieldOf(v, name)
		if !found {
			w.unknown(v.Type(), it, key, name)
			continue
		}
		w.within(w.secret || isSecret(v.Type(), name), func() { w.node(field, it.Value(), join(key, name)) })
	}
}

// unknown refuses a key that a section does not have. Its value is shown only where it is one value and was meant for a key that holds no
// secret.
func (w *walker) unknown(section reflect.Type, it *ast.MapNodeIter, key, name string) {
	near := nearest(name, names(section))
	_, single := scalar(w.resolve(it.Value()))
	meantSecret := near == "" || isSecret(section, near) || secretName.MatchString(name) && !strings.HasSuffix(near, "_file")
	if w.secret || meantSecret || !single {
		w.doc.hide(it.Value())
	}
	_, bare := it.Value().(*ast.NullNode)
	if near == "" && (w.secret || bare || strings.Contains(name, "@")) { // a secret, or what a comma left of one, stands in the key's place
		w.doc.hide(it.Key())
		name = secret.Hidden
	}
	w.refuse(join(key, name), it.Key(), "no such setting%s", meant(name, names(section)))
}

// secretName is what people call secrets elsewhere; some of it is near to other keys, as pass is to masks.
var secretName = regexp.MustCompile(`(?i)pass|pw|psk|tok|secret|auth|cred`)

// within reads something that is a secret, or is none.
func (w *walker) within(isSecret bool, read func()) {
	before := w.secret
	w.secret = isSecret
	read()
	w.secret = before
}

func (w *walker) hide(n ast.Node) {
	if w.secret {
		w.doc.hide(n)
	}
}

// isSecret reports whether a key of a section holds a secret, or several with what belongs to them.
func isSecret(section reflect.Type, name string) bool {
	return fieldNamed(section, name).Tag.Get("secret") != ""
}

func holdsSecret(section reflect.Type) bool {
	return slices.ContainsFunc(names(section), func(name string) bool { return isSecret(section, name) })
}

// sequence replaces a list; what is in its elements begins empty.
func (w *walker) sequence(v reflect.Value, n ast.Node, key string) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		w.hide(n)
		w.refuse(key, n, "a list is wanted here, not %s", w.kind(n))
		return
	}
	if v.Kind() == reflect.Array {
		if len(s.Values) != v.Len() {
			w.refuse(key, n, "%d values, not %d", len(s.Values), v.Len())
			return
		}
	} else {
		if len(s.Values) > maxList {
			w.refuse(key, n, "%d are more than %d", len(s.Values), maxList)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	}
	for i, e := range s.Values {
		w.node(v.Index(i), e, join(key, strconv.Itoa(i)))
	}
}

// maxList bounds every list of a file.
const maxList = 4096

// scalar is a single value as it is written, without quotation marks.
func scalar(n ast.Node) (string, bool) {
	switch x := n.(type) {
	case *ast.StringNode:
		return x.Value, true
	case *ast.LiteralNode:
		return x.Value.Value, true
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, nil:
		return "", false
	}
	return strings.TrimSpace(n.GetToken().Value), true
}

// kind says what stands where something else is wanted.
func (w *walker) kind(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys"
	}
	if w.secret {
		return "one value"
	}
	text, _ := scalar(n)
	return shownWord(text)
}
