// Package view is how a camera's picture is made into the one that everything else sees: turned, mirrored, cropped, and black where
// nobody may look. It wraps a source, so that no pixel of a masked part comes further than the source's own buffer. It is pure Go and
// decodes nothing.
package view

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Options say what is done to the picture, in this order. The zero value does nothing.
type Options struct {
	Rotate int           // degrees clockwise: 0, 90, 180, 270
	FlipX  bool          // left becomes right
	FlipY  bool          // top becomes bottom
	Crop   seg.Box       // of the turned and mirrored picture, within 0..1; the zero box is all of it
	Black  [][]seg.Point // polygons of the picture as it then is, within 0..1
}

func (o *Options) plain() bool {
	return o.Rotate == 0 && !o.FlipX && !o.FlipY && o.Crop == seg.Box{}
}

// Wrap makes an opener whose sources give the picture so.
func Wrap(open capture.Opener, o Options) (capture.Opener, error) {
	switch {
	case o.Rotate%90 != 0 || o.Rotate < 0 || o.Rotate > 270:
		return nil, fmt.Errorf("view: %d degrees are none of 0, 90, 180, 270", o.Rotate)
	case o.Crop != seg.Box{} &&
		!(o.Crop.X0 >= 0 && o.Crop.Y0 >= 0 && o.Crop.X1 <= 1 && o.Crop.Y1 <= 1 && o.Crop.X0 < o.Crop.X1 && o.Crop.Y0 < o.Crop.Y1):
		return nil, errors.New("view: the crop is no box within 0..1")
	case o.plain() && len(o.Black) == 0:
		return open, nil
	}
	return func(ctx context.Context) (capture.Source, error) {
		src, err := open(ctx)
		if err != nil {
			return nil, err
		}
		p := &picture{Source: src, o: o, raw: frame.New(2, 2)}
		if l, ok := src.(listener); ok {
			return listening{p, l}, nil
		}
		return p, nil
	}, nil
}

// listener is what a source may tell beside its pictures: when it last heard of its camera.
type listener interface{ Active() time.Time }

// listening is a picture of a source that tells.
type listening struct {
	*picture
	listener
}

// picture gives a source's frames as they are to be seen.
type picture struct {
	capture.Source
	o    Options
	raw  *frame.Frame
	plan plan
	hide blackout
}

// Read fills dst with the next picture.
func (p *picture) Read(ctx context.Context, dst *frame.Frame) error {
	if p.o.plain() {
		if err := p.Source.Read(ctx, dst); err != nil {
			return err
		}
	} else {
		if err := p.Source.Read(ctx, p.raw); err != nil {
			return err
		}
		p.plan.fit(p.raw.Width, p.raw.Height, &p.o)
		dst.Resize(p.plan.w, p.plan.h)
		dst.PTS = p.raw.PTS
		p.plan.copy(dst.Pix, p.raw.Pix)
	}
	p.hide.apply(dst, p.o.Black)
	return nil
}

// Info is the source's, with the size of the picture.
func (p *picture) Info() capture.Info {
	d, ok := p.Source.(capture.Describer)
	if !ok {
		return capture.Info{Live: true}
	}
	i := d.Info()
	if i.Width > 0 && i.Height > 0 {
		var at plan
		at.fit(i.Width, i.Height, &p.o)
		i.Width, i.Height = at.w, at.h
	}
	return i
}
