package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/segedge/segedge/seg"
)

// line is one frame's objects, with the frame's size in pixels.
type line struct {
	ref     seg.FrameRef
	w, h    int
	objects []seg.Object
}

// document is a line as it is written.
type document struct {
	Frame   seg.FrameRef `json:"frame"`
	Objects []object     `json:"objects"`
}

type object struct {
	ID    seg.ID    `json:"id"`
	Name  string    `json:"name"`
	State seg.State `json:"state"`
	RLE   *seg.RLE  `json:"rle,omitempty"` // of the full frame
}

// lineWriter writes one JSON object a frame.
type lineWriter struct {
	w   *bufio.Writer
	err error
}

func (w *lineWriter) write(l line) {
	if w.err != nil {
		return
	}
	doc := document{l.ref, make([]object, 0, len(l.objects))}
	for _, o := range l.objects {
		d := object{ID: o.ID, Name: o.Name, State: o.State}
		if o.Mask != nil && o.State.Visible() {
			rle := o.Mask.Resize(l.w, l.h).RLE()
			d.RLE = &rle
		}
		doc.Objects = append(doc.Objects, d)
	}
	w.err = json.NewEncoder(w.w).Encode(doc)
}

func (w *lineWriter) close() error {
	if w.w == nil {
		return nil
	}
	if err := errors.Join(w.err, w.w.Flush()); err != nil {
		return fmt.Errorf("--masks: %w", err)
	}
	return nil
}
