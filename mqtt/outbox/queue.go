package outbox

// item is an undelivered event: where it lies, or, while the disk refuses, its bytes.
type item struct {
	index  uint64
	camera string
	seq    uint64
	lost   span
	seg    uint64 // 0 while it is only in memory
	off    int64
	size   int
	body   []byte // nil once it is on disk
}

func (it item) first() uint64 { return it.lost.first(it.seq) }

// queue holds the undelivered events, oldest first.
type queue struct {
	items []item
	head  int
	disk  int64 // bytes on disk
	mem   int64 // bytes only in memory
}

func (q *queue) len() int        { return len(q.items) - q.head }
func (q *queue) at(i int) *item  { return &q.items[q.head+i] }
func (q *queue) pending() []item { return q.items[q.head:] }

func (q *queue) push(it item) {
	if it.seg == 0 {
		q.mem += int64(len(it.body))
	} else {
		q.disk += int64(it.size)
	}
	q.items = append(q.items, it)
}

func (q *queue) pop() item {
	it := q.items[q.head]
	q.items[q.head] = item{}
	q.head++
	q.forget(it)
	if q.head > 64 && q.head*2 > len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return it
}

func (q *queue) forget(it item) {
	if it.seg == 0 {
		q.mem -= int64(len(it.body))
	} else {
		q.disk -= int64(it.size)
	}
}

// remove takes out the i-th item, counted from the head.
func (q *queue) remove(i int) item {
	it := *q.at(i)
	q.forget(it)
	at := q.head + i
	copy(q.items[at:], q.items[at+1:])
	q.items[len(q.items)-1] = item{}
	q.items = q.items[:len(q.items)-1]
	return it
}

// after is the position of the first item with an index above i, by binary search.
func (q *queue) after(i uint64) int {
	lo, hi := 0, q.len()
	for lo < hi {
		mid := (lo + hi) / 2
		if q.at(mid).index <= i {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
