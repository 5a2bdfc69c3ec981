package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
)

// Errors of a snapshot.
var (
	ErrBusy    = errors.New("video: too many snapshots are waiting, try again")
	ErrStopped = errors.New("video: not running")
)

type snapshot struct {
	jpeg []byte
	err  error
}

// Snapshot is the next frame with its overlay, as JPEG. It waits for that frame, whether or not anybody watches.
func (s *Sink) Snapshot(ctx context.Context) ([]byte, error) {
	answer := make(chan snapshot, 1)
	select {
	case s.snaps <- answer:
	default:
		return nil, ErrBusy
	}
	s.snapping.Add(1)
	defer s.snapping.Add(-1)
	select {
	case a := <-answer:
		return a.jpeg, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("video: snapshot: no frame came: %w", ctx.Err())
	}
}

// answerSnapshots gives the painted picture to all who wait.
func (s *Sink) answerSnapshots(w, h int) {
	var made snapshot
	for {
		select {
		case answer := <-s.snaps:
			if made.jpeg == nil && made.err == nil {
				made.jpeg, made.err = JPEG(s.painted.Pix, w, h)
			}
			answer <- made
		default:
			return
		}
	}
}

func (s *Sink) refuseSnapshots() {
	for {
		select {
		case answer := <-s.snaps:
			answer <- snapshot{err: ErrStopped}
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
