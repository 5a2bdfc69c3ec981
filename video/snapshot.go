package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/segedge/segedge/frame"
)

// Errors of a snapshot.
var (
	ErrBusy    = errors.New("video: too many snapshots are waiting, try again")
	ErrStopped = errors.New("video: not running")
)

// Shot says what a snapshot shows.
type Shot struct {
	Clean bool // the camera's picture without the overlay
	Width int  // reduced to this many columns; 0, and more than there are, is the picture's own size
}

// request is a snapshot that waits for its frame.
type request struct {
	clean  bool
	answer chan *frame.Frame // nil when the sink stops
}

// Snapshot is the next frame as JPEG, and its sequence. It waits for that frame, whether or not anybody watches.
func (s *Sink) Snapshot(ctx context.Context, shot Shot) (jpeg []byte, seq uint64, err error) {
	r := request{shot.Clean, make(chan *frame.Frame, 1)}
	s.snapping.Add(1) // before it waits: the frame that answers it is painted
	defer s.snapping.Add(-1)
	select {
	case s.snaps <- r:
	default:
		return nil, 0, ErrBusy
	}
	select {
	case f := <-r.answer:
		if f == nil {
			return nil, 0, ErrStopped
		}
		defer s.copies.Put(f)
		jpeg, err = s.compress(ctx, f, shot.Width)
		return jpeg, f.Seq, err
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("video: snapshot: no frame came: %w", ctx.Err())
	}
}

// compress reduces and encodes, one picture at a time: a large one keeps a core busy for half a second.
func (s *Sink) compress(ctx context.Context, f *frame.Frame, width int) ([]byte, error) {
	select {
	case s.compressing <- struct{}{}:
		defer func() { <-s.compressing }()
	case <-ctx.Done():
		return nil, fmt.Errorf("video: snapshot: %w", ctx.Err())
	}
	if width > 0 && width < f.Width {
		s.shrink.Shrink(s.reduced, f, width, max(1, (f.Height*width+f.Width/2)/f.Width))
		f = s.reduced
	}
	return JPEG(f.Pix, f.Width, f.Height)
}

// answerSnapshots gives copies of the picture to all who wait. They are whole: to reduce one takes longer than to copy it, and this
// goroutine has pictures to encode. Their memory is used again while snapshots come in a row, as for a grid of cameras.
func (s *Sink) answerSnapshots(clean *frame.Frame) {
	for {
		select {
		case r := <-s.snaps:
			src := &s.painted
			if r.clean {
				src = clean
			}
			f := s.copies.Get().(*frame.Frame)
			f.Resize(src.Width, src.Height)
			copy(f.Pix, src.Pix)
			f.Seq = clean.Seq
			r.answer <- f
		default:
			return
		}
	}
}

func (s *Sink) refuseSnapshots() {
	for {
		select {
		case r := <-s.snaps:
			r.answer <- nil
		default:
			return
		}
	}
}

// JPEG compresses packed BGR for people to look at.
func JPEG(bgr []byte, w, h int) ([]byte, error) {
	if w <= 0 || h <= 0 || len(bgr) < 3*w*h {
		return nil, fmt.Errorf("video: %d bytes are no BGR picture of %dx%d", len(bgr), w, h)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		d, p := img.Pix[4*i:4*i+4:4*i+4], bgr[3*i:3*i+3:3*i+3]
		d[0], d[1], d[2], d[3] = p[2], p[1], p[0], 255
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("video: snapshot: %w", err)
	}
	return out.Bytes(), nil
}
