package stream

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/segedge/segedge/seg"
)

// since is what has changed from a list that a viewer has, without type and time; nil where it has to be told everything: it has not
// the list before, the order is another, or it would be no shorter.
func (l *listing) since(had *listing) []byte {
	if had == nil || l.before.Load() != had {
		return nil
	}
	l.changed.Do(func() {
		if had.json != nil && l.json != nil {
			l.delta = l.changes(had)
		}
	})
	return l.delta
}

// null says that a field is no more (RFC 7396).
var null = json.RawMessage("null")

func (l *listing) changes(had *listing) []byte {
	kept, gone := l.kept(had.docs)
	if kept < 0 {
		return nil
	}
	out := append([]byte(`{"base":`), strconv.FormatUint(had.frame.Seq, 10)...)
	out = append(append(out, `,"seq":`...), strconv.FormatUint(l.frame.Seq, 10)...)
	if l.asOf != had.asOf {
		out = append(append(out, `,"as_of_seq":`...), strconv.FormatUint(l.asOf, 10)...)
	}
	steps := int(l.frame.Seq - had.frame.Seq)
	objects := []map[string]json.RawMessage{}
	for i := range l.docs {
		d := &l.docs[i]
		if i >= kept {
			objects = append(objects, d.fields)
			continue
		}
		was := &had.docs[slices.IndexFunc(had.docs, func(o document) bool { return o.id == d.id })]
		if fields := d.changes(was, steps); len(fields) > 0 {
			fields["id"] = d.fields["id"]
			objects = append(objects, fields)
		}
	}
	text, err := json.Marshal(objects)
	if err != nil {
		return nil
	}
	out = append(append(out, `,"objects":`...), text...)
	if len(gone) > 0 {
		if text, err = json.Marshal(gone); err != nil {
			return nil
		}
		out = append(append(out, `,"gone":`...), text...)
	}
	if out = append(out, '}'); len(out) >= len(l.json) {
		return nil
	}
	return out
}

// kept is how many of the list's objects were there before, all in front and in the order of before, and which are gone; -1 where the
// order is another.
func (l *listing) kept(before []document) (n int, gone []string) {
	i := 0
	for _, was := range before {
		if i < len(l.docs) && l.docs[i].id == was.id {
			i++
			continue
		}
		if slices.ContainsFunc(l.docs, func(d document) bool { return d.id == was.id }) {
			return -1, nil
		}
		gone = append(gone, seg.ObjectID(l.camera, was.id))
	}
	return i, gone
}

// changes are the fields that are others than they were so many frames before.
func (d *document) changes(was *document, steps int) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, value := range d.fields {
		if !bytes.Equal(value, was.fields[name]) {
			out[name] = value
		}
	}
	for name := range maps.Keys(was.fields) {
		if _, still := d.fields[name]; !still {
			out[name] = null
		}
	}
	if rings, ok := out["outline"]; ok && !bytes.Equal(rings, null) {
		delete(out, "outline")
		out["rings"] = relative(d.rings)
	}
	for name, grown := range map[string]bool{"age": d.age == was.age+steps, "mask_age": d.mask == was.mask+steps} {
		if grown {
			delete(out, name)
		} else {
			out[name] = d.fields[name]
		}
	}
	return out
}
