package main

import (
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/capture/opencv"
	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/config"
)

// openSource is what to capture for a configured camera.
func openSource(c *config.Camera) (capture.Options, error) {
	spec, err := capture.ParseSource(c.Source)
	if err != nil {
		return capture.Options{}, err
	}
	spec.Width, spec.Height, spec.FPS = c.Width, c.Height, float64(c.FPS)
	o := capture.Options{Loop: c.Loop}
	if spec.Kind == capture.KindSynthetic {
		so := synthetic.Options{Width: c.Width, Height: c.Height, FPS: spec.FPS, Preset: spec.Preset}
		if err := so.Validate(); err != nil {
			return o, err
		}
		o.Open = synthetic.Opener(so)
		return o, nil
	}
	o.Open = opencv.Opener(spec)
	return o, nil
}

// shownSource is a source's address without its secrets.
func shownSource(s string) string { return capture.Mask(s) }
