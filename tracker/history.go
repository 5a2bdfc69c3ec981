package tracker

// entry is one frame of the scene's past: its picture and the motion that led to it.
type entry struct {
	seq   uint64
	gray  Gray
	bgr   []byte   // the same picture in colour, packed
	pts   []Pixel  // places in the picture before this one
	step  int      // distance between them, where nothing asked for closer ones
	vec   []Vector // their motion into this one
	scene fitted   // the motion of the picture as a whole, from the one before
}

// history is a ring of entries, oldest first. Slots are reused, so a full ring allocates nothing.
type history struct {
	ring     []entry
	start, n int
}

func newHistory(size int) *history { return &history{ring: make([]entry, max(2, size))} }

// at is the i-th entry, 0 the oldest.
func (h *history) at(i int) *entry { return &h.ring[(h.start+i)%len(h.ring)] }

func (h *history) newest() *entry {
	if h.n == 0 {
		return nil
	}
	return h.at(h.n - 1)
}

// push makes room for a new entry, over the oldest when the ring is full, and returns it with its old buffers.
func (h *history) push() *entry {
	if h.n == len(h.ring) {
		h.start = (h.start + 1) % len(h.ring)
		h.n--
	}
	h.n++
	return h.newest()
}

// drop takes back the entry that push just made.
func (h *history) drop() { h.n-- }

// find is the index of the newest entry that is not after seq; exact tells whether it is that very frame. It is -1 when the
// history does not reach back to seq.
func (h *history) find(seq uint64) (i int, exact bool) {
	for i = h.n - 1; i >= 0; i-- {
		if e := h.at(i); e.seq <= seq {
			return i, e.seq == seq
		}
	}
	return -1, false
}

func (h *history) clear() { h.start, h.n = 0, 0 }
