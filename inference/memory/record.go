package memory

import "slices"

// What is kept of an object is bounded (sam2.1_hiera_t.yaml: num_maskmem 7, max_obj_ptrs_in_encoder 16).
const (
	recent          = 6  // spatial memories of the newest frames that nobody prompted: num_maskmem without the conditioning one
	pointers        = 15 // object pointers of the newest frames, beside that of a conditioning frame
	maxConditioning = 4  // conditioning frames; upstream keeps all, for a clip ends. Of more, the first and the newest stay
	maxObjects      = 64
)

// record is what is kept of one object in one frame.
type record struct {
	At       int64  // the object's frames, counted from its first
	Seq      uint64 // the camera's frame; 0 where nobody said
	Prompted bool   // a person said something: a conditioning frame
	Features []float32
	Pointer  []float32
}

// object is what is remembered of one object: its conditioning frames and its newest ones, the oldest first.
type object struct {
	ID      int64
	Now     int64 // the time of its next frame
	Records []record

	told int // how often a person has said anew what it is: what was asked before knows less
}

// put adds the newest record, in place of those of its time and later, and forgets what is beyond the bounds. What a question was shown
// stays as it was.
func (o *object) put(r record) {
	o.Records = slices.DeleteFunc(slices.Clone(o.Records), func(old record) bool { return old.At >= r.At })
	o.Records = append(o.Records, r)
	o.Now = r.At + 1
	o.spareConditioning()
	o.Records = slices.DeleteFunc(o.Records, func(old record) bool { return !old.Prompted && o.Now-old.At > pointers })
	for i := range o.Records {
		if old := &o.Records[i]; !old.Prompted && o.Now-old.At > recent && old.Features != nil {
			old.Features = nil
		}
	}
}

// spareConditioning keeps the first conditioning frame and the newest ones; what lies between becomes a frame like any other.
func (o *object) spareConditioning() {
	n := 0
	for i := len(o.Records) - 1; i >= 0; i-- {
		if r := &o.Records[i]; r.Prompted {
			if n++; n >= maxConditioning && r.At != o.first() {
				r.Prompted = false
			}
		}
	}
}

// first is the time of the oldest conditioning frame.
func (o *object) first() int64 {
	i := slices.IndexFunc(o.Records, func(r record) bool { return r.Prompted })
	return o.Records[i].At
}

// choice is what a frame's attention is shown of earlier ones.
type choice struct {
	spatial  []spatial
	pointers [][]float32
	age      float32 // of the first pointer, frames

	said, last *record // the newest conditioning frame and the newest frame; nil where there is none
}

// spatial is a memory with its place in the model's table of ages: 0 is the last frame, the last entry is for conditioning frames.
type spatial struct {
	features []float32
	age      int
}

// choose picks what a frame at this time is shown: all conditioning frames, and the newest others. Attention does not depend on the order
// of memories of one kind, so theirs is by time.
func (o *object) choose(now int64, timed bool) choice {
	var c choice
	var old []record
	for _, r := range o.Records {
		if r.At < now {
			old = append(old, r)
		}
	}
	if n := len(old); n > 0 {
		c.said, c.last = conditioning(old), &old[n-1]
	}
	for _, r := range old {
		switch age := now - r.At; {
		case r.Prompted:
			c.spatial = append(c.spatial, spatial{r.Features, recent})
		case age <= recent && r.Features != nil:
			c.spatial = append(c.spatial, spatial{r.Features, int(age) - 1})
		}
	}
	if timed {
		c.choosePointers(old, now)
		return c
	}
	for _, r := range old {
		c.pointers = append(c.pointers, r.Pointer)
	}
	return c
}

// conditioning is the newest conditioning frame; the first is one.
func conditioning(old []record) *record {
	for i := len(old) - 1; i > 0; i-- {
		if old[i].Prompted {
			return &old[i]
		}
	}
	return &old[0]
}

// at is the time of the camera's frame seq for the object: what was remembered of that frame, and of newer ones, is later or the same.
func (o *object) at(seq uint64) int64 {
	for _, r := range slices.Backward(o.Records) {
		if r.Seq < seq {
			return r.At + 1
		}
	}
	return 0
}

// newest is the camera's frame of which something was remembered last.
func (o *object) newest() uint64 { return o.Records[len(o.Records)-1].Seq }

// choosePointers picks for a graph that takes the age of the first pointer, and for which the others are 1, 2, 3 … frames old. So the first
// is a conditioning frame, and the others are those before now without a gap: every pointer has its true age. The first is the newest
// conditioning frame that the others do not reach, else the oldest.
func (c *choice) choosePointers(old []record, now int64) {
	first := -1
	for i, r := range old {
		if r.Prompted && (first < 0 || now-r.At > pointers) {
			first = i
		}
	}
	if first < 0 {
		return
	}
	c.age = float32(now - old[first].At)
	c.pointers = append(c.pointers, old[first].Pointer)
	for i := len(old) - 1; i > first; i-- {
		if age := now - old[i].At; age != int64(len(c.pointers)) || age > pointers {
			return
		}
		c.pointers = append(c.pointers, old[i].Pointer)
	}
}
