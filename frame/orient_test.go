package frame

import (
	"bytes"
	"testing"
)

// Each orientation of a 3×2 picture whose pixels are numbered: as the EXIF specification draws the letter F.
func TestOrientTurnsUpright(t *testing.T) {
	src := New(3, 2) // 0 1 2 / 3 4 5
	for i := range src.Pix {
		src.Pix[i] = byte(i / 3)
	}
	src.Seq = 7
	for o, want := range map[Orientation]struct {
		w, h int
		pix  []byte
	}{
		0: {3, 2, []byte{0, 1, 2, 3, 4, 5}},
		1: {3, 2, []byte{0, 1, 2, 3, 4, 5}},
		2: {3, 2, []byte{2, 1, 0, 5, 4, 3}},
		3: {3, 2, []byte{5, 4, 3, 2, 1, 0}},
		4: {3, 2, []byte{3, 4, 5, 0, 1, 2}},
		5: {2, 3, []byte{0, 3, 1, 4, 2, 5}},
		6: {2, 3, []byte{3, 0, 4, 1, 5, 2}},
		7: {2, 3, []byte{5, 2, 4, 1, 3, 0}},
		8: {2, 3, []byte{2, 5, 1, 4, 0, 3}},
	} {
		dst := New(1, 1)
		Orient(dst, src, o)
		var got []byte
		for i := 0; i < len(dst.Pix); i += 3 {
			got = append(got, dst.Pix[i])
		}
		if dst.Width != want.w || dst.Height != want.h || !bytes.Equal(got, want.pix) || dst.Seq != 7 {
			t.Errorf("orientation %d: %dx%d %v, want %dx%d %v", o, dst.Width, dst.Height, got, want.w, want.h, want.pix)
		}
	}
}

func TestOrientAllocatesNothing(t *testing.T) {
	src, dst := New(64, 48), New(48, 64)
	if got := testing.AllocsPerRun(20, func() { Orient(dst, src, 6) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
