package capture

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
)

// images gives still pictures in order.
type images struct {
	files []string
	fps   float64
	next  int
}

// OpenImages opens still pictures, upright, shown at the spec's rate or 30 a second. The same Spec may be opened again and again.
func OpenImages(spec Spec) (Source, error) {
	if spec.Kind != KindImages || len(spec.Files) == 0 {
		return nil, Permanent(fmt.Errorf("open images: %s has none", spec))
	}
	return &images{files: spec.Files, fps: Rate(spec.FPS)}, nil
}

func (s *images) Info() Info { return Info{FPS: s.fps} }

func (s *images) Close() error { return nil }

// Read decodes the next picture. A file that cannot be decoded ends the source for good: it would fail again.
func (s *images) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.next == len(s.files) {
		return io.EOF
	}
	if err := decode(dst, s.files[s.next]); err != nil {
		return Permanent(fmt.Errorf("read image %s: %w", filepath.Base(s.files[s.next]), err))
	}
	dst.PTS = time.Duration(float64(s.next) / s.fps * float64(time.Second))
	s.next++
	return nil
}

func decode(dst *frame.Frame, path string) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	return picture.Decode(dst, r)
}
