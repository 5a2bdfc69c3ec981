package seg

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
)

// RLE is a mask in COCO's run-length form: runs of 0s and 1s in turn, starting with 0s, down the columns of an
// image of Size [height, width]. It is written either compressed (Counts a string, pycocotools' encode) or
// uncompressed (Counts a list); this type reads both and writes the compressed one.
type RLE struct {
	Size   [2]int // height, width
	Counts []uint32
}

// Errors of a run-length form that is no mask.
var (
	ErrRLECounts = errors.New("RLE counts do not add up to the size")
	ErrRLEString = errors.New("RLE string is malformed")
	ErrRLESize   = errors.New("RLE size must be [height, width], each at least 1, at most 67108864 together")
)

// maxCells bounds what a decoded mask may allocate.
const maxCells = 1 << 26

// RLE encodes the mask.
func (m *Mask) RLE() RLE {
	r := RLE{Size: [2]int{m.H, m.W}}
	run, value := uint32(m.Rect.Min.X)*uint32(m.H), uint8(0)
	if m.Rect.Empty() {
		r.Counts = []uint32{uint32(m.W) * uint32(m.H)}
		return r
	}
	dx := m.Rect.Dx()
	emit := func(v uint8, n int) {
		if n == 0 {
			return
		}
		if v != value {
			r.Counts = append(r.Counts, run)
			run, value = 0, v
		}
		run += uint32(n)
	}
	for x := range dx {
		emit(0, m.Rect.Min.Y)
		for i := x; i < len(m.Bits); i += dx {
			emit(m.Bits[i], 1)
		}
		emit(0, m.H-m.Rect.Max.Y)
	}
	emit(0, (m.W-m.Rect.Max.X)*m.H)
	r.Counts = append(r.Counts, run)
	return r
}

// Mask decodes the runs.
func (r RLE) Mask() (*Mask, error) {
	h, w := r.Size[0], r.Size[1]
	if h < 1 || w < 1 || h > maxCells/w {
		return nil, ErrRLESize
	}
	total := uint64(h) * uint64(w)
	var at uint64
	minX, minY, maxX, maxY := w, h, -1, -1
	each := func(draw func(x, y0, y1 int)) error {
		at = 0
		for i, c := range r.Counts {
			end := at + uint64(c)
			if end > total {
				return ErrRLECounts
			}
			if i%2 == 1 {
				for at < end {
					x, y := int(at)/h, int(at)%h
					n := min(uint64(h-y), end-at)
					draw(x, y, y+int(n))
					at += n
				}
			}
			at = end
		}
		if at != total {
			return ErrRLECounts
		}
		return nil
	}
	if err := each(func(x, y0, y1 int) {
		minX, minY, maxX, maxY = min(minX, x), min(minY, y0), max(maxX, x), max(maxY, y1-1)
	}); err != nil {
		return nil, err
	}
	if maxX < 0 {
		return &Mask{W: w, H: h}, nil
	}
	m := NewMask(w, h, image.Rect(minX, minY, maxX+1, maxY+1))
	dx := m.Rect.Dx()
	_ = each(func(x, y0, y1 int) {
		for y := y0; y < y1; y++ {
			m.Bits[(y-m.Rect.Min.Y)*dx+x-m.Rect.Min.X] = 1
		}
	})
	return m, nil
}

// String is the compressed form: each count, from the third on the difference to the count two before, in groups
// of 5 bits plus a continuation bit, offset by 48 (cocoapi, rleToString).
func (r RLE) String() string {
	out := make([]byte, 0, 2*len(r.Counts))
	for i, c := range r.Counts {
		x := int64(c)
		if i > 2 {
			x -= int64(r.Counts[i-2])
		}
		for more := true; more; {
			b := byte(x & 0x1f)
			x >>= 5
			if b&0x10 != 0 {
				more = x != -1
			} else {
				more = x != 0
			}
			if more {
				b |= 0x20
			}
			out = append(out, b+48)
		}
	}
	return string(out)
}

// ParseRLE reads the compressed form of a mask of height h and width w.
func ParseRLE(s string, h, w int) (RLE, error) {
	r := RLE{Size: [2]int{h, w}}
	for i := 0; i < len(s); {
		var x int64
		for k := 0; ; k++ {
			if i >= len(s) || k > 6 || s[i] < 48 || s[i] > 48+63 {
				return RLE{}, ErrRLEString
			}
			c := int64(s[i] - 48)
			i++
			x |= (c & 0x1f) << (5 * k)
			if c&0x20 == 0 {
				if c&0x10 != 0 {
					x |= -1 << (5 * (k + 1))
				}
				break
			}
		}
		if n := len(r.Counts); n > 2 {
			x += int64(r.Counts[n-2])
		}
		if x < 0 || x > 1<<32-1 {
			return RLE{}, ErrRLECounts
		}
		r.Counts = append(r.Counts, uint32(x))
	}
	return r, nil
}

// MarshalJSON writes {"size":[h,w],"counts":"…"}.
func (r RLE) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Size   [2]int `json:"size"`
		Counts string `json:"counts"`
	}{r.Size, r.String()})
}

// UnmarshalJSON reads both forms of counts.
func (r *RLE) UnmarshalJSON(data []byte) error {
	var in struct {
		Size   [2]int          `json:"size"`
		Counts json.RawMessage `json:"counts"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("RLE: %w", err)
	}
	if len(in.Counts) > 0 && in.Counts[0] == '"' {
		var s string
		if err := json.Unmarshal(in.Counts, &s); err != nil {
			return fmt.Errorf("RLE counts: %w", err)
		}
		parsed, err := ParseRLE(s, in.Size[0], in.Size[1])
		*r = parsed
		return err
	}
	r.Size = in.Size
	if err := json.Unmarshal(in.Counts, &r.Counts); err != nil {
		return fmt.Errorf("RLE counts: %w", err)
	}
	return nil
}
