package child

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"testing"
)

// A frame of VP8 comes for each picture, at once, of its size, and a keyframe where it is asked for.
func TestVP8(t *testing.T) {
	p := program(t)
	if err := Probe(t.Context(), Options{Encoder: VP8, FFmpeg: p}); err != nil {
		t.Skip("SKIPPED: this ffmpeg has no libvpx:", err)
	}
	e := open(t, Options{Encoder: VP8, FFmpeg: p, KeyframeInterval: 1000})
	for n := range 20 {
		unit, key, err := e.Encode(picture(n), n == 7)
		if err != nil {
			t.Fatal(err)
		}
		if key != (n == 0 || n == 7) {
			t.Errorf("picture %d: keyframe %v", n, key)
		}
		if !key {
			continue
		}
		w, h := int(binary.LittleEndian.Uint16(unit[6:]))&0x3fff, int(binary.LittleEndian.Uint16(unit[8:]))&0x3fff
		if !vp8Whole(unit) || w != format.Width || h != format.Height {
			t.Errorf("picture %d: % x, %dx%d", n, unit[:10], w, h)
		}
	}
}

// What is no IVF, or ends early, ends the reading; nothing is made of lengths that nobody sends.
func TestReadIVF(t *testing.T) {
	head := make([]byte, 32)
	frame := func(n uint32, data string) []byte {
		return append(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, n), 0), data...)
	}
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"nothing":    {nil, 0},
		"a header":   {head, 0},
		"two frames": {bytes.Join([][]byte{head, frame(2, "ab"), frame(1, "c")}, nil), 2},
		"cut":        {bytes.Join([][]byte{head, frame(2, "ab"), frame(9, "c")}, nil), 1},
		"huge":       {bytes.Join([][]byte{head, frame(1<<31, "c")}, nil), 0},
	} {
		units := make(chan []byte, 4)
		readIVF(bufio.NewReader(bytes.NewReader(c.data)), units)
		if len(units) != c.want {
			t.Errorf("%s: %d frames, want %d", name, len(units), c.want)
		}
	}
}
