package tracker

// budget decides when a keyframe is worth its price. It has no clock: it counts frames.
type budget struct {
	first  uint64  // the newest frame when the model first answered
	asked  uint64  // the frame of the last keyframe that was answered
	paid   uint64  // the newest frame when it was last paid for
	seen   uint64  // the newest frame when WantKeyframe was last asked
	credit float64 // frames of model time that may be spent now
	share  float64 // of Options.Budget that is given now, 0..1
}

// earn adds the model's share of the frames that have passed to the credit.
func (b *budget) earn(now uint64, share float64) {
	if b.seen != 0 && now > b.seen {
		b.credit = min(b.credit+share*float64(now-b.seen), mostCredit)
	}
	b.seen = now
}

// note takes an answer of the model, for which now is the newest frame, into account.
func (b *budget) note(now uint64) {
	if b.first == 0 {
		b.first = now
	}
}

// pay takes what a keyframe has cost since it was last paid for out of the credit: its answers come in parts. One that was answered within
// its own frame is free.
func (b *budget) pay(seq, now uint64) {
	switch {
	case seq < b.asked:
		return // a late answer to a prompt
	case seq > b.asked:
		b.asked, b.paid = seq, min(seq, now)
	}
	b.credit -= float64(now - b.paid)
	b.paid = now
}
