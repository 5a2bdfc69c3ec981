package main

import (
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/eval"
)

// modelsGalleryCmd makes the picture of docs/models.md.
type modelsGalleryCmd struct {
	settings
	List string `arg:"" type:"path" help:"Text file: a picture beside it and where to click on each line, NAME X,Y within 0..1."`
	Out  string `required:"" type:"path" help:"Write the pictures with their masks, JPEG." placeholder:"FILE.jpg"`
}

func (c *modelsGalleryCmd) Run(e *env) error {
	if err := writable(output{"--out", c.Out, asJPEG}); err != nil {
		return err
	}
	shots, err := eval.ReadShots(c.List)
	if err != nil {
		return err
	}
	return c.using(e.ctx, func(_ config.Config, m *loadedModel) error {
		bar := newBar(e.stderr, len(shots), m.served.Info().Name)
		g, err := eval.Click(e.ctx, m.served, shots, func(done int) { _ = bar.Set(done) })
		_ = bar.Finish()
		if err != nil {
			return err
		}
		return writeFile(c.Out, g.JPEG)
	})
}
