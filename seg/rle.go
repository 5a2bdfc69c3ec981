package seg

import (
	"bytes"
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
	if m.Rect.Empty() {
		r.Counts = []uint32{uint32(m.W) * uint32(m.H)}
		return r
	}
	dx, above, below := m.Rect.Dx(), uint32(m.Rect.Min.Y), uint32(m.H-m.Rect.Max.Y)
	r.Counts = make([]uint32, 0, 2*dx+3)
	run, value := uint32(m.Rect.Min.X)*uint32(m.H), uint8(0)
	turn := func(to uint8) {
		r.Counts = append(r.Counts, run)
		run, value = 0, to
	}
	for x := range dx {
		if above > 0 && value != 0 {
			turn(0)
		}
		run += above
		for i := x; i < len(m.Bits); i += dx {
			if m.Bits[i] != value {
				turn(m.Bits[i])
			}
			run++
		}
		if below > 0 && value != 0 {
			turn(0)
		}
		run += below
	}
	if right := uint32(m.W-m.Rect.Max.X) * uint32(m.H); right > 0 {
		if value != 0 {
			turn(0)
		}
		run += right
	}
	r.Counts = append(r.Counts, run)
	return r
}

// Mask decodes the runs. What it allocates is bounded by the tight rectangle of the mask, never more than 64 MiB.
func (r RLE) Mask() (*Mask, error) {
	rect, err := r.bounds()
	if err != nil {
		return nil, err
	}
	m := NewMask(r.Size[1], r.Size[0], rect)
	dx := rect.Dx()
	r.runs(func(x, y0, y1 int) {
		i := (y0-rect.Min.Y)*dx + x - rect.Min.X
		for range y1 - y0 {
			m.Bits[i] = 1
			i += dx
		}
	})
	return m, nil
}

// bounds checks the runs against the size and gives the tight rectangle of the 1s.
func (r RLE) bounds() (image.Rectangle, error) {
	h, w := r.Size[0], r.Size[1]
	if h < 1 || w < 1 || h > maxCells/w {
		return image.Rectangle{}, ErrRLESize
	}
	var total uint64
	for _, c := range r.Counts {
		total += uint64(c)
	}
	if total != uint64(h)*uint64(w) {
		return image.Rectangle{}, ErrRLECounts
	}
	var rect image.Rectangle
	r.runs(func(x, y0, y1 int) { rect = rect.Union(image.Rect(x, y0, x+1, y1)) })
	return rect, nil
}

// runs calls draw for each vertical run of 1s, cut at the columns' ends. The counts must add up to the size.
func (r RLE) runs(draw func(x, y0, y1 int)) {
	h, at := r.Size[0], 0
	for i, c := range r.Counts {
		end := at + int(c)
		for i%2 == 1 && at < end {
			x, y := at/h, at%h
			n := min(h-y, end-at)
			draw(x, y, y+n)
			at += n
		}
		at = end
	}
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

// UnmarshalJSON reads both forms of counts, and nothing besides: an unknown field is refused with its name.
func (r *RLE) UnmarshalJSON(data []byte) error {
	var in struct {
		Size   []int           `json:"size"`
		Counts json.RawMessage `json:"counts"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("RLE: %w", err)
	}
	if len(in.Size) != 2 {
		return ErrRLESize
	}
	r.Size = [2]int(in.Size)
	r.Counts = nil
	switch {
	case len(in.Counts) == 0 || in.Counts[0] == 'n':
		return errors.New("RLE: counts are missing: a string, or a list of run lengths")
	case in.Counts[0] == '"':
		var s string
		if err := json.Unmarshal(in.Counts, &s); err != nil {
			return fmt.Errorf("RLE counts: %w", err)
		}
		parsed, err := ParseRLE(s, in.Size[0], in.Size[1])
		if err != nil {
			return err
		}
		*r = parsed
		return nil
	}
	if err := json.Unmarshal(in.Counts, &r.Counts); err != nil {
		return fmt.Errorf("RLE counts: %w", err)
	}
	return nil
}
