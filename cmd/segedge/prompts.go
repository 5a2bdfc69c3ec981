package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// parsePrompts reads prompts of the forms point:x,y[,label], box:x0,y0,x1,y1, text:PHRASE and follow:PHRASE. The last, and a text that
// begins with "every", are looked for again and again.
func parsePrompts(list []string) (once []pipeline.Request, follow []watch.Saved, err error) {
	for _, s := range list {
		if phrase, ok := followed(s); ok {
			text, zones := agent.InZone(phrase)
			follow = append(follow, watch.Saved{Text: text, Zones: zones})
			continue
		}
		r, err := parsePrompt(s)
		if err != nil {
			return nil, nil, fmt.Errorf("prompt %q: %w", s, err)
		}
		once = append(once, r)
	}
	return once, follow, nil
}

// followed is the phrase of a prompt that is looked for again and again; false for others.
func followed(s string) (phrase string, ok bool) {
	kind, rest, _ := strings.Cut(s, ":")
	rest = strings.TrimSpace(rest)
	every := kind == "text" && strings.HasPrefix(strings.ToLower(rest), "every ")
	return rest, rest != "" && (kind == "follow" || every)
}

func parsePrompt(s string) (pipeline.Request, error) {
	var r pipeline.Request
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "point":
		c, err := parseClick(rest)
		if err != nil {
			return r, err
		}
		r.Prompt.Clicks = []seg.Click{c}
	case "box":
		b, err := parseBox(rest)
		if err != nil {
			return r, err
		}
		r.Prompt.Box = &b
	case "text":
		r.Prompt.Text, r.Name = rest, rest
	default:
		return r, fmt.Errorf("write point:x,y[,label], box:x0,y0,x1,y1, text:PHRASE or follow:PHRASE, coordinates within 0..1")
	}
	return r, r.Prompt.Validate()
}

// parseClick reads x,y or x,y,label.
func parseClick(s string) (seg.Click, error) {
	label := seg.Positive
	v, err := numbers(s, 2, 3)
	if err != nil {
		return seg.Click{}, err
	}
	if len(v) == 3 {
		if v[2] != 0 && v[2] != 1 {
			return seg.Click{}, fmt.Errorf("label %g is neither 1 (positive) nor 0 (negative)", v[2])
		}
		label = seg.Label(v[2])
	}
	return seg.Click{Point: seg.Point{X: v[0], Y: v[1]}, Label: label}, nil
}

// parseBox reads x0,y0,x1,y1.
func parseBox(s string) (seg.Box, error) {
	v, err := numbers(s, 4, 4)
	if err != nil {
		return seg.Box{}, err
	}
	return seg.Box{X0: v[0], Y0: v[1], X1: v[2], Y1: v[3]}, nil
}

func numbers(s string, least, most int) ([]float64, error) {
	parts := strings.Split(s, ",")
	if len(parts) < least || len(parts) > most {
		return nil, fmt.Errorf("%q is not %d numbers with commas between, such as 0.5%s", s, least, strings.Repeat(",0.5", least-1))
	}
	out := make([]float64, len(parts))
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", p)
		}
		out[i] = v
	}
	return out, nil
}
