package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/mp4"
)

// counter counts from any goroutine.
type counter struct{ n atomic.Uint64 }

func (c *counter) add() { c.n.Add(1) }

// records are the files that a run leaves: the overlay as MP4 and the masks as JSON lines. Both are written by a
// goroutine of their own from bounded queues; what the disk cannot follow is counted and told, never waited for.
type records struct {
	always bool // somebody wants the picture though nobody watches
	video  *os.File
	masks  *os.File
	units  chan video.Unit
	lines  chan maskLine
	lost   atomic.Uint64
	size   atomic.Pointer[[2]int]

	mu     sync.Mutex
	err    error
	closed bool
}

// maskLine is one frame's objects.
type maskLine struct {
	ref     seg.FrameRef
	w, h    int
	objects []seg.Object
}

func newRecords(run *runCmd) (*records, error) {
	r := &records{always: run.Summary != "" || run.Out != "", units: make(chan video.Unit, 256), lines: make(chan maskLine, 256)}
	var err error
	if run.Out != "" {
		if r.video, err = create(run.Out); err != nil {
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
	if run.Masks != "" {
		if r.masks, err = create(run.Masks); err != nil {
			return nil, fmt.Errorf("--masks: %w", err)
		}
	}
	return r, nil
}

func (r *records) watching() bool { return r.always }

// beside shows frames to the next sink and notes the masks.
func (r *records) beside(next agent.VideoSink) agent.VideoSink { return &maskTap{r, next} }

type maskTap struct {
	r    *records
	next agent.VideoSink
}

func (t *maskTap) Show(f *frame.Frame, objects []seg.Object) {
	t.next.Show(f, objects)
	if t.r.video != nil && t.r.size.Load() == nil {
		t.r.size.Store(&[2]int{f.Width, f.Height})
	}
	if t.r.masks == nil {
		return
	}
	line := maskLine{seg.FrameRef{Seq: f.Seq, Captured: f.Captured}, f.Width, f.Height, append([]seg.Object(nil), objects...)}
	select {
	case t.r.lines <- line:
	default:
		t.r.lost.Add(1)
	}
}

// unit takes an encoded picture.
func (r *records) unit(u video.Unit) {
	if r.video == nil {
		return
	}
	select {
	case r.units <- u:
	default:
		r.lost.Add(1)
	}
}

// run writes until ctx ends and the queues are empty. A file that cannot be written any more is given up with one word; the
// agent goes on.
func (r *records) run(ctx context.Context) error {
	var w mp4Writer
	lines := &lineWriter{}
	if r.masks != nil {
		lines.w = bufio.NewWriterSize(r.masks, 1<<16)
	}
	for {
		select {
		case u := <-r.units:
			w.write(r, u)
		case l := <-r.lines:
			lines.write(l)
		case <-ctx.Done():
			for len(r.units)+len(r.lines) > 0 {
				select {
				case u := <-r.units:
					w.write(r, u)
				case l := <-r.lines:
					lines.write(l)
				}
			}
			r.fail(w.close())
			r.fail(lines.close())
			return nil
		}
	}
}

func (r *records) fail(err error) {
	if err != nil {
		r.mu.Lock()
		r.err = errors.Join(r.err, err)
		r.mu.Unlock()
	}
}

// close closes the files and tells what went wrong with them.
func (r *records) close() error {
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

// mp4Writer begins its file with the first picture, whose size it then knows.
type mp4Writer struct {
	w   *mp4.Writer
	err error
}

func (m *mp4Writer) write(r *records, u video.Unit) {
	if m.err != nil {
		return
	}
	if m.w == nil {
		size := r.size.Load()
		if size == nil || !u.Keyframe {
			return
		}
		m.w, m.err = mp4.NewWriter(r.video, mp4.Format{Width: size[0], Height: size[1]})
	}
	if m.err == nil {
		m.err = m.w.Write(u)
	}
}

func (m *mp4Writer) close() error {
	if m.w != nil {
		m.err = errors.Join(m.err, m.w.Close())
	}
	if m.err != nil {
		return fmt.Errorf("--out: %w", m.err)
	}
	return nil
}

// lineWriter writes one JSON object a frame.
type lineWriter struct {
	w   *bufio.Writer
	err error
}

func (l *lineWriter) write(line maskLine) {
	if l.err != nil {
		return
	}
	type object struct {
		ID    seg.ID    `json:"id"`
		Name  string    `json:"name"`
		State seg.State `json:"state"`
		RLE   *seg.RLE  `json:"rle,omitempty"`
	}
	doc := struct {
		Frame   seg.FrameRef `json:"frame"`
		Objects []object     `json:"objects"`
	}{line.ref, []object{}}
	for _, o := range line.objects {
		d := object{ID: o.ID, Name: o.Name, State: o.State}
		if o.Mask != nil && o.State.Visible() {
			rle := o.Mask.Resize(line.w, line.h).RLE()
			d.RLE = &rle
		}
		doc.Objects = append(doc.Objects, d)
	}
	l.err = json.NewEncoder(l.w).Encode(doc)
}

func (l *lineWriter) close() error {
	if l.w == nil {
		return nil
	}
	if err := errors.Join(l.err, l.w.Flush()); err != nil {
		return fmt.Errorf("--masks: %w", err)
	}
	return nil
}
