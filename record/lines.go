package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/segedge/segedge/seg"
)

// line is one frame's objects, with the frame's size in pixels.
type line struct {
	ref     seg.FrameRef
	pts     time.Duration
	w, h    int
	objects []seg.Object
}

// document is a line as it is written. Time, the frame's place in the movie, is what a player shows it at; it is absent where the
// movie has not got the frame.
type document struct {
	Camera  string       `json:"camera"`
	Frame   seg.FrameRef `json:"frame"`
	PTS     float64      `json:"pts"`            // the source's own time, seconds; 0 where it has none
	Time    *float64     `json:"time,omitempty"` // in the movie, seconds
	Objects []object     `json:"objects"`
}

type object struct {
	ID    string    `json:"id"` // as on every door
	Name  string    `json:"name"`
	State seg.State `json:"state"`
	RLE   *seg.RLE  `json:"rle,omitempty"` // of the full frame
}

// lineWriter writes one JSON object a frame. Where there is a movie, a line waits until it is known whether its frame is in it.
type lineWriter struct {
	w       *bufio.Writer
	camera  string
	keyed   bool // there is a movie
	waiting []line
	err     error
}

func (w *lineWriter) write(l line) {
	if !w.keyed {
		w.put(l, nil)
		return
	}
	if len(w.waiting) >= queue { // no picture comes any more
		w.put(w.waiting[0], nil)
		w.waiting = append(w.waiting[:0], w.waiting[1:]...)
	}
	w.waiting = append(w.waiting, l)
}

// shown writes the lines up to a frame, which is the one that the movie shows at a time.
func (w *lineWriter) shown(seq uint64, at time.Duration) {
	n := 0
	for ; n < len(w.waiting) && w.waiting[n].ref.Seq <= seq; n++ {
		if w.waiting[n].ref.Seq == seq {
			w.put(w.waiting[n], &at)
		} else {
			w.put(w.waiting[n], nil)
		}
	}
	w.waiting = append(w.waiting[:0], w.waiting[n:]...)
}

func (w *lineWriter) put(l line, at *time.Duration) {
	if w.err != nil {
		return
	}
	doc := document{Camera: w.camera, Frame: l.ref, PTS: seconds(l.pts), Objects: make([]object, 0, len(l.objects))}
	if at != nil {
		s := seconds(*at)
		doc.Time = &s
	}
	for _, o := range l.objects {
		d := object{ID: seg.ObjectID(w.camera, o.ID), Name: o.Name, State: o.State}
		if o.Mask != nil && o.State.Visible() {
			rle := o.Mask.Resize(l.w, l.h).RLE()
			d.RLE = &rle
		}
		doc.Objects = append(doc.Objects, d)
	}
	if w.err = json.NewEncoder(w.w).Encode(doc); w.err == nil {
		w.err = w.w.Flush() // a process that is killed leaves whole lines
	}
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

func (w *lineWriter) close() error {
	if w.w == nil {
		return nil
	}
	for _, l := range w.waiting {
		w.put(l, nil)
	}
	w.waiting = nil
	if err := errors.Join(w.err, w.w.Flush()); err != nil {
		return fmt.Errorf("--masks: %w", err)
	}
	return nil
}
