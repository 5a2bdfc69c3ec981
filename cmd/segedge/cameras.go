package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/video"
)

// failedWait is how long a camera that failed for good is left alone.
const failedWait = 10 * time.Second

// cameraFailed hears of a camera that has failed for good while the others go on. With a configuration file it is made again after a while,
// each in its own time.
func (b *builder) cameraFailed(name string) {
	time.AfterFunc(failedWait, func() {
		select {
		case b.failed <- name:
		default: // as many wait already as there can be cameras
		}
	})
}

// addCamera makes a camera and runs it, with what one before it knew.
func (b *builder) addCamera(c *config.Camera, known *agent.Known) error {
	co, err := b.camera(c, c.Name == b.cfg.Cameras[0].Name)
	if err != nil {
		return err
	}
	co.Known = known
	if err := b.agent.Add(co); err != nil {
		return errors.Join(err, b.pictures.drop(c.Name))
	}
	return nil
}

// removeCamera ends a camera, if it could be made at all, and lets its viewers go.
func (b *builder) removeCamera(name string) (err error) {
	if slices.Contains(b.agent.Cameras(), name) {
		err = b.stopCamera(name)
	}
	b.stream.Drop(name)
	b.clips.Drop(name)
	if b.rtsp != nil {
		b.rtsp.Drop(name)
	}
	return err
}

// stopCamera ends a camera and gives back what it held.
func (b *builder) stopCamera(name string) error {
	free, err := b.agent.Remove(name)
	if err != nil {
		return err
	}
	return errors.Join(b.pictures.drop(name), free())
}

// remake ends a camera and begins it anew; its viewers stay, and where it looks at the same thing, its objects too.
func (b *builder) remake(ctx context.Context, old, next *config.Camera) error {
	var known *agent.Known
	if viewKey(old, b.named()) == viewKey(next, b.named()) {
		known = b.agent.KnownOf(ctx, old.Name)
	}
	release, err := b.agent.Hold()
	if err != nil {
		return err
	}
	defer release()
	if err := b.stopCamera(old.Name); err != nil {
		b.log.Warn("ending a camera", "camera", old.Name, "err", err)
	}
	return b.addCamera(next, known)
}

// onSink does something with a camera's picture, if the camera is there.
func (b *builder) onSink(camera string, do func(*video.Sink)) {
	if s := b.pictures.sink(camera); s != nil {
		do(s)
	}
}
