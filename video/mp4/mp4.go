// Package mp4 writes the units of package video into an MP4 file (ISO/IEC 14496-12, 14496-15) that players and editors
// open and search: one H.264 track, each picture shown for the time until the next. Samples go to the file as they come;
// only the index is kept in memory, 12 bytes a picture. It reads nothing and encodes nothing.
package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segedge/segedge/video"
)

// Timescale is the track's clock, that of RTP video.
const Timescale = 90_000

// MaxSamples bounds the index: more than six days at 30 pictures a second.
const MaxSamples = 1 << 24

// ErrFull is returned when the index has reached MaxSamples; the file can be closed and is complete up to there.
var ErrFull = errors.New("mp4: the recording has reached its greatest length")

// Writer writes one file. Not safe for concurrent use.
type Writer struct {
	w        io.WriteSeeker
	format   Format
	at       int64 // where the next byte goes
	mdat     int64 // where the box of samples begins
	sps, pps []byte
	sizes    []uint32
	lengths  []uint32 // of each sample in ticks; the last is a guess until the next sample comes
	keys     []uint32 // numbers of the keyframes, from 1
	prev     video.Unit
	buf      bytes.Buffer
}

// Format says what the encoder was given; the pictures themselves are described by their parameter sets.
type Format struct{ Width, Height int }

// NewWriter begins a file.
func NewWriter(w io.WriteSeeker, f Format) (*Writer, error) {
	if f.Width <= 0 || f.Height <= 0 || f.Width > 1<<16-1 || f.Height > 1<<16-1 {
		return nil, fmt.Errorf("mp4: size %dx%d", f.Width, f.Height)
	}
	m := &Writer{w: w, format: f}
	head := box("ftyp", []byte("isom"), be32(0x200), []byte("isomiso2avc1mp41"))
	m.mdat = int64(len(head))
	// A 64-bit size, since nobody knows yet how long it gets; filled in by Close.
	head = append(head, be32(1)...)
	head = append(head, "mdat"...)
	head = append(head, be64(16)...)
	return m, m.write(head)
}

// Write adds one unit. Units before the first keyframe cannot be decoded and are left out.
func (m *Writer) Write(u video.Unit) error {
	if len(m.sizes) == 0 && !u.Keyframe {
		return nil
	}
	if len(m.sizes) >= MaxSamples {
		return ErrFull
	}
	sample := m.sample(u.Data)
	if m.sps == nil || m.pps == nil {
		return fmt.Errorf("mp4: the keyframe of frame %d has no parameter sets", u.Seq)
	}
	if err := m.write(sample); err != nil {
		return err
	}
	if n := len(m.lengths); n > 0 {
		m.lengths[n-1] = ticks(between(m.prev, u))
	}
	m.sizes = append(m.sizes, uint32(len(sample)))
	m.lengths = append(m.lengths, ticks(u.Duration))
	if u.Keyframe {
		m.keys = append(m.keys, uint32(len(m.sizes)))
	}
	m.prev = u
	m.prev.Data = nil
	return nil
}

// between is how long a is shown before b: by the source's own clock where both have it, else by the time of capture.
func between(a, b video.Unit) time.Duration {
	if d := b.PTS - a.PTS; d > 0 {
		return d
	}
	if d := b.Captured.Sub(a.Captured); d > 0 {
		return d
	}
	return b.Duration
}

func ticks(d time.Duration) uint32 {
	const most = 10 * time.Minute // a stalled camera's last picture; keeps the sum in bounds
	d = min(max(d, 0), most)
	return uint32(max(1, (int64(d)*Timescale+int64(time.Second)/2)/int64(time.Second)))
}

// sample turns an access unit into length-prefixed form. Parameter sets stay in it: the encoder may renumber them.
func (m *Writer) sample(unit []byte) []byte {
	m.buf.Reset()
	for nal := range video.NALs(unit) {
		switch video.NALType(nal) {
		case video.NALAUD:
			continue
		case video.NALSPS:
			if m.sps == nil && len(nal) >= 4 {
				m.sps = bytes.Clone(nal)
			}
		case video.NALPPS:
			if m.pps == nil {
				m.pps = bytes.Clone(nal)
			}
		}
		m.buf.Write(be32(uint32(len(nal))))
		m.buf.Write(nal)
	}
	return m.buf.Bytes()
}

// Samples is the number of pictures written.
func (m *Writer) Samples() int { return len(m.sizes) }

// Close writes the index. Without a picture the file is no video, and Close says so. The underlying file is the caller's.
func (m *Writer) Close() error {
	if len(m.sizes) == 0 {
		return errors.New("mp4: no picture was recorded")
	}
	end := m.at
	if err := m.write(m.moov()); err != nil {
		return err
	}
	if _, err := m.w.Seek(m.mdat+8, io.SeekStart); err != nil {
		return fmt.Errorf("mp4: %w", err)
	}
	if _, err := m.w.Write(be64(uint64(end - m.mdat))); err != nil {
		return fmt.Errorf("mp4: %w", err)
	}
	return nil
}

func (m *Writer) write(b []byte) error {
	n, err := m.w.Write(b)
	m.at += int64(n)
	if err != nil {
		return fmt.Errorf("mp4: %w", err)
	}
	return nil
}

func be16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func be64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
