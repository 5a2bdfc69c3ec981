package rtsp

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"

	"github.com/segedge/segedge/video"
)

// interest is how long a picture is encoded for somebody who has asked what it is and does not play it yet.
const interest = 10 * time.Second

// feed is one picture of one camera on its way to its readers.
type feed struct {
	readers atomic.Int32
	asked   atomic.Int64 // when somebody last asked what it is, in Unix nanoseconds

	mu     sync.Mutex
	stream *gortsplib.ServerStream // nil before the first keyframe
	ready  chan struct{}           // closed when there is a stream
	closed bool

	// owned by who writes
	format  *format.H264
	encoder *rtph264.Encoder
	w, h    int
	begun   time.Time
}

func newFeed() *feed { return &feed{ready: make(chan struct{})} }

func (f *feed) wanted(now time.Time) bool {
	return f.readers.Load() > 0 || now.UnixNano()-f.asked.Load() < int64(interest)
}

// describe waits for the stream, of which a keyframe says what it is. One that nobody has asked for lately is described anew.
func (f *feed) describe(ctx context.Context, keyframe func()) *gortsplib.ServerStream {
	stale := !f.wanted(time.Now())
	f.asked.Store(time.Now().UnixNano())
	f.mu.Lock()
	if stale {
		f.renew()
	}
	ready := f.ready
	f.mu.Unlock()
	keyframe()
	select {
	case <-ready:
	case <-ctx.Done():
	}
	return f.current()
}

func (f *feed) current() *gortsplib.ServerStream {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stream
}

// renew ends the stream; mu is held.
func (f *feed) renew() {
	if f.stream == nil {
		return
	}
	f.stream.Close()
	f.stream, f.ready = nil, make(chan struct{})
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.renew()
}

// write sends a unit.
func (f *feed) write(server *gortsplib.Server, u video.Unit) error {
	nals, sps, pps := split(u.Data)
	stream, err := f.open(server, u, sps, pps)
	if stream == nil || err != nil {
		return err
	}
	packets, err := f.encoder.Encode(nals)
	if err != nil {
		return err
	}
	stamp := uint32(u.Captured.Sub(f.begun).Microseconds() * clockRate / 1_000_000)
	for _, p := range packets {
		p.Timestamp = stamp
		if err := stream.WritePacketRTPWithNTP(stream.Desc.Medias[0], p, u.Captured); err != nil {
			return err
		}
	}
	return nil
}

// clockRate is that of RTP video.
const clockRate = 90_000

// open has a stream for a unit: a new one at the first keyframe, and where the picture's size changes.
func (f *feed) open(server *gortsplib.Server, u video.Unit, sps, pps []byte) (*gortsplib.ServerStream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stream != nil && (f.w != u.Width || f.h != u.Height) {
		f.renew() // readers ask anew: no player takes another size in its stride
	}
	switch {
	case f.closed:
		return nil, nil
	case f.stream != nil && sps != nil && pps != nil && !bytes.Equal(sps, f.format.SPS):
		f.format.SafeSetParams(sps, pps)
	case f.stream == nil && u.Keyframe && sps != nil && pps != nil:
		return f.stream, f.begin(server, u, sps, pps)
	}
	return f.stream, nil
}

func (f *feed) begin(server *gortsplib.Server, u video.Unit, sps, pps []byte) error {
	f.format = &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: bytes.Clone(sps), PPS: bytes.Clone(pps)}
	encoder, err := f.format.CreateEncoder()
	if err != nil {
		return err
	}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f.format}}
	stream := &gortsplib.ServerStream{Server: server, Desc: &description.Session{Title: "segedge", Medias: []*description.Media{media}}}
	if err := stream.Initialize(); err != nil {
		return err
	}
	f.encoder, f.w, f.h, f.begun = encoder, u.Width, u.Height, u.Captured
	f.stream = stream
	close(f.ready)
	return nil
}

// split is the NAL units of an access unit, views into it, and its parameter sets among them.
func split(unit []byte) (nals [][]byte, sps, pps []byte) {
	for nal := range video.NALs(unit) {
		switch video.NALType(nal) {
		case video.NALAUD:
			continue
		case video.NALSPS:
			sps = nal
		case video.NALPPS:
			pps = nal
		}
		nals = append(nals, nal)
	}
	return nals, sps, pps
}
