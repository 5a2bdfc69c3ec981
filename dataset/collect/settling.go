package collect

import (
	"slices"
	"time"
)

// settleTime is how long a correction waits for the next one: who clicks again says that the mask was not right yet.
const settleTime = 10 * time.Second

// mostSettling bounds the corrections that wait; when there are more the oldest is taken as it is.
const mostSettling = 16

// settling are corrections that may be followed by another of the same object, oldest first.
type settling []waiter

type waiter struct {
	Sample
	track string
	until time.Time
}

// judged is the object that a sample is about, and what was said of it; "" where that is no object that is followed.
func (s *Sample) judged() (track, verdict string) {
	for i := range s.Masks {
		if m := &s.Masks[i]; m.Verdict != Proposed {
			return m.Track, m.Verdict
		}
	}
	return "", ""
}

// add takes a sample in, and answers what is to be kept now. What is said of an object takes the place of a correction of it that still
// waits.
func (w *settling) add(s Sample, now time.Time) (keep []Sample) {
	track, verdict := s.judged()
	w.drop(track)
	if track == "" || verdict != Refined {
		return []Sample{s}
	}
	if len(*w) == mostSettling {
		keep = append(keep, (*w)[0].Sample)
		*w = slices.Delete(*w, 0, 1)
	}
	*w = append(*w, waiter{s, track, now.Add(settleTime)})
	return keep
}

// drop forgets the correction of an object.
func (w *settling) drop(track string) {
	*w = slices.DeleteFunc(*w, func(a waiter) bool { return track != "" && a.track == track })
}

// due takes out what has waited long enough; all of it with the zero time.
func (w *settling) due(now time.Time) (keep []Sample) {
	*w = slices.DeleteFunc(*w, func(a waiter) bool {
		over := now.IsZero() || !now.Before(a.until)
		if over {
			keep = append(keep, a.Sample)
		}
		return over
	})
	return keep
}
