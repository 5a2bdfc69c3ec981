package clips

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video/mp4"
)

// queue is how many pictures of a clip may wait for the disk.
const queue = 256

// syncEvery is how much of a clip a power cut may take.
const syncEvery = time.Second

// clip is one recording. What is above the line belongs to the camera's lock, what is below to the goroutine that writes.
type clip struct {
	camera, name string
	from         time.Time
	event        seg.EventType
	units        chan unit // closed when the clip ends
	bytes        int64     // of pictures that were taken
	w, h         int
	torn         bool // a picture is missing: nothing fits before the next keyframe
	lost         int  // pictures that are missing

	failed atomic.Bool
	made   chan error    // told once, when there is a file or none can be made
	whole  chan struct{} // closed at the end

	file  *os.File
	movie *mp4.Writer
	err   error
	size  int64
	ended time.Time
}

func newClip(camera string, from time.Time, event seg.EventType) *clip {
	return &clip{
		camera: camera, name: nameOf(from, event), from: from, event: event,
		units: make(chan unit, queue), made: make(chan error, 1), whole: make(chan struct{}),
	}
}

// begin notes the pictures that the writer was given to begin with.
func (c *clip) begin(head []unit) {
	for i := range head {
		c.bytes += int64(len(head[i].Data))
		c.w, c.h = head[i].Width, head[i].Height
	}
}

// resized reports whether a picture has another size than those before.
func (c *clip) resized(u unit) bool { return c.w != 0 && (u.Width != c.w || u.Height != c.h) }

// add hands a picture to the writer; false where a keyframe is needed because the disk is too slow.
func (c *clip) add(u unit) bool {
	if (c.w == 0 || c.torn) && !u.Keyframe {
		if c.torn {
			c.lost++
		}
		return false
	}
	select {
	case c.units <- u:
		c.torn, c.w, c.h = false, u.Width, u.Height
		c.bytes += int64(len(u.Data))
		return true
	default:
		c.torn = true
		c.lost++
		return false
	}
}

// document describes the clip as it is.
func (c *clip) document() api.Clip {
	return api.Clip{Camera: c.camera, Name: c.name, From: c.from.UTC(), Event: c.event}
}

// opened waits for the file, for one who asked for it. The clip goes on.
func (c *clip) opened(ctx context.Context, until time.Time) (api.Clip, error) {
	select {
	case err := <-c.made:
		c.made <- err
		if err != nil {
			return api.Clip{}, refuse(api.Internal, "the clip cannot be written: %v", err)
		}
	case <-ctx.Done():
		return api.Clip{}, fmt.Errorf("the disk does not answer: %w", ctx.Err())
	}
	d := c.document()
	d.Until, d.Recording = until, true
	return d, nil
}

// closed waits for the end.
func (c *clip) closed(ctx context.Context) (api.Clip, error) {
	select {
	case <-c.whole:
	case <-ctx.Done():
		return api.Clip{}, fmt.Errorf("the disk does not answer: %w", ctx.Err())
	}
	if c.movie == nil {
		return api.Clip{}, refuse(api.Conflict, "nothing was recorded of camera %s: no picture came", c.camera)
	}
	if c.err != nil {
		return api.Clip{}, refuse(api.Internal, "the clip is not whole: %v", c.err)
	}
	return c.finished(), nil
}

// finished describes the clip as it is at its end.
func (c *clip) finished() api.Clip {
	d := c.document()
	d.Until, d.Bytes = c.ended, c.size
	return d
}

// write makes the file of the pictures that there are and those that come.
func (c *clip) write(f *folder, head []unit) error {
	defer close(c.whole)
	c.file, c.err = f.create(c.camera, c.name)
	c.made <- c.err
	synced := time.Now()
	for i := range head {
		c.put(head[i])
	}
	for u := range c.units {
		c.put(u)
		if c.err == nil && time.Since(synced) > syncEvery {
			c.err = c.file.Sync()
			synced = time.Now()
		}
	}
	if c.file == nil {
		return c.err
	}
	return c.close(f)
}

func (c *clip) put(u unit) {
	if c.err == nil && c.movie == nil {
		c.movie, c.err = mp4.NewWriter(c.file, mp4.Format{Width: u.Width, Height: u.Height})
	}
	if c.err == nil {
		c.err = c.movie.Write(u)
	}
	if c.err != nil {
		c.failed.Store(true)
	}
}

func (c *clip) close(f *folder) error {
	if c.movie == nil {
		return errors.Join(c.file.Close(), f.remove(c.camera, c.name))
	}
	c.err = errors.Join(c.err, c.movie.Close())
	if st, err := c.file.Stat(); err == nil {
		c.size = st.Size()
	}
	c.err = errors.Join(c.err, c.file.Sync(), c.file.Close())
	c.ended = time.Now().UTC()
	return c.err
}
