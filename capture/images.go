package capture

import (
	"cmp"
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
	good  bool  // a picture was decoded
	bad   error // of the first that could not be
}

// OpenImages opens still pictures, upright, shown at the spec's rate or 30 a second. The same Spec may be opened again and again.
func OpenImages(spec Spec) (Source, error) {
	if spec.Kind != KindImages || len(spec.Files) == 0 {
		return nil, Permanent(fmt.Errorf("open images: %s has none", spec))
	}
	return &images{files: spec.Files, fps: Rate(spec.FPS)}, nil
}

func (s *images) Info() Info { return Info{FPS: s.fps, Mixed: true} }

func (s *images) Close() error { return nil }

// Read decodes the next picture. One that cannot be decoded is passed over, and its time with it; if none can, the source ends for good:
// it would fail again.
func (s *images) Read(ctx context.Context, dst *frame.Frame) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.next == len(s.files) {
			return s.ended()
		}
		n := s.next
		s.next++
		if err := decode(dst, s.files[n]); err != nil {
			s.bad = cmp.Or(s.bad, fmt.Errorf("read image %s: %w", filepath.Base(s.files[n]), err))
			continue
		}
		s.good = true
		dst.PTS = time.Duration(float64(n) / s.fps * float64(time.Second))
		return nil
	}
}

// ended is the end of the pictures, or why there was none.
func (s *images) ended() error {
	if s.bad != nil && !s.good {
		return Permanent(s.bad)
	}
	return io.EOF
}

func decode(dst *frame.Frame, path string) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	return picture.Decode(dst, r)
}
