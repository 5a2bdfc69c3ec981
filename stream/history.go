package stream

import (
	"math/rand/v2"
	"sync"
	"time"
)

// clockRate is that of RTP video (RFC 6184, 8.2.1).
const clockRate = 90_000

// historyLength is how many sent pictures a viewer's clicks can be told apart by: 8 s at 30 a second.
const historyLength = 256

// history gives each picture its RTP time, and remembers which frame it was.
type history struct {
	mu    sync.Mutex
	base  uint32    // RTP time of the first picture (random: RFC 3550, 5.1)
	start time.Time // its capture
	last  uint32
	seq   uint64
	sent  time.Time // when the last was stamped
	n     int
	ring  [historyLength]struct {
		rtp uint32
		seq uint64
	}
}

// stamp is the RTP time of a picture captured at the given time: it follows the camera's clock and always grows.
func (h *history) stamp(seq uint64, captured time.Time) uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n == 0 {
		h.base, h.start = rand.Uint32(), captured // #nosec G404 -- where RTP time begins is no secret
		h.last = h.base - 1
	}
	since := captured.Sub(h.start)
	// In two steps, so that days do not overflow.
	t := h.base + uint32(int64(since/time.Second)*clockRate) + uint32(int64(since%time.Second)*clockRate/int64(time.Second))
	if int32(t-h.last) <= 0 {
		t = h.last + 1
	}
	h.last, h.seq, h.sent = t, seq, time.Now()
	at := &h.ring[h.n%historyLength]
	at.rtp, at.seq = t, seq
	h.n++
	return t
}

// slack is how far a viewer's time may lie from the picture's: browsers give it back exactly, less one tick here and there.
const slack = clockRate / 200

// at is the frame of the picture at an RTP time.
func (h *history) at(rtp uint32) (seq uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	best := int32(slack + 1)
	for i := range min(h.n, historyLength) {
		d := int32(h.ring[i].rtp - rtp)
		if d = max(d, -d); d >= 0 && d < best {
			best, seq, ok = d, h.ring[i].seq, true
		}
	}
	return seq, ok
}

// sent is a picture that was sent.
type sent struct {
	rtp uint32
	seq uint64
	at  time.Time
}

// newest is the picture that was sent last; false when none was.
func (h *history) newest() (sent, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return sent{h.last, h.seq, h.sent}, h.n > 0
}
