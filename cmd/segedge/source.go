package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/capture/libav"
	"github.com/segedge/segedge/capture/opencv"
	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/capture/view"
	"github.com/segedge/segedge/capture/worker"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/seg"
)

// openSource is what to capture for a configured camera. With wait, a file that is missing or cannot be read is waited for, as a
// camera is; without, it ends the run.
func openSource(c *config.Camera, wait bool, log *slog.Logger) (capture.Options, error) {
	o, err := plainSource(c, wait, log)
	if err != nil {
		return o, err
	}
	o.Open, err = view.Wrap(o.Open, viewOf(c))
	return o, err
}

// viewOf is what is done to a camera's picture before anything else sees it.
func viewOf(c *config.Camera) view.Options {
	o := view.Options{Rotate: c.Rotate, FlipX: c.Flip == "horizontal" || c.Flip == "both", FlipY: c.Flip == "vertical" || c.Flip == "both"}
	if len(c.Crop) == 4 {
		o.Crop = seg.Box{X0: c.Crop[0], Y0: c.Crop[1], X1: c.Crop[2], Y1: c.Crop[3]}
	}
	for _, s := range c.Privacy {
		polygon := make([]seg.Point, len(s.Points))
		for i, p := range s.Points {
			polygon[i] = seg.Point{X: p[0], Y: p[1]}
		}
		o.Black = append(o.Black, polygon)
	}
	return o
}

// plainSource is the picture as the source gives it.
func plainSource(c *config.Camera, wait bool, log *slog.Logger) (capture.Options, error) {
	o := capture.Options{Loop: c.Loop, Wait: wait}
	spec, err := sourceSpec(c)
	switch {
	case err != nil && !(wait && errors.Is(err, capture.ErrAbsent)):
		return o, err
	case spec.Kind == capture.KindSynthetic:
		o.Open, err = syntheticOpener(spec)
		return o, err
	}
	o.Open = func(ctx context.Context) (capture.Source, error) { // read again at each opening: a folder may have filled
		spec, err := sourceSpec(c)
		if err != nil {
			return nil, err
		}
		if spec.Address, err = login(c, spec.Address); err != nil {
			return nil, err
		}
		return openerOf(spec, log)(ctx)
	}
	return o, nil
}

// openerOf is what opens a source of this kind. Pipelines are read in a process of their own, since GStreamer and what is in it
// may hang.
func openerOf(spec capture.Spec, log *slog.Logger) capture.Opener {
	switch spec.Kind {
	case capture.KindImages:
		return func(context.Context) (capture.Source, error) { return capture.OpenImages(spec) }
	case capture.KindFile, capture.KindRTSP, capture.KindHTTP:
		return libav.Opener(spec)
	case capture.KindGStreamer, capture.KindCSI:
		return worker.Opener(spec, log)
	default:
		return opencv.Opener(spec)
	}
}

// sourceSpec is a camera's address with what is asked of the device.
func sourceSpec(c *config.Camera) (capture.Spec, error) {
	spec, err := capture.ParseSource(c.Source)
	spec.Width, spec.Height, spec.FPS = c.Width, c.Height, float64(c.FPS)
	return spec, err
}

// login is an address with the camera's user and password in it, from their file as it is now.
func login(c *config.Camera, address string) (string, error) {
	if c.Username == "" {
		return address, nil
	}
	password := c.Password
	if c.PasswordFile != "" {
		var err error
		if password, err = config.ReadSecret(c.PasswordFile); err != nil {
			return "", fmt.Errorf("the camera's password: %w", err)
		}
	}
	u, err := secret.ParseURL(address)
	if err != nil {
		return "", err
	}
	u.User = url.UserPassword(c.Username, password)
	return u.String(), nil
}

func syntheticOpener(spec capture.Spec) (capture.Opener, error) {
	o := synthetic.Options{Width: spec.Width, Height: spec.Height, FPS: spec.FPS, Preset: spec.Preset}
	if spec.Preset == synthetic.ClockPreset {
		o.Preset = ""
		return synthetic.ClockOpener(o), o.Validate()
	}
	return synthetic.Opener(o), o.Validate()
}

// shownSource is a source's address without its secrets.
func shownSource(s string) string { return capture.Mask(s) }
