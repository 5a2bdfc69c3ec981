package stream

import (
	"sync"
	"time"
)

// The renditions of a picture, as package video numbers them.
const (
	full     = iota // the camera's own size
	common          // within level 3.1
	low             // for a path that carries little
	vp8             // common for viewers that take no H.264
	vp8Low          // low for them
	versions        // how many there are: each also without the overlay, numbered behind these
	none     = -1
)

// of is the number of a rendition for this viewer: with the overlay, or without.
func (v *viewer) of(rendition int32) int {
	if v.clean && rendition != none {
		rendition += versions
	}
	return int(rendition)
}

// share is how much of a rendition's bitrate a path seems to carry, by the loss its viewer reports: the loss-based half of
// Google's congestion control (draft-ietf-rmcat-gcc-02, section 6). The delay-based half, which most of its trouble comes
// from, is left out: on the networks of a camera loss says enough.
type share float64

const (
	minShare  = 0.15 // still shows what goes on
	tooLittle = 0.6  // below this a path gets the low rendition
)

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

// How long a path must have been good in the low rendition until the other is tried again: doubled each time that fails soon.
const (
	firstHold = 20 * time.Second
	longHold  = 10 * time.Minute
)

// path chooses a viewer's rendition. Only the goroutine that hears the viewer's reports changes it.
type path struct {
	slow  bool // the low rendition is what it carries
	since time.Time
	hold  time.Duration
	bad   time.Time // when loss was last reported
}

// judge takes a report's loss and the share after it, and reports whether the path should carry the low rendition.
func (p *path) judge(now time.Time, lost float64, s share) bool {
	if lost >= 0.02 {
		p.bad = now
	}
	switch {
	case !p.slow && s < tooLittle:
		if p.hold == 0 || now.Sub(p.since) > longHold {
			p.hold = firstHold
		} else {
			p.hold = min(2*p.hold, longHold) // the last try did not last
		}
		p.slow, p.since = true, now
	case p.slow && s == 1 && now.Sub(p.since) >= p.hold && now.Sub(p.bad) >= p.hold:
		p.slow, p.since = false, now
	}
	return p.slow
}

// report takes what a viewer reports of its packets, and moves it to the rendition that its path carries.
func (v *viewer) report(lost uint8, jitter uint32) {
	v.traffic.report(lost, jitter)
	was := v.path.slow
	if v.path.judge(time.Now(), float64(lost)/256, v.traffic.share()) != was {
		v.traffic.milli.Store(0) // another bitrate, another share
		v.log.Info("viewer gets another rendition", "low", v.path.slow, "loss", float64(lost)/256)
	}
	v.choose()
}

// choose aims at the best rendition that the viewer's decoder promises to take and its path carries.
func (v *viewer) choose() {
	aim := full
	switch {
	case v.vp8 && v.path.slow:
		aim = vp8Low
	case v.vp8:
		aim = vp8
	case v.path.slow || v.level < commonLevel:
		aim = low
	case v.tooHigh.Load() || v.server.opts.Level(v.camera) > v.level:
		aim = common
	}
	if v.aim.Swap(int32(aim)) != int32(aim) {
		v.server.opts.RequestKeyframe(v.camera, v.of(int32(aim)))
	}
}

// The levels of the renditions, as level_idc writes them (ITU-T H.264, A.3).
const (
	commonLevel = 31
	lowLevel    = 30
)

// take offers a unit: one of the rendition that the viewer gets, or the keyframe with which it changes over to the one it should
// get. It reports whether a keyframe of that one is needed.
func (v *viewer) take(u Unit) (ask bool) {
	if (u.Rendition >= versions) != v.clean {
		return false
	}
	u.Rendition %= versions
	if u.Rendition == full && u.Level > v.level && !v.tooHigh.Swap(true) {
		v.aim.CompareAndSwap(full, common)
		v.gets.CompareAndSwap(full, none)
		return v.aim.Load() == common
	}
	aim := int(v.aim.Load())
	if u.Rendition == aim && v.gets.Load() != int32(aim) {
		if !u.Keyframe {
			if v.gets.Load() == none {
				v.queue.dropped.Add(1)
			}
			return true
		}
		v.gets.Store(int32(aim))
		v.queue.restart()
	}
	return int(v.gets.Load()) == u.Rendition && v.queue.put(u)
}

// Wanted reports whether a connected viewer of a camera gets a rendition, or should. Cheap: video.Options.Wanted calls it for
// every frame.
func (s *Server) Wanted(camera string, rendition int) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, v := range s.viewers {
		if v.camera == camera && v.connected.Load() && (v.of(v.aim.Load()) == rendition || v.of(v.gets.Load()) == rendition) {
			return true
		}
	}
	return false
}

// throttles are the shares that the cameras' encoders were told.
type throttles struct {
	mu   sync.Mutex
	told map[string]*[2 * versions]share
}

// enough is the least change that an encoder is told of.
const enough = 0.02

// throttle tells a camera's encoders what the best of each rendition's viewers can take, if that has changed: one that takes less
// than the others moves to the low rendition, and spoils nobody's picture until then.
func (s *Server) throttle(camera string) {
	var best [2 * versions]share
	s.mu.RLock()
	for _, v := range s.viewers {
		if v.camera == camera && v.connected.Load() {
			aim := v.of(v.aim.Load())
			best[aim] = max(best[aim], v.traffic.share())
		}
	}
	s.mu.RUnlock()
	s.throttles.mu.Lock()
	defer s.throttles.mu.Unlock()
	told := s.throttles.told[camera]
	if told == nil {
		told = &[2 * versions]share{}
		for r := range told {
			told[r] = 1
		}
		s.throttles.told[camera] = told
	}
	for r, b := range best {
		if b == 0 { // nobody
			b = 1
		}
		if d := b - told[r]; d > enough || d < -enough || (b == 1 && d != 0) {
			told[r] = b
			s.opts.Throttle(camera, r, float64(b))
		}
	}
}

// bucket allows so much a second, and a burst of it at once. One goroutine uses it.
type bucket struct {
	rate, burst float64
	left        float64
	at          time.Time
}

// take reports whether n may be used now, and uses it.
func (b *bucket) take(now time.Time, n float64) bool {
	if b.at.IsZero() {
		b.left = b.burst
	}
	b.left, b.at = min(b.burst, b.left+b.rate*now.Sub(b.at).Seconds()), now
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// requests bounds how many keyframes one viewer may ask for: a path that loses packets all the time asks all the time, and every
// keyframe costs the others quality.
func requests() bucket { return bucket{rate: 0.5, burst: 4} }
