package video

import "bytes"

// WithColor writes into the sequence parameter sets of a unit how its colours are meant: BT.601 matrix, limited range,
// primaries and transfer of BT.709, as Picture has them. Where nothing is written viewers guess by size, and a browser
// that takes BT.601 for BT.709 turns red to orange. A unit whose parameter sets say something already, or are of a
// profile that this does not know, is returned as it is; data itself is never written.
func WithColor(data []byte) []byte {
	for nal := range NALs(data) {
		if NALType(nal) != NALSPS {
			continue
		}
		sps, ok := colorSPS(nal)
		if !ok {
			return data
		}
		at := bytes.Index(data, nal)
		out := make([]byte, 0, len(data)+len(sps)-len(nal))
		out = append(append(out, data[:at]...), sps...)
		return append(out, data[at+len(nal):]...)
	}
	return data
}

// colorSPS inserts the video signal type (ITU-T H.264, 7.3.2.1.1 and E.1.1) into a parameter set of the baseline, main or
// extended profile.
func colorSPS(nal []byte) (sps []byte, ok bool) {
	if len(nal) < 4 || (nal[1] != 66 && nal[1] != 77 && nal[1] != 88) {
		return nil, false
	}
	r := bits{data: bytes.ReplaceAll(nal, []byte{0, 0, 3}, []byte{0, 0})} // 7.4.1: emulation prevention
	end, ok := r.stop()
	if !ok {
		return nil, false
	}
	r.skipToVUI()
	var w bits
	hasVUI := r.read(1) == 1
	if r.at > end {
		return nil, false
	}
	w.copy(r.data, r.at-1)
	w.write(1, 1)
	if hasVUI {
		from := r.at
		r.skipAspect()
		signal := r.at
		if r.read(1) == 1 || r.at > end {
			return nil, false
		}
		w.copyFrom(r.data, from, signal)
		w.signal()
		w.copyFrom(r.data, r.at, end)
	} else {
		w.write(0, 2) // neither aspect ratio nor overscan
		w.signal()
		w.write(0, 6) // nothing else
	}
	w.write(1, 1) // the stop bit; padding is there already
	return w.escaped(), true
}

// signal writes video_signal_type: unspecified format, limited range, primaries and transfer BT.709 (1), matrix BT.601 (6).
func (b *bits) signal() {
	b.write(1, 1)
	b.write(5, 3)
	b.write(0, 1)
	b.write(1, 1)
	b.write(1, 8)
	b.write(1, 8)
	b.write(6, 8)
}

// bits reads and writes single bits. Reading past the end gives zeros.
type bits struct {
	data []byte
	at   int // of the next bit
}

func (b *bits) read(n int) (v uint32) {
	for range n {
		v <<= 1
		if b.at>>3 < len(b.data) {
			v |= uint32(b.data[b.at>>3]>>(7-b.at&7)) & 1
		}
		b.at++
	}
	return v
}

// golomb reads an unsigned Exp-Golomb code (9.1).
func (b *bits) golomb() uint32 {
	zeros := 0
	for b.read(1) == 0 && zeros < 31 {
		zeros++
	}
	return 1<<zeros - 1 + b.read(zeros)
}

func (b *bits) skipGolomb(n uint32) {
	for range n {
		b.golomb()
	}
}

// skipToVUI reads up to vui_parameters_present_flag.
func (b *bits) skipToVUI() {
	b.at = 4 * 8
	b.skipGolomb(2) // id, frame number length
	switch b.golomb() {
	case 0:
		b.golomb()
	case 1:
		b.read(1)
		b.skipGolomb(2)
		b.skipGolomb(min(b.golomb(), 255))
	}
	b.golomb() // reference frames
	b.read(1)
	b.skipGolomb(2) // size
	if b.read(1) == 0 {
		b.read(1)
	}
	b.read(1)
	if b.read(1) == 1 {
		b.skipGolomb(4) // cropping
	}
}

// skipAspect reads up to video_signal_type_present_flag.
func (b *bits) skipAspect() {
	if b.read(1) == 1 && b.read(8) == 255 {
		b.read(32)
	}
	if b.read(1) == 1 {
		b.read(1)
	}
}

// stop is where the stop bit is.
func (b *bits) stop() (at int, ok bool) {
	for i := len(b.data)*8 - 1; i >= 0; i-- {
		if b.data[i>>3]>>(7-i&7)&1 == 1 {
			return i, true
		}
	}
	return 0, false
}

func (b *bits) write(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if b.at>>3 == len(b.data) {
			b.data = append(b.data, 0)
		}
		b.data[b.at>>3] |= byte(v>>i&1) << (7 - b.at&7)
		b.at++
	}
}

func (b *bits) copy(from []byte, n int) { b.copyFrom(from, 0, n) }

func (b *bits) copyFrom(from []byte, start, end int) {
	r := bits{data: from, at: start}
	for r.at < end {
		b.write(r.read(1), 1)
	}
}

// escaped puts the emulation prevention bytes in.
func (b *bits) escaped() []byte {
	out := make([]byte, 0, len(b.data)+4)
	zeros := 0
	for _, v := range b.data {
		if zeros >= 2 && v <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, v); v == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}
