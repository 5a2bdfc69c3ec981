package video

import (
	"bytes"
	"iter"
)

// NAL unit types (ITU-T H.264, table 7-1).
const (
	NALIDR = 5
	NALSPS = 7
	NALPPS = 8
	NALAUD = 9
)

// NALType is the type of a NAL unit.
func NALType(nal []byte) byte {
	if len(nal) == 0 {
		return 0
	}
	return nal[0] & 0x1f
}

// NALs are the units of an Annex B byte stream, without their start codes; views into data.
func NALs(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, rest, found := cutStart(data)
		for found {
			var nal []byte
			nal, rest, found = cutStart(rest)
			if len(nal) > 0 && !yield(nal) {
				return
			}
		}
	}
}

// cutStart splits data at its first start code; the zeros before it belong to neither side (B.1.1).
func cutStart(data []byte) (before, after []byte, found bool) {
	i := bytes.Index(data, []byte{0, 0, 1})
	if i < 0 {
		return bytes.TrimRight(data, "\x00"), nil, false
	}
	return bytes.TrimRight(data[:i], "\x00"), data[i+3:], true
}

// IsKeyframe reports whether an access unit is an instantaneous decoder refresh.
func IsKeyframe(data []byte) bool {
	for nal := range NALs(data) {
		if NALType(nal) == NALIDR {
			return true
		}
	}
	return false
}
