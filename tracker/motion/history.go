package motion

// Entry is one frame of the scene's past: its picture and the motion that led to it.
type Entry struct {
	Seq     uint64
	Gray    Gray
	BGR     []byte   // the same picture in colour, packed
	Points  []Pixel  // places in the picture before this one
	Spacing int      // distance between them, where nothing asked for closer ones, pixels
	Vectors []Vector // their motion into this one
	Scene   Fit      // the motion of the picture as a whole, from the one before
}

// ends are the places that vector i leads between, from the frame before to this one or, not forward, back; not ok where none was found.
func (e *Entry) ends(i int, forward bool) (p Pair, ok bool) {
	v := &e.Vectors[i]
	if !v.OK {
		return p, false
	}
	x, y := float64(e.Points[i].X), float64(e.Points[i].Y)
	u, w := x+float64(v.D.X), y+float64(v.D.Y)
	if !forward {
		return Pair{X: u, Y: w, U: x, V: y}, true
	}
	return Pair{X: x, Y: y, U: u, V: w}, true
}

// Pair is vector i of an entry as a pair, from the frame before to the entry's own or, not forward, back; not ok where none was found. What
// comes home more exactly weighs more.
func (k *Tuning) Pair(e *Entry, i int, forward bool) (p Pair, ok bool) {
	p, ok = e.ends(i, forward)
	if ok {
		p.W = 1 / (k.BackFloor + float64(e.Vectors[i].FB))
	}
	return p, ok
}

// WholeMotion is the motion of the picture as a whole into the entry's frame or, not forward, back.
func (e *Entry) WholeMotion(forward bool) Affine {
	if !forward {
		return e.Scene.Inverse()
	}
	return e.Scene.Affine
}

// History is a ring of entries, oldest first. Slots are reused, so a full ring allocates nothing.
type History struct {
	ring     []Entry
	start, n int
}

func newHistory(size int) History { return History{ring: make([]Entry, max(2, size))} }

// Len is the number of entries.
func (h *History) Len() int { return h.n }

// At is the i-th entry, 0 the oldest. It is valid until the scene takes as many frames as the history holds.
func (h *History) At(i int) *Entry { return &h.ring[(h.start+i)%len(h.ring)] }

// Last is the newest entry, nil before the first.
func (h *History) Last() *Entry {
	if h.n == 0 {
		return nil
	}
	return h.At(h.n - 1)
}

// Newest is the last frame's sequence number, 0 before the first.
func (h *History) Newest() uint64 {
	if h.n == 0 {
		return 0
	}
	return h.Last().Seq
}

// Oldest is the first frame that is kept, 0 without one.
func (h *History) Oldest() uint64 {
	if h.n == 0 {
		return 0
	}
	return h.At(0).Seq
}

// Find is the index of the newest entry that is not after seq; exact tells whether it is that very frame. It is -1 when the
// history does not reach back to seq.
func (h *History) Find(seq uint64) (i int, exact bool) {
	for i = h.n - 1; i >= 0; i-- {
		if e := h.At(i); e.Seq <= seq {
			return i, e.Seq == seq
		}
	}
	return -1, false
}

// Clear forgets every entry.
func (h *History) Clear() { h.start, h.n = 0, 0 }

// push makes room for a new entry, over the oldest when the ring is full, and returns it with its old buffers.
func (h *History) push() *Entry {
	if h.n == len(h.ring) {
		h.start = (h.start + 1) % len(h.ring)
		h.n--
	}
	h.n++
	return h.Last()
}

// drop takes back the entry that push just made.
func (h *History) drop() { h.n-- }
