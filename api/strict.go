package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segedge/segedge/seg"
)

// encoding/json fills a short array with zeros, cuts a long one, leaves a missing coordinate at 0 and takes any
// spelling of a field's name. Each of those would put a prompt where nobody pointed, so the bodies read their
// coordinates themselves.

// strict decodes into v and refuses unknown fields.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// unambiguous refuses what two readers could understand differently: text that is not UTF-8, and a field that comes
// twice in one object, of which encoding/json would silently take the last. data is JSON that has been parsed once.
func unambiguous(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the command is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // the fields so far of each object that is open; nil for a list
	name := false              // the next token may be a field's name
	for {
		token, err := d.Token()
		if err != nil {
			return nil //nolint:nilerr // the end: what cannot be parsed was refused before
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			name = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if name {
				if open[len(open)-1][t] {
					return fmt.Errorf("field %q comes twice", t)
				}
				open[len(open)-1][t], name = true, false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}

// clickJSON tells a missing coordinate from 0.
type clickJSON struct {
	X     *float64 `json:"x"`
	Y     *float64 `json:"y"`
	Label *int     `json:"label"`
}

func (c clickJSON) click(i int) (seg.Click, error) {
	if c.X == nil || c.Y == nil {
		return seg.Click{}, fmt.Errorf("points[%d]: x and y are both needed", i)
	}
	label := 1
	if c.Label != nil {
		label = *c.Label
	}
	if label != 0 && label != 1 {
		return seg.Click{}, fmt.Errorf("points[%d]: label %d is neither 1 (positive) nor 0 (negative)", i, label)
	}
	return seg.Click{Point: seg.Point{X: *c.X, Y: *c.Y}, Label: seg.Label(label)}, nil
}

// UnmarshalJSON reads a prompt. A point without a label is positive.
func (p *Prompt) UnmarshalJSON(data []byte) error {
	type plainPrompt Prompt
	aux := struct {
		*plainPrompt
		Points []clickJSON `json:"points"`
		Box    *[]float64  `json:"box"`
	}{plainPrompt: (*plainPrompt)(p)}
	if err := strict(data, &aux); err != nil {
		return err
	}
	p.Points = nil
	for i, c := range aux.Points {
		click, err := c.click(i)
		if err != nil {
			return err
		}
		p.Points = append(p.Points, click)
	}
	p.Box = nil
	if aux.Box != nil {
		if len(*aux.Box) != 4 {
			return fmt.Errorf("box: 4 numbers x0, y0, x1, y1 are needed, not %d", len(*aux.Box))
		}
		p.Box = (*[4]float64)(*aux.Box)
	}
	return nil
}

// shapeJSON is a zone or a line before its points are counted.
type shapeJSON struct {
	Name    string      `json:"name"`
	Points  [][]float64 `json:"points"`
	Classes []string    `json:"classes"`
}

func (s *shapeJSON) read(data []byte) ([][2]float64, error) {
	if err := strict(data, s); err != nil {
		return nil, err
	}
	var out [][2]float64
	for i, p := range s.Points {
		if len(p) != 2 {
			return nil, fmt.Errorf("points[%d]: 2 numbers x, y are needed, not %d", i, len(p))
		}
		out = append(out, [2]float64(p))
	}
	return out, nil
}

// UnmarshalJSON reads a zone.
func (z *Zone) UnmarshalJSON(data []byte) error {
	var s shapeJSON
	points, err := s.read(data)
	z.Name, z.Points, z.Classes = s.Name, points, s.Classes
	return err
}

// UnmarshalJSON reads a line.
func (l *Line) UnmarshalJSON(data []byte) error {
	var s shapeJSON
	points, err := s.read(data)
	l.Name, l.Points, l.Classes = s.Name, points, s.Classes
	return err
}

// kinds are JSON's names for what Go's decoder expected, by the first word of the Go type.
var kinds = []struct{ prefix, name string }{
	{"string", "a string"},
	{"bool", "true or false"},
	{"float", "a number"},
	{"uint", "a whole number from 0"},
	{"int", "a whole number"},
	{"[", "a list"},
	{"map", "an object"},
	{"struct", "an object"},
	{"api.", "an object"},
	{"seg.", "an object"},
}

// plain is an error of encoding/json in words that do not need Go.
func plain(err error) string {
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := typ.Type.String()
		for _, k := range kinds {
			if strings.HasPrefix(strings.TrimLeft(want, "*"), k.prefix) {
				want = k.name
				break
			}
		}
		if typ.Field == "" {
			return fmt.Sprintf("%s where %s belongs", typ.Value, want)
		}
		return fmt.Sprintf("field %q: %s where %s belongs", field(typ.Field), typ.Value, want)
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if _, ok := errors.AsType[*time.ParseError](err); ok || strings.HasPrefix(text, "Time.UnmarshalJSON") {
		return "a time is written as a string such as \"2026-03-01T12:00:00Z\""
	}
	return text
}

// field is a field's path without the name of an embedded Go type.
func field(path string) string {
	return strings.TrimPrefix(path, "plainPrompt.")
}
