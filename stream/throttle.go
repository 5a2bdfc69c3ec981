package stream

import "sync"

// share is how much of the usual bitrate a path seems to carry, by the loss its viewer reports: the loss-based half of
// Google's congestion control (draft-ietf-rmcat-gcc-02, section 6). The delay-based half, which most of its trouble comes
// from, is left out: on the networks of a camera loss says enough.
type share float64

// minShare still shows what goes on.
const minShare = 0.15

// after is the share after a report, lost being the fraction of packets that went missing since the one before.
func (s share) after(lost float64) share {
	switch {
	case lost > 0.10:
		return max(minShare, s*share(1-lost/2))
	case lost < 0.02:
		return min(1, s*1.05)
	}
	return s
}

// throttles are the shares that the cameras' encoders were told: one encoder serves all viewers of a camera, so the worst
// path decides.
type throttles struct {
	mu   sync.Mutex
	told map[string]share
}

// enough is the least change that an encoder is told of.
const enough = 0.02

// throttle tells a camera's encoder what its worst viewer can take, if that has changed.
func (s *Server) throttle(camera string) {
	worst := share(1)
	s.mu.RLock()
	for _, v := range s.viewers {
		if v.camera == camera && v.connected.Load() {
			worst = min(worst, v.traffic.share())
		}
	}
	s.mu.RUnlock()
	s.throttles.mu.Lock()
	defer s.throttles.mu.Unlock()
	told, ok := s.throttles.told[camera]
	if !ok {
		told = 1
	}
	if d := worst - told; d > enough || d < -enough || (worst == 1 && d != 0) {
		s.throttles.told[camera] = worst
		s.opts.Throttle(camera, float64(worst))
	}
}
