package tracker

import "github.com/segedge/segedge/seg"

// policy decides when a keyframe is worth its price. It has no clock: it counts frames.
type policy struct {
	asked uint64  // the frame of the last keyframe that was answered
	paid  uint64  // the newest frame when it was last paid for
	seen  uint64  // the newest frame when WantKeyframe was last asked
	purse float64 // frames of model time that may be spent now
}

// purseLimit is how much unspent model time may gather, frames.
const purseLimit = 10

// WantKeyframe says whether the newest frame is worth asking the model about, and how urgently, 0..1: 1 for a prompt that waits. Routine
// keyframes keep within Budget: what a keyframe costs is the number of frames between its query and its answer.
func (t *Tracker) WantKeyframe() (want bool, urgency float64) {
	now := t.Newest()
	t.earn(now)
	for _, o := range t.objects {
		urgency = max(urgency, t.need(o, now))
	}
	switch {
	case urgency == 0:
		return false, 0
	case urgency >= 1:
		return true, 1
	}
	return t.policy.purse > 0, urgency
}

// need is how much an object would gain from a keyframe now, 0..1: prompts first, then what is in doubt, hidden or lost, then whatever was
// not looked at for long or has moved since.
func (t *Tracker) need(o *object, now uint64) float64 {
	if o.asked {
		return 1
	}
	age := float64(now-min(o.key, now)) / float64(t.frames(t.opt.MaxKeyframeGap))
	switch o.state {
	case seg.Uncertain:
		return min(0.5+age, 0.95)
	case seg.Occluded:
		return 0.8
	case seg.Lost:
		return min(0.3+0.1*age, 0.7)
	case seg.Tentative:
		return 0
	}
	return min(age+t.moved(o), 0.9)
}

// moved is how far an object has come since its keyframe, in its own sizes: still things need no second look.
func (t *Tracker) moved(o *object) float64 {
	if o.track == nil || o.area <= 0 {
		return 0
	}
	r := o.track.patch.rect
	x, y := o.track.center()
	dx, dy := x-float64(r.Min.X+r.Max.X)/2, y-float64(r.Min.Y+r.Max.Y)/2
	return (dx*dx + dy*dy) / o.area
}

// earn adds the frames that have passed to the purse.
func (t *Tracker) earn(now uint64) {
	p := &t.policy
	if p.seen != 0 && now > p.seen {
		p.purse = min(p.purse+t.opt.Budget*float64(now-p.seen), purseLimit)
	}
	p.seen = now
}

// pay takes what a keyframe has cost since it was last paid for out of the purse: its answers come in parts. One that was answered within its own
// frame is free.
func (t *Tracker) pay(seq uint64) {
	p, now := &t.policy, t.Newest()
	switch {
	case seq < p.asked:
		return // a late answer to a prompt
	case seq > p.asked:
		p.asked, p.paid = seq, min(seq, now)
	}
	p.purse -= float64(now - p.paid)
	p.paid = now
}
