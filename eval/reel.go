package eval

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/mp4"
)

// reelBits is what a reel spends on a pixel: more than a live stream, so that a thin outline stays thin.
const reelBits = 0.25

// Reel makes a video of every sequence for people to look at: DIR/SEQUENCE.mp4. Its Frame is for VideoOptions.Frame. One goroutine
// uses it.
type Reel struct {
	dir        string
	fps        float64
	newEncoder func(video.Format) (video.Encoder, error)
	brush      *brush
	painted    *frame.Frame
	pic        video.Picture

	// The sequence being written; file is nil before the first.
	name    string
	file    *os.File
	encoder video.Encoder
	out     *mp4.Writer
}

// NewReel makes a reel of fps frames a second. Nothing is written before the first frame, not even the folder.
func NewReel(dir string, fps float64, newEncoder func(video.Format) (video.Encoder, error)) (*Reel, error) {
	if newEncoder == nil || !(fps > 0) {
		return nil, fmt.Errorf("reel: an encoder and a rate are needed, not %g frames a second", fps)
	}
	b, err := newBrush()
	if err != nil {
		return nil, fmt.Errorf("reel: %w", err)
	}
	return &Reel{dir: dir, fps: fps, newEncoder: newEncoder, brush: b, painted: frame.New(2, 2)}, nil
}

// Frame paints a scored frame and adds it to the video of its sequence.
func (r *Reel) Frame(res FrameResult) error {
	if err := r.add(&res); err != nil {
		return fmt.Errorf("reel: frame %d of %s: %w", res.Index, res.Sequence, err)
	}
	return nil
}

func (r *Reel) add(res *FrameResult) error {
	if err := r.brush.paint(res, r.painted); err != nil {
		return err
	}
	if r.file == nil || r.name != res.Sequence {
		if err := errors.Join(r.Close(), r.begin(res.Sequence)); err != nil {
			return err
		}
	}
	if r.painted.Width != r.pic.Width || r.painted.Height != r.pic.Height {
		return fmt.Errorf("%dx%d pixels in a sequence of %dx%d", r.painted.Width, r.painted.Height, r.pic.Width, r.pic.Height)
	}
	if err := video.FromBGR(&r.pic, r.painted.Pix); err != nil {
		return err
	}
	data, key, err := r.encoder.Encode(&r.pic, res.Index == 0)
	if err != nil || len(data) == 0 {
		return err
	}
	period := time.Duration(float64(time.Second) / r.fps)
	return r.out.Write(video.Unit{Data: data, Keyframe: key, Seq: r.painted.Seq, PTS: time.Duration(res.Index) * period, Duration: period})
}

// begin opens a sequence's file for pictures of the painted one's size.
func (r *Reel) begin(name string) (err error) {
	w, h := r.painted.Width, r.painted.Height
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if r.file, err = os.Create(filepath.Join(r.dir, name+".mp4")); err != nil {
		r.file = nil
		return err
	}
	if r.out, err = mp4.NewWriter(r.file, mp4.Format{Width: w, Height: h}); err != nil {
		return err
	}
	r.name = name
	r.pic.Resize(w, h)
	r.encoder, err = r.newEncoder(video.Format{Width: w, Height: h, FPS: r.fps, Bitrate: int(reelBits * float64(w*h) * r.fps)})
	return err
}

// Close completes the video under way. What failed to begin is closed too, incomplete as it is.
func (r *Reel) Close() error {
	if r.file == nil {
		return nil
	}
	var err error
	if r.out != nil && r.encoder != nil {
		err = r.out.Close()
	}
	if r.encoder != nil {
		err = errors.Join(err, r.encoder.Close())
	}
	err = errors.Join(err, r.file.Close())
	r.file, r.out, r.encoder = nil, nil, nil
	return err
}
