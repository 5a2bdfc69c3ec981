package stream

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// traffic counts what goes to a viewer and what it reports.
type traffic struct {
	units     atomic.Uint64
	bytes     atomic.Uint64
	keyframes atomic.Uint64
	lost      atomic.Uint32 // of 256, in the viewer's newest report (RFC 3550, 6.4.1)
	jitter    atomic.Uint32 // ticks of 90 kHz
	milli     atomic.Uint32 // thousandths that the share is below 1, after the viewer's reports
}

// report takes a viewer's receiver report.
func (t *traffic) report(lost uint8, jitter uint32) {
	t.lost.Store(uint32(lost))
	t.jitter.Store(jitter)
	t.milli.Store(uint32(1000 - 1000*t.share().after(float64(lost)/256) + 0.5))
}

// share is what the viewer's path seems to carry.
func (t *traffic) share() share { return 1 - share(t.milli.Load())/1000 }

// ViewerStats is what is known of a viewer.
type ViewerStats struct {
	Viewer    string  `json:"viewer"`
	Camera    string  `json:"camera"`
	State     string  `json:"state"`     // connecting, connected
	Seconds   float64 `json:"seconds"`   // since it came
	Units     uint64  `json:"units"`     // pictures sent
	Bytes     uint64  `json:"bytes"`     // of pictures sent
	Dropped   uint64  `json:"dropped"`   // pictures not sent because it was slow, or had no keyframe yet
	Keyframes uint64  `json:"keyframes"` // asked for by the viewer
	Loss      float64 `json:"loss"`      // fraction of packets lost lately, 0..1
	JitterMS  float64 `json:"jitter_ms"` // of packets' arrival
	Share     float64 `json:"share"`     // of its rendition's bitrate that its path seems to carry, 0..1
	Rendition string  `json:"rendition"` // full, common (within level 3.1) or low; empty before its first picture
	Overlay   string  `json:"overlay"`   // who draws it: agent or client
}

func (v *viewer) stats() ViewerStats {
	s := ViewerStats{
		Viewer: v.id, Camera: v.camera, State: "connecting", Seconds: float64(time.Since(v.since).Milliseconds()) / 1000,
		Units: v.traffic.units.Load(), Bytes: v.traffic.bytes.Load(), Dropped: v.queue.dropped.Load(), Keyframes: v.traffic.keyframes.Load(),
		Loss: float64(v.traffic.lost.Load()) / 256, JitterMS: float64(v.traffic.jitter.Load()) * 1000 / clockRate,
		Share: float64(v.traffic.share()), Overlay: "agent",
	}
	if v.clean {
		s.Overlay = "client"
	}
	if r := v.gets.Load(); r != none {
		s.Rendition = [versions]string{"full", "common", "low", "vp8", "vp8-low"}[r]
	}
	if v.connected.Load() {
		s.State = "connected"
	}
	return s
}

// Stats describes every viewer, by camera, the longest there first.
func (s *Server) Stats() []ViewerStats {
	s.mu.RLock()
	out := make([]ViewerStats, 0, len(s.viewers))
	for _, v := range s.viewers {
		out = append(out, v.stats())
	}
	s.mu.RUnlock()
	slices.SortFunc(out, func(a, b ViewerStats) int {
		if c := strings.Compare(a.Camera, b.Camera); c != 0 {
			return c
		}
		return int(b.Seconds*1000) - int(a.Seconds*1000)
	})
	return out
}
