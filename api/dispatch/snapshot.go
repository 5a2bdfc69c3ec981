package dispatch

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"github.com/segedge/segedge/api"
)

// snapshot takes a picture. It is taken anew when the command is repeated: nothing is done twice by that, and pictures are
// too large to be kept.
func (t *Ticket) snapshot(ctx context.Context, shot api.Shot) api.Reply {
	picture, err := t.d.o.Snapshot.Snapshot(ctx, t.Camera, shot)
	if err != nil {
		return api.Refuse(t.ID, code(err, api.NotReady), "no snapshot: "+err.Error())
	}
	return api.Done(t.ID, Picture(picture))
}

// Picture is the result that carries a JPEG.
func Picture(data []byte) *api.Snapshot {
	s := &api.Snapshot{JPEG: data, Bytes: len(data)}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil {
		s.Width, s.Height = c.Width, c.Height
	}
	return s
}

// Fit is the picture in at most so many bytes: as it is, or reduced as far as that takes.
func Fit(s *api.Snapshot, most int) (*api.Snapshot, error) {
	if s.Bytes <= most {
		return s, nil
	}
	full, err := jpeg.Decode(bytes.NewReader(s.JPEG))
	if err != nil {
		return nil, fmt.Errorf("reduce a snapshot: %w", err)
	}
	var out bytes.Buffer
	for share := math.Sqrt(float64(most) / float64(s.Bytes)); ; share *= 0.8 {
		w, h := int(share*float64(s.Width)), int(share*float64(s.Height))
		if w < 16 || h < 16 {
			return nil, fmt.Errorf("reduce a snapshot: %dx%d does not fit into %d bytes", s.Width, s.Height, most)
		}
		out.Reset()
		if err := jpeg.Encode(&out, reduce(full, w, h), &jpeg.Options{Quality: 80}); err != nil {
			return nil, fmt.Errorf("reduce a snapshot: %w", err)
		}
		if out.Len() <= most {
			return &api.Snapshot{Width: w, Height: h, JPEG: out.Bytes(), Bytes: out.Len()}, nil
		}
	}
}

// reduce averages each cell of a coarser grid.
func reduce(in image.Image, w, h int) *image.RGBA {
	b := in.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			cell := image.Rect(x*b.Dx()/w, y*b.Dy()/h, (x+1)*b.Dx()/w, (y+1)*b.Dy()/h).Add(b.Min)
			var sum [3]uint64
			for j := cell.Min.Y; j < cell.Max.Y; j++ {
				for i := cell.Min.X; i < cell.Max.X; i++ {
					r, g, b, _ := in.At(i, j).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+uint64(r>>8), sum[1]+uint64(g>>8), sum[2]+uint64(b>>8)
				}
			}
			n, p := uint64(cell.Dx()*cell.Dy()), out.Pix[out.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = uint8(sum[0]/n), uint8(sum[1]/n), uint8(sum[2]/n), 255
		}
	}
	return out
}
