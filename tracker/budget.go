package tracker

import "github.com/segedge/segedge/seg"

// budget decides when a keyframe is worth its price. It has no clock: it counts frames.
type budget struct {
	first uint64  // the newest frame when the model first answered
	asked uint64  // the frame of the last keyframe that was answered
	paid  uint64  // the newest frame when it was last paid for
	seen  uint64  // the newest frame when WantKeyframe was last asked
	purse float64 // frames of model time that may be spent now
}

// earn adds the model's share of the frames that have passed to the purse.
func (b *budget) earn(now uint64, share, most float64) {
	if b.seen != 0 && now > b.seen {
		b.purse = min(b.purse+share*float64(now-b.seen), most)
	}
	b.seen = now
}

// note takes an answer of the model, for which now is the newest frame, into account.
func (b *budget) note(now uint64) {
	if b.first == 0 {
		b.first = now
	}
}

// pay takes what a keyframe has cost since it was last paid for out of the purse: its answers come in parts. One that was answered within
// its own frame is free.
func (b *budget) pay(seq, now uint64) {
	switch {
	case seq < b.asked:
		return // a late answer to a prompt
	case seq > b.asked:
		b.asked, b.paid = seq, min(seq, now)
	}
	b.purse -= float64(now - b.paid)
	b.paid = now
}

// WantKeyframe says whether the newest frame is worth asking the model about, and how urgently, 0..1: 1 for a prompt that waits. Routine
// keyframes keep within Budget: what a keyframe costs is the number of frames between its query and its answer.
func (t *Tracker) WantKeyframe() (want bool, urgency float64) {
	now := t.Newest()
	t.budget.earn(now, t.opt.Budget, t.tuning.PurseMost)
	for _, o := range t.objects {
		urgency = max(urgency, t.need(o, now))
	}
	switch {
	case urgency == 0:
		return false, 0
	case urgency >= 1:
		return true, 1
	}
	return t.budget.purse > 0, urgency
}

// need is how much an object would gain from a keyframe now, 0..1: prompts first, then what is in doubt, hidden or lost, then whatever was
// not looked at for long or has moved since.
func (t *Tracker) need(o *object, now uint64) float64 {
	if o.asked {
		return 1
	}
	k, age := t.tuning, float64(now-min(o.key, now))/float64(t.clock.frames(t.opt.MaxKeyframeGap))
	switch o.state {
	case seg.Uncertain:
		return min(k.DoubtWant+age, k.DoubtMost)
	case seg.Occluded:
		return k.HiddenWant
	case seg.Lost:
		if o.returning {
			return k.HiddenWant
		}
		return min(k.LostWant+k.LostRise*age, k.LostMost)
	case seg.Tentative:
		return 0
	default:
		return min(age+o.moved(), k.TrackedMost)
	}
}

// moved is how far an object has come since its keyframe, in its own sizes: still things need no second look.
func (o *object) moved() float64 {
	if o.track == nil || o.area <= 0 {
		return 0
	}
	return o.track.Moved() / o.area
}
