package mp4

import "bytes"

// box is a box of ISO/IEC 14496-12: size, type, content.
func box(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return bytes.Join([][]byte{be32(uint32(8 + len(body))), []byte(kind), body}, nil)
}

// full is a box with a version and flags.
func full(kind string, version byte, flags uint32, parts ...[]byte) []byte {
	return box(kind, append([][]byte{be32(uint32(version)<<24 | flags)}, parts...)...)
}

func zeros(n int) []byte { return make([]byte, n) }

// unity is the transformation that changes nothing.
func unity() []byte {
	return bytes.Join([][]byte{be32(1 << 16), zeros(12), be32(1 << 16), zeros(12), be32(1 << 30)}, nil)
}

// overhead is the length of a fragment's head: moof, and the header of its mdat.
const overhead = 108

// head writes the head of the next fragment, one picture long, over the room before it.
func (m *Writer) head(fragment []byte, key bool, size, length uint32) {
	flags := uint32(0x01010000) // depends on others, is no place to begin at (8.8.3.1)
	if key {
		flags = 0x02000000
	}
	moof := box("moof",
		full("mfhd", 0, 0, be32(uint32(len(m.sizes)+1))),
		box("traf",
			full("tfhd", 0, 0x020000, be32(1)), // offsets count from the moof
			full("tfdt", 1, 0, be64(m.start)),
			full("trun", 0, 0x000701, be32(1), be32(overhead), be32(length), be32(size), be32(flags))))
	copy(fragment, moof)
	copy(fragment[len(moof):], be32(8+size))
	copy(fragment[len(moof)+4:], "mdat")
}

// chunks are where the samples lie, each behind the head of its fragment.
func (m *Writer) chunks() []byte {
	out := make([]byte, 0, 8*len(m.sizes))
	at := m.first
	for _, n := range m.sizes {
		out = append(out, be64(uint64(at+overhead))...)
		at += overhead + int64(n)
	}
	return out
}

// moov describes the one track: the whole of it, or nothing yet but that fragments follow.
func (m *Writer) moov(whole bool) []byte {
	var length uint64
	for _, n := range m.lengths {
		length += uint64(n)
	}
	extends := box("mvex", full("trex", 0, 0, be32(1), be32(1), zeros(12)))
	if whole {
		extends = nil
	}
	return box("moov",
		full("mvhd", 1, 0, zeros(16), be32(Timescale), be64(length), be32(1<<16), be16(1<<8), zeros(10), unity(), zeros(24), be32(2)),
		box(
			"trak",
			full(
				"tkhd",
				1,
				3,
				zeros(16),
				be32(1),
				zeros(4),
				be64(length),
				zeros(16),
				unity(),
				be32(uint32(m.format.Width)<<16),
				be32(uint32(m.format.Height)<<16),
			),
			box("mdia",
				full("mdhd", 1, 0, zeros(16), be32(Timescale), be64(length), be16(0x55c4), zeros(2)), // language "und"
				full("hdlr", 0, 0, zeros(4), []byte("vide"), zeros(12), []byte("video\x00")),
				box("minf",
					full("vmhd", 0, 1, zeros(8)),
					box("dinf", full("dref", 0, 0, be32(1), full("url ", 0, 1))),
					box("stbl", m.stsd(), m.stts(), m.stss(), m.stsc(), m.stsz(), full("co64", 0, 0, be32(uint32(len(m.sizes))), m.chunks())))),
		),
		extends)
}

// stsd describes the codec: AVC with 4-byte lengths (ISO/IEC 14496-15, 5.3.3.1).
func (m *Writer) stsd() []byte {
	avcC := box(
		"avcC",
		[]byte{1, m.sps[1], m.sps[2], m.sps[3], 0xff, 0xe1},
		be16(uint16(len(m.sps))),
		m.sps,
		[]byte{1},
		be16(uint16(len(m.pps))),
		m.pps,
	)
	return full("stsd", 0, 0, be32(1), box("avc1",
		zeros(6), be16(1), zeros(16), be16(uint16(m.format.Width)), be16(uint16(m.format.Height)),
		be32(72<<16), be32(72<<16), zeros(4), be16(1), zeros(32), be16(24), be16(0xffff), avcC))
}

// stts is the length of each sample, in runs.
func (m *Writer) stts() []byte {
	var runs []byte
	n := uint32(0)
	for i := 0; i < len(m.lengths); {
		j := i
		for j < len(m.lengths) && m.lengths[j] == m.lengths[i] {
			j++
		}
		runs = append(append(runs, be32(uint32(j-i))...), be32(m.lengths[i])...)
		n++
		i = j
	}
	return full("stts", 0, 0, be32(n), runs)
}

// stss is the samples that decoding can begin at.
func (m *Writer) stss() []byte { return full("stss", 0, 0, be32(uint32(len(m.keys))), list(m.keys)) }

// stsc says that each sample is a chunk of its own.
func (m *Writer) stsc() []byte {
	if len(m.sizes) == 0 {
		return full("stsc", 0, 0, be32(0))
	}
	return full("stsc", 0, 0, be32(1), be32(1), be32(1), be32(1))
}

func (m *Writer) stsz() []byte {
	return full("stsz", 0, 0, be32(0), be32(uint32(len(m.sizes))), list(m.sizes))
}

func list(v []uint32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, n := range v {
		out = append(out, be32(n)...)
	}
	return out
}
