package tracker

// policy decides when a keyframe is worth its price.
type policy struct{}

// WantKeyframe says whether the newest frame is worth asking the model about, and how urgently: 1 for a prompt that waits, less for what
// can wait. It is false with nothing to ask.
func (t *Tracker) WantKeyframe() (want bool, urgency float64) {
	for _, o := range t.objects {
		if o.asked {
			return true, 1
		}
		age := t.Newest() - min(o.key, t.Newest())
		urgency = max(urgency, min(0.9, float64(age)/float64(t.opt.frames(t.opt.MaxKeyframeGap))))
	}
	return len(t.objects) > 0, urgency
}
