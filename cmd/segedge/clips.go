package main

import (
	"cmp"
	"path/filepath"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/record/clips"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video"
)

// clipFolder is where clips are kept.
func clipFolder(c *config.Clips, state string) string {
	return cmp.Or(c.Folder, filepath.Join(state, "clips"))
}

func (b *builder) buildClips() {
	c := &b.cfg.Clips
	o := clips.Options{
		Folder: clipFolder(c, b.state), PreRoll: c.PreRoll, PostRoll: c.PostRoll, Longest: c.Longest, MaxAge: c.MaxAge,
		MaxBytes: int64(c.MaxSize) * 1_000_000, Logger: b.log,
		Finished: func(clip api.Clip) {
			b.relay.Publish(seg.Event{Camera: clip.Camera, Type: seg.ClipFinished, Time: clip.Until, Details: map[string]any{"clip": clip}})
		},
		Keyframe: func(camera string) { b.onSink(camera, func(s *video.Sink) { s.RequestKeyframe(video.Full) }) },
	}
	for _, e := range c.Events {
		o.Events = append(o.Events, seg.EventType(e))
	}
	b.clips = clips.New(o)
	b.relay.clips = b.clips
}
