package main

import (
	"context"
	"fmt"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/stream"
	"github.com/segedge/segedge/video"
)

// streamed is a unit for the viewers.
func streamed(u video.Unit) stream.Unit {
	return stream.Unit{
		Data: u.Data, Keyframe: u.Keyframe, Rendition: int(u.Rendition), Width: u.Width, Height: u.Height, Level: int(u.Level),
		Seq: u.Seq, Captured: u.Captured, PTS: u.PTS, Duration: u.Duration,
	}
}

// Snapshot is a JPEG of what a camera shows, as its viewers see it unless something else is asked for.
func (b *builder) Snapshot(ctx context.Context, camera string, shot api.Shot) ([]byte, error) {
	jpeg, _, err := b.picture(ctx, camera, shot.Painted(), shot.Width)
	return jpeg, err
}

// picture is a snapshot and its frame's sequence, with or without the overlay, reduced to a width unless that is 0.
func (b *builder) picture(ctx context.Context, camera string, overlay bool, width int) (jpeg []byte, seq uint64, err error) {
	s := b.pictures.sink(camera)
	if s == nil {
		return nil, 0, &api.Error{Code: api.UnknownCamera, Message: fmt.Sprintf("there is no camera %q", camera)}
	}
	return s.Snapshot(ctx, video.Shot{Clean: !overlay, Width: width})
}
