package video

import (
	"bytes"
	"slices"
	"testing"
)

func TestNALs(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want [][]byte
	}{
		"empty":              {nil, nil},
		"no start code":      {[]byte{1, 2, 3}, nil},
		"start code only":    {[]byte{0, 0, 0, 1}, nil},
		"one, long code":     {[]byte{0, 0, 0, 1, 0x65, 7}, [][]byte{{0x65, 7}}},
		"one, short code":    {[]byte{0, 0, 1, 0x65, 7}, [][]byte{{0x65, 7}}},
		"two":                {[]byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 7}, [][]byte{{0x67, 1}, {0x65, 7}}},
		"trailing zeros":     {[]byte{0, 0, 1, 0x65, 7, 0, 0}, [][]byte{{0x65, 7}}},
		"empty between":      {[]byte{0, 0, 1, 0, 0, 1, 0x65}, [][]byte{{0x65}}},
		"leading rubbish":    {[]byte{9, 0, 0, 1, 0x65}, [][]byte{{0x65}}},
		"escaped zeros stay": {[]byte{0, 0, 1, 0x65, 0, 0, 3, 1}, [][]byte{{0x65, 0, 0, 3, 1}}},
	} {
		if got := slices.Collect(NALs(c.data)); !slices.EqualFunc(got, c.want, bytes.Equal) {
			t.Errorf("%s: %x, want %x", name, got, c.want)
		}
	}
	if n := 0; true {
		for range NALs([]byte{0, 0, 1, 1, 0, 0, 1, 2}) {
			n++
			break
		}
		if n != 1 {
			t.Error("an early break must end the walk")
		}
	}
}

func TestIsKeyframe(t *testing.T) {
	if IsKeyframe([]byte{0, 0, 1, 0x61, 1}) || IsKeyframe(nil) || !IsKeyframe([]byte{0, 0, 1, 0x67, 1, 0, 0, 1, 0x65}) {
		t.Error("an IDR slice makes a keyframe, nothing else does")
	}
	if NALType(nil) != 0 || NALType([]byte{0x67}) != NALSPS {
		t.Error("NAL type")
	}
}

func FuzzNALs(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		for nal := range NALs(data) {
			if len(nal) == 0 || bytes.Contains(nal, []byte{0, 0, 1}) || nal[len(nal)-1] == 0 {
				t.Fatalf("NAL %x out of %x", nal, data)
			}
			total += len(nal) + 3
		}
		if total > len(data) {
			t.Fatalf("%d bytes out of %d", total, len(data))
		}
	})
}
