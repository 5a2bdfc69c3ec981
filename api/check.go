package api

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Seg is the prompt in the model's vocabulary. The mask of the command is turned into logits on its own grid.
func (p *Prompt) Seg() (seg.Prompt, error) {
	out := seg.Prompt{Clicks: p.Points, Text: p.Text, Single: p.Multimask != nil && !*p.Multimask}
	if p.Box != nil {
		out.Box = &seg.Box{X0: p.Box[0], Y0: p.Box[1], X1: p.Box[2], Y1: p.Box[3]}
	}
	if p.Mask != nil {
		m, err := p.Mask.Mask()
		if err != nil {
			return out, fmt.Errorf("mask: %w", err)
		}
		if m.Rect.Empty() {
			return out, errors.New("mask: no pixel is set")
		}
		w, h := min(m.W, 512), min(m.H, 512)
		out.Mask = seg.LogitsOf(m, w, h, seg.Point{X: 1, Y: 1}, 8)
	}
	return out, nil
}

const maxName = 128

func (p *Prompt) check() error {
	if err := errors.Join(checkText("name", p.Name), checkText("text", p.Text)); err != nil {
		return err
	}
	if (p.Viewer == "") != (p.RTPTime == nil) {
		return errors.New("viewer and rtp_time come together")
	}
	if err := p.checkText(); err != nil {
		return err
	}
	s, err := p.Seg()
	if err != nil {
		return err
	}
	if p.Object != "" && len(p.Points) > 0 {
		s.Text = "refines" // a negative point alone is fine on an object that exists
	}
	return s.Validate()
}

// checkText checks what only goes with a text.
func (p *Prompt) checkText() error {
	following := p.Follow != nil && *p.Follow
	switch {
	case p.Text == "" && (p.Follow != nil || len(p.Zones) > 0 || p.Choose):
		return errors.New("follow, zones and choose need a text: what to look for")
	case p.Choose && (p.Follow != nil || p.Object != ""):
		return errors.New("choose makes one new object to choose for: it goes neither with follow nor with an object")
	case following && (p.Object != "" || len(p.Points) > 0 || p.Box != nil || p.Mask != nil):
		return errors.New("follow goes with a text alone: points, a box, a mask and an object say what one thing is")
	case !following && (p.Limit != 0 || p.Age != 0):
		return errors.New("limit and age go with follow: true")
	case p.Limit < 0 || p.Age < 0 || p.Age > maxAge:
		return fmt.Errorf("limit is 0 or more, and age 0 to %d seconds", maxAge)
	case len(p.Zones) > mostClasses:
		return fmt.Errorf("%d zones: there may be %d", len(p.Zones), mostClasses)
	}
	for _, z := range p.Zones {
		if err := checkText("zones", z); err != nil || z == "" {
			return cmp.Or(err, errors.New("a zone has a name"))
		}
	}
	return nil
}

// maxAge is a year, in seconds.
const maxAge = 366 * 24 * 3600

func (c *Choose) check() error {
	if c.Object == "" || c.Candidate < 0 {
		return errors.New("choose needs an object and a candidate, counted from 0")
	}
	return nil
}

func (r *Rename) check() error {
	if r.Object == "" || r.Name == "" {
		return errors.New("rename needs an object and a name")
	}
	return checkText("name", r.Name)
}

func (t *Target) check() error {
	if t.Object == "" {
		return errors.New("the command needs an object")
	}
	return nil
}

// mostNamed are the objects that one command names at most: as many as a camera may follow, and those that have ended meanwhile.
const mostNamed = 1000

func (r *Remove) check() error {
	if (r.Object == "") == (len(r.Objects) == 0) {
		return errors.New("remove needs an object, or several as objects")
	}
	return checkObjects(r.Objects)
}

func (u *Undo) check() error {
	if u.Object != "" && len(u.Objects) > 0 {
		return errors.New("undo takes an object, or several as objects, or neither: then it brings back what was removed last")
	}
	return checkObjects(u.Objects)
}

func checkObjects(objects []string) error {
	if len(objects) > mostNamed {
		return fmt.Errorf("%d objects: one command names %d at most", len(objects), mostNamed)
	}
	return nil
}

func (a *Automask) check() error {
	if a.Max < 0 || a.MinArea < 0 || a.MinArea > 1 {
		return errors.New("automask needs a max of 0 or more, and a min_area within 0..1")
	}
	return nil
}

// The widths of pictures that may be asked for; a camera's own size is their limit anyway.
const (
	LeastWidth = 16
	MostWidth  = 16384
)

func (s *Shot) check() error {
	if s.Width != 0 && (s.Width < LeastWidth || s.Width > MostWidth) {
		return fmt.Errorf("width is a number of columns within %d..%d, not %d", LeastWidth, MostWidth, s.Width)
	}
	return nil
}

func (m *Model) check() error {
	if m.Name == "" {
		return errors.New("model needs a name")
	}
	return checkText("name", m.Name)
}

// mostSeconds bounds a recording, beside what is configured: a day.
const mostSeconds = 24 * 3600

func (r *Record) check() error {
	switch {
	case r.Action != RecordStart && r.Action != RecordStop && r.Action != RecordAround:
		return errors.New("record needs an action: start, stop or around")
	case r.Action == RecordStop && (r.Seconds != 0 || r.Event != ""):
		return errors.New("stop ends a recording now: it takes no seconds and no event")
	case r.Action != RecordAround && r.Time != nil:
		return errors.New("time is the moment of around: start and stop are now")
	case !(r.Seconds >= 0 && r.Seconds <= mostSeconds):
		return fmt.Errorf("seconds lie within 0..%d", mostSeconds)
	case r.Event != "" && !slices.Contains(eventTypes, r.Event):
		return fmt.Errorf("event is a type of event, such as %s", seg.ZoneEntered)
	}
	return nil
}
