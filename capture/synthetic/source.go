package synthetic

import (
	"context"
	"io"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// Source gives the scene's frames in order, from frame 0, without end; whoever reads it paces it by the PTS.
type Source struct {
	scene *Scene
	next  uint64
	end   uint64 // 0: none
}

var (
	_ capture.Source    = (*Source)(nil)
	_ capture.Describer = (*Source)(nil)
)

// Source is a new source over the scene; frames is how many it gives before io.EOF, 0 for no end.
func (s *Scene) Source(frames uint64) *Source { return &Source{scene: s, end: frames} }

// Opener makes the scene on each opening: with it, the scene starts from frame 0 again.
func Opener(o Options) capture.Opener {
	return func(context.Context) (capture.Source, error) {
		s, err := New(o)
		if err != nil {
			return nil, capture.Permanent(err)
		}
		return s.Source(0), nil
	}
}

// Read renders the next frame.
func (s *Source) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.end > 0 && s.next >= s.end {
		return io.EOF
	}
	s.scene.Render(s.next, dst)
	s.next++
	return nil
}

// Info describes the scene: not live, so that it is shown at its own rate.
func (s *Source) Info() capture.Info {
	return capture.Info{Width: s.scene.o.Width, Height: s.scene.o.Height, FPS: s.scene.o.FPS}
}

// Close does nothing.
func (s *Source) Close() error { return nil }
