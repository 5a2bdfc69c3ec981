// Package record writes what a run leaves behind: the overlay as MP4 and the masks as JSON lines. Both are written by a
// goroutine of their own from bounded queues; what the disk cannot follow is counted and told, never waited for. It is a sink
// beside the picture's, not in its way, and knows nothing of cameras but their frames.
package record

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video"
)

// queue is how many pictures, and how many frames' masks, may wait for the disk.
const queue = 256

// Sink is where a camera's frames go beside the recording. Show never blocks, but with Wait.
type Sink interface {
	Show(f *frame.Frame, objects []seg.Object)
}

// Options say what is recorded.
type Options struct {
	Video  string // file for the overlay as MP4; none if empty
	Camera string // whose frames they are: the head of their objects' ids
	Masks  string // file for every frame's masks as JSON lines; none if empty
	Wait   bool   // for the disk, where nothing else waits: then nothing is lost
}

// Recorder writes the files. Safe for concurrent use; Run runs once.
type Recorder struct {
	video  *os.File
	masks  *os.File
	units  chan video.Unit
	lines  chan line
	lost   atomic.Uint64
	camera string
	wait   bool

	mu     sync.Mutex
	err    error
	closed bool
}

// New makes the files.
func New(o Options) (*Recorder, error) {
	r := &Recorder{camera: o.Camera, wait: o.Wait, units: make(chan video.Unit, queue), lines: make(chan line, queue)}
	var err error
	if o.Video != "" {
		if r.video, err = os.Create(o.Video); err != nil {
			return nil, fmt.Errorf("--out: cannot write: %w", err)
		}
	}
	if o.Masks != "" {
		if r.masks, err = os.Create(o.Masks); err != nil {
			return nil, errors.Join(fmt.Errorf("--masks: cannot write: %w", err), r.Close())
		}
	}
	return r, nil
}

// Beside shows frames to the next sink and notes their masks.
func (r *Recorder) Beside(next Sink) Sink { return &tap{r, next} }

type tap struct {
	r    *Recorder
	next Sink
}

func (t *tap) Show(f *frame.Frame, objects []seg.Object) {
	if t.r.masks != nil { // before its picture, which finds its line then
		l := line{seg.FrameRef{Seq: f.Seq, Captured: f.Captured}, f.PTS, f.Width, f.Height, append([]seg.Object(nil), objects...)}
		if !queued(t.r.lines, l, t.r.wait) {
			t.r.lost.Add(1)
		}
	}
	t.next.Show(f, objects)
}

// Unit takes an encoded picture. It never blocks, but with Wait.
func (r *Recorder) Unit(u video.Unit) {
	if r.video != nil && !queued(r.units, u, r.wait) {
		r.lost.Add(1)
	}
}

// queued puts v into a queue; false where that is full and not to be waited for.
func queued[T any](queue chan<- T, v T, wait bool) bool {
	if wait {
		queue <- v
		return true
	}
	select {
	case queue <- v:
		return true
	default:
		return false
	}
}

// Run writes until ctx ends and the queues are empty. A file that cannot be written any more is given up, and Close says so; nothing
// else ends with it.
func (r *Recorder) Run(ctx context.Context) error {
	movie := &movie{file: r.video}
	lines := &lineWriter{camera: r.camera, keyed: r.video != nil}
	if r.masks != nil {
		lines.w = bufio.NewWriterSize(r.masks, 1<<16)
	}
	for {
		select {
		case u := <-r.units:
			r.picture(movie, lines, u)
		case l := <-r.lines:
			lines.write(l)
		case <-ctx.Done():
			r.drain(movie, lines)
			r.fail(movie.close())
			r.fail(lines.close())
			return nil
		}
	}
}

// picture writes a picture, and the lines up to its frame.
func (r *Recorder) picture(m *movie, lines *lineWriter, u video.Unit) {
	at, ok := m.write(u)
	for more := true; more; { // its line was queued before it
		select {
		case l := <-r.lines:
			lines.write(l)
		default:
			more = false
		}
	}
	if ok {
		lines.shown(u.Seq, at)
	}
}

// drain writes what still waits.
func (r *Recorder) drain(m *movie, lines *lineWriter) {
	for {
		select {
		case u := <-r.units:
			r.picture(m, lines, u)
		case l := <-r.lines:
			lines.write(l)
		default:
			return
		}
	}
}

func (r *Recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
}

// Close closes the files and tells what went wrong with them. Call it after Run has returned.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	for _, f := range []*os.File{r.video, r.masks} {
		if f != nil {
			r.err = errors.Join(r.err, f.Close())
		}
	}
	if n := r.lost.Load(); n > 0 {
		r.err = errors.Join(r.err, fmt.Errorf("%d frames are missing in the recording: the disk was too slow", n))
	}
	return r.err
}
