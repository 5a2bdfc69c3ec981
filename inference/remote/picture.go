package remote

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"sync"

	"github.com/segedge/segedge/inference"
)

// Picture says how an encoder's picture goes in a JPEG: the tensor that the family makes is turned back into the pixels that it was made
// of, with the padding. The server decodes it and normalises it as the family does.
type Picture struct {
	Mean, Std [3]float32 // of the family, RGB; a Std of 0 is 1
	Quality   int        // of the JPEG; 0 is 90
}

// takesFile is the input that takes a file, or -1: BYTES or, where a server cannot take those in binary as KServe's over HTTP, a row of
// UINT8.
func takesFile(c *inference.Contract) int { return slices.IndexFunc(c.Inputs, isFile) }

func isFile(p inference.Port) bool {
	return p.Type == encoded || p.Type == "uint8" && len(p.Shape) == 1
}

// Decoded is a contract as the family knows it, where the picture goes in a file: float32 [1 3 ? ?]. What it is not about is as it was.
func Decoded(c *inference.Contract) *inference.Contract {
	i := takesFile(c)
	if i < 0 {
		return c
	}
	out := *c
	out.Inputs = slices.Clone(c.Inputs)
	out.Inputs[i].Type, out.Inputs[i].Shape = "float32", []int64{1, 3, -1, -1}
	return &out
}

// picture encodes.
type picture struct {
	Picture
	shape []int64 // of the input, where it is one element: in as many dimensions as it has
	pool  sync.Pool
}

// canvas is the memory of one picture.
type canvas struct {
	pix  image.RGBA
	file bytes.Buffer
	row  [1]int64 // how long the file is
}

func newPicture(p *Picture, port inference.Port) *picture {
	out := &picture{Picture: *p, pool: sync.Pool{New: func() any { return &canvas{} }}}
	if port.Type == encoded {
		out.shape = []int64{1}
		for range len(port.Shape) - 1 {
			out.shape = append(out.shape, 1)
		}
	}
	if out.Quality == 0 {
		out.Quality = 90
	}
	return out
}

// encode is the tensor as a file. done gives its memory back.
func (p *picture) encode(t *inference.Tensor) (file inference.Tensor, done func(), err error) {
	if len(t.Shape) != 4 || t.Shape[0] != 1 || t.Shape[1] != 3 || int64(len(t.Float32)) != 3*t.Shape[2]*t.Shape[3] {
		return file, nil, fmt.Errorf("shape %v is no picture: need [1 3 height width] for a JPEG", t.Shape)
	}
	c, _ := p.pool.Get().(*canvas)
	c.paint(p, t.Float32, int(t.Shape[3]), int(t.Shape[2]))
	c.file.Reset()
	if err := jpeg.Encode(&c.file, &c.pix, &jpeg.Options{Quality: p.Quality}); err != nil {
		p.pool.Put(c)
		return file, nil, err
	}
	file = inference.Tensor{Name: t.Name, Shape: p.shape, Uint8: c.file.Bytes()}
	if c.row[0] = int64(c.file.Len()); p.shape == nil {
		file.Shape = c.row[:]
	}
	return file, func() { p.pool.Put(c) }, nil
}

// paint turns planes of normalised values back into pixels.
func (c *canvas) paint(p *picture, planes []float32, w, h int) {
	n := w * h
	c.pix.Pix, c.pix.Stride, c.pix.Rect = slices.Grow(c.pix.Pix[:0], 4*n)[:4*n], 4*w, image.Rect(0, 0, w, h)
	for ch := range 3 {
		mean, std := p.Mean[ch], p.Std[ch]
		if std == 0 {
			std = 1
		}
		for i, v := range planes[ch*n:][:n] {
			c.pix.Pix[4*i+ch] = uint8(min(max(v*std+mean+0.5, 0), 255))
		}
	}
	for i := range n {
		c.pix.Pix[4*i+3] = 255
	}
}
