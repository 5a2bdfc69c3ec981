// Package mp4 writes the units of package video into an MP4 file (ISO/IEC 14496-12, 14496-15) that players and editors
// open and search: one H.264 track, each picture shown for the time until the next. Each picture goes to the file as it comes, as
// a fragment of its own, so that what is there can be played whenever writing ends: after a crash or a power cut as well. Close
// makes an ordinary file of it, with one index at the end, by declaring the fragments to be part of the media data.
// Only the index is kept in memory, 12 bytes a picture. It reads nothing and encodes nothing.
package mp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
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
	at       int64  // where the next byte goes
	mdat     int64  // where the box of samples will begin
	first    int64  // where the first fragment begins
	start    uint64 // when the newest sample is shown, in ticks
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
	// Room for the header of the one box of samples that Close makes of everything after it.
	return m, m.write(append(head, box("free", zeros(8))...))
}

// Write adds one unit. Units before the first keyframe cannot be decoded and are left out.
func (m *Writer) Write(u video.Unit) error {
	if len(m.sizes) == 0 && !u.Keyframe {
		return nil
	}
	if len(m.sizes) >= MaxSamples {
		return ErrFull
	}
	fragment := m.fragment(u.Data)
	if m.sps == nil || m.pps == nil {
		return fmt.Errorf("mp4: the keyframe of frame %d has no parameter sets", u.Seq)
	}
	n := len(m.lengths)
	if n == 0 {
		if err := m.write(m.moov(false)); err != nil {
			return err
		}
		m.first = m.at
	} else {
		m.lengths[n-1] = ticks(between(m.prev, u))
		m.start += uint64(m.lengths[n-1])
	}
	size, length := uint32(len(fragment)-overhead), ticks(u.Duration)
	m.head(fragment, u.Keyframe, size, length)
	if err := m.write(fragment); err != nil {
		return err
	}
	m.sizes = append(m.sizes, size)
	m.lengths = append(m.lengths, length)
	if u.Keyframe {
		m.keys = append(m.keys, uint32(len(m.sizes)))
	}
	m.prev = u
	m.prev.Data = nil
	return nil
}

// At is when the newest picture is shown, from the beginning of the recording.
func (m *Writer) At() time.Duration {
	return time.Duration(m.start/Timescale)*time.Second + time.Duration(m.start%Timescale)*time.Second/Timescale
}

// between is how long a is shown before b: by the source's own clock where both have it and it keeps step with the time of capture,
// else by that: a camera's stamps may jump when it sets its clock, and a file's when it begins anew.
func between(a, b video.Unit) time.Duration {
	captured := b.Captured.Sub(a.Captured)
	if d := b.PTS - a.PTS; d > 0 && (d <= jump || d <= 2*captured) {
		return d
	}
	if captured > 0 {
		return captured
	}
	return b.Duration
}

// jump is how far a source's clock may step ahead of the time of capture: a file is read as it comes.
const jump = 2 * time.Second

func ticks(d time.Duration) uint32 {
	const most = 10 * time.Minute // a stalled camera's last picture; keeps the sum in bounds
	d = min(max(d, 0), most)
	return uint32(max(1, (int64(d)*Timescale+int64(time.Second)/2)/int64(time.Second)))
}

// fragment turns an access unit into length-prefixed form, with room for the fragment's head before it. Parameter sets stay in it: the
// encoder may renumber them.
func (m *Writer) fragment(unit []byte) []byte {
	m.buf.Reset()
	m.buf.Write(zeros(overhead))
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

// Close writes the index. Without a picture the file is no video, and Close says so. The underlying file is the caller's; where it can be
// synced it is before the last change: a power cut leaves the fragments, or the whole.
func (m *Writer) Close() error {
	if len(m.sizes) == 0 {
		return errors.New("mp4: no picture was recorded")
	}
	end := m.at
	if err := m.write(m.moov(true)); err != nil {
		return err
	}
	if f, ok := m.w.(interface{ Sync() error }); ok {
		if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) { // a pipe cannot
			return fmt.Errorf("mp4: %w", err)
		}
	}
	if _, err := m.w.Seek(m.mdat, io.SeekStart); err != nil {
		return fmt.Errorf("mp4: %w", err)
	}
	head := append(append(be32(1), "mdat"...), be64(uint64(end-m.mdat))...) // 1: the size has 64 bits
	if _, err := m.w.Write(head); err != nil {
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
