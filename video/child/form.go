package child

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/segedge/segedge/video"
)

// wanted is where ffmpeg makes a keyframe: at time stamps of an odd number of milliseconds. A command line has no other ear.
const wanted = "eq(mod(round(t*1000),2),1)"

// matroska writes pictures as one uncompressed track (RFC 9559), a cluster for each.
type matroska struct {
	begun time.Time
	last  int64 // time stamp, milliseconds
	head  []byte
}

func (m *matroska) write(w io.Writer, pic *video.Picture, keyframe bool) error {
	m.head = m.head[:0]
	stamp := int64(0)
	if m.begun.IsZero() {
		m.begun = time.Now()
		m.head = append(m.head, opening(pic.Width, pic.Height)...)
	} else {
		stamp = max(time.Since(m.begun).Milliseconds(), m.last+2) &^ 1
		if keyframe {
			stamp |= 1
		}
	}
	m.last = stamp
	at := element(0xe7, binary.BigEndian.AppendUint64(nil, uint64(stamp)))
	// A SimpleBlock of track 1, at the cluster's time, a keyframe of its own.
	block := append(size(id(nil, 0xa3), 4+len(pic.Pix)), 0x81, 0, 0, 0x80)
	m.head = size(id(m.head, 0x1f43b675), len(at)+len(block)+len(pic.Pix))
	m.head = append(append(m.head, at...), block...)
	if _, err := w.Write(m.head); err != nil {
		return err
	}
	_, err := w.Write(pic.Pix)
	return err
}

// opening is everything before the first picture.
func opening(w, h int) []byte {
	number := func(name uint32, v int) []byte { return element(name, binary.BigEndian.AppendUint32(nil, uint32(v))) }
	out := element(0x1a45dfa3, number(0x4286, 1), number(0x42f7, 1), number(0x42f2, 4), number(0x42f3, 8),
		element(0x4282, []byte("matroska")), number(0x4287, 4), number(0x4285, 2))
	out = append(id(out, 0x18538067), 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff) // Segment, of unknown size
	name := []byte("segedge")                                                         // of the muxer and of the writer
	out = append(out, element(0x1549a966, number(0x2ad7b1, 1_000_000), element(0x4d80, name), element(0x5741, name))...)
	picture := element(0xe0, number(0xb0, w), number(0xba, h), element(0x2eb524, []byte("I420")))
	return append(out, element(0x1654ae6b, element(0xae, number(0xd7, 1), number(0x73c5, 1), number(0x83, 1),
		element(0x86, []byte("V_UNCOMPRESSED")), picture))...)
}

// element is an EBML element (RFC 8794) with its content.
func element(name uint32, content ...[]byte) []byte {
	n := 0
	for _, c := range content {
		n += len(c)
	}
	out := size(id(nil, name), n)
	for _, c := range content {
		out = append(out, c...)
	}
	return out
}

// id appends an element's name, which says its own length.
func id(out []byte, name uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if b := byte(name >> shift); b != 0 || name>>shift != 0 {
			out = append(out, b)
		}
	}
	return out
}

// size appends an element's size, eight bytes long.
func size(out []byte, n int) []byte { return binary.BigEndian.AppendUint64(out, 1<<56|uint64(n)) }

// form is how units come back from a child.
type form struct {
	muxer string // of the command line
	read  func(*bufio.Reader, chan<- []byte)
	key   func(unit []byte) bool // whether it is a keyframe
	whole func(unit []byte) bool // whether that can be decoded by itself
}

func (o *Options) form() form {
	if o.Encoder == VP8 {
		return form{"-f ivf", readIVF, vp8Key, vp8Whole}
	}
	return form{"-flvflags no_duration_filesize -f flv", readFLV, video.IsKeyframe, decodable}
}

func decodable(unit []byte) bool {
	sps, pps := false, false
	for nal := range video.NALs(unit) {
		sps = sps || video.NALType(nal) == video.NALSPS
		pps = pps || video.NALType(nal) == video.NALPPS
	}
	return sps && pps
}

// vp8Key reports a frame that is a keyframe, by the lowest bit of its tag (RFC 6386, 9.1).
func vp8Key(unit []byte) bool { return len(unit) > 0 && unit[0]&1 == 0 }

// vp8Whole reports the start code of a keyframe.
func vp8Whole(unit []byte) bool { return len(unit) >= 10 && string(unit[3:6]) == "\x9d\x01\x2a" }

// readIVF sends the frames of an IVF file until it ends: a header of 32 bytes, and before each frame its length and its time.
func readIVF(r *bufio.Reader, units chan<- []byte) {
	if _, err := r.Discard(32); err != nil {
		return
	}
	for {
		var head [12]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		n := binary.LittleEndian.Uint32(head[:])
		if n > mostTag {
			return
		}
		unit := make([]byte, n)
		if _, err := io.ReadFull(r, unit); err != nil {
			return
		}
		units <- unit
	}
}

// mostTag bounds a unit.
const mostTag = 8 << 20

var errForm = errors.New("video/child: what the child says is no FLV")

// readFLV sends the units of an FLV file (Video File Format Specification 10, annex E) as Annex B, keyframes with their parameter
// sets, until it ends.
func readFLV(r *bufio.Reader, units chan<- []byte) {
	if _, err := r.Discard(9 + 4); err != nil {
		return
	}
	var sets []byte
	for {
		kind, body, err := readTag(r)
		if err != nil {
			return
		}
		const avc = 7
		if kind != 9 || len(body) < 5 || body[0]&0xf != avc {
			continue
		}
		switch body[1] {
		case 0:
			sets = parameterSets(body[5:])
		case 1:
			if unit := annexB(body[5:], sets); len(unit) > 0 {
				units <- unit
			}
		}
	}
}

func readTag(r *bufio.Reader) (kind byte, body []byte, err error) {
	var head [11]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	if n > mostTag {
		return 0, nil, errForm
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	_, err = r.Discard(4)
	return head[0], body, err
}

var startCode = []byte{0, 0, 0, 1}

// parameterSets are those of an avcC (ISO/IEC 14496-15, 5.3.3.1), as Annex B; nil where it is none.
func parameterSets(avcC []byte) (out []byte) {
	if len(avcC) < 7 {
		return nil
	}
	rest := avcC[5:]
	for _, mask := range []byte{0x1f, 0xff} {
		if len(rest) == 0 {
			return out
		}
		n := int(rest[0] & mask)
		rest = rest[1:]
		for range n {
			if len(rest) < 2 {
				return nil
			}
			size := int(binary.BigEndian.Uint16(rest))
			if len(rest) < 2+size {
				return nil
			}
			out = append(append(out, startCode...), rest[2:2+size]...)
			rest = rest[2+size:]
		}
	}
	return out
}

// annexB turns NAL units with lengths of four bytes into Annex B; before a keyframe come the parameter sets that it has not got itself.
func annexB(sample, sets []byte) []byte {
	out := make([]byte, 0, len(sample)+len(sets))
	key, own := false, false
	for rest := sample; len(rest) > 4; {
		n := int(binary.BigEndian.Uint32(rest))
		if n <= 0 || len(rest) < 4+n {
			return nil
		}
		nal := rest[4 : 4+n]
		key, own = key || video.NALType(nal) == video.NALIDR, own || video.NALType(nal) == video.NALSPS
		if video.NALType(nal) != video.NALAUD {
			out = append(append(out, startCode...), nal...)
		}
		rest = rest[4+n:]
	}
	if key && !own {
		out = append(append(make([]byte, 0, len(out)+len(sets)), sets...), out...)
	}
	return out
}
