package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/dataset/cascade"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/dataset/review"
	"github.com/segedge/segedge/frame"
)

// dataParts are an agent's that keep what is to be learnt from.
type dataParts struct {
	faces     *cascade.Finder
	collector *collect.Collector // nil where nothing is kept
	review    *review.Page
}

// close frees them; what uses them has ended, and the model has not.
func (d *dataParts) close() error {
	var all []error
	if d.review != nil {
		all = append(all, d.review.Close())
	}
	if d.faces != nil {
		all = append(all, d.faces.Close())
	}
	return errors.Join(all...)
}

// dataFolder is where what is kept to learn from is.
func dataFolder(c *config.Config, state string) string {
	return cmp.Or(c.Data.Folder, filepath.Join(state, "data"))
}

// openData is that folder with its bounds.
func openData(c *config.Config, state string) (*collect.Store, error) {
	d := &c.Data
	return collect.Open(dataFolder(c, state), collect.Limits{Bytes: int64(d.MaxMB) << 20, Age: d.MaxAge, Daily: d.Daily})
}

// buildCollector makes what keeps pictures to learn from, where it is asked for. Without the cascades nothing is kept, which is said, and
// is no reason for the agent not to run.
func (b *builder) buildCollector(people agent.Grounder) (agent.Collector, error) {
	if !b.cfg.Data.Collect {
		return nil, nil
	}
	faces, err := cascade.Open(b.cfg.Data.Cascades)
	if err != nil {
		b.log.Error("nothing is kept to learn from: faces could not be blurred", "err", err)
		return nil, nil
	}
	b.data.faces = faces
	finders := []collect.Finder{faces}
	if b.cfg.Data.Blur == "person" {
		if people == nil {
			return nil, b.fault(errors.New("data.blur: person needs the detector of words: grounding.model is none"))
		}
		finders = append(finders, peopleFinder{people})
	}
	store, err := openData(&b.cfg, b.state)
	if err != nil {
		return nil, err
	}
	b.data.collector, err = collect.NewCollector(store, finders, b.log)
	return b.data.collector, err
}

// peopleFinder finds people by the detector of words.
type peopleFinder struct{ agent.Grounder }

// findLimit bounds how long the detector may take with one picture.
const findLimit = 30 * time.Second

func (p peopleFinder) Find(f *frame.Frame) ([]image.Rectangle, error) {
	ctx, cancel := context.WithTimeout(context.Background(), findLimit)
	defer cancel()
	boxes, _, err := p.Ground(ctx, nil, f, "all people")
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	out := make([]image.Rectangle, len(boxes))
	w, h := float64(f.Width), float64(f.Height)
	for i, b := range boxes {
		out[i] = image.Rect(int(b.X0*w), int(b.Y0*h), int(b.X1*w)+1, int(b.Y1*h)+1)
	}
	return out, nil
}
