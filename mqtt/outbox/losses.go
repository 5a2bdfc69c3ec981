package outbox

import "slices"

// loss is a run of one camera's events that will never be sent and has yet to be explained.
type loss struct {
	camera string
	span
}

// maxLosses bounds the list; beyond it neighbouring runs are merged, which may name an event that was delivered.
const maxLosses = 256

// losses are waiting for their events.dropped, in the order in which they happened.
type losses []loss

// add notes a run, joined to the one it continues.
func (l *losses) add(camera string, s span) {
	if s.From == 0 || s.To < s.From {
		return
	}
	for i := len(*l) - 1; i >= 0; i-- {
		have := &(*l)[i]
		if have.camera != camera {
			continue
		}
		if s.From <= have.To+1 && have.From <= s.To+1 || len(*l) >= maxLosses {
			have.From, have.To = min(have.From, s.From), max(have.To, s.To)
			return
		}
	}
	if len(*l) < 2*maxLosses {
		*l = append(*l, loss{camera, s})
	}
}

// events is how many events are lost.
func (l losses) events() (n uint64) {
	for _, run := range l {
		n += run.To - run.From + 1
	}
	return n
}

// take empties the list.
func (l *losses) take() []loss {
	out := slices.Clone(*l)
	*l = (*l)[:0]
	return out
}
