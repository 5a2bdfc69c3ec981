package outbox

// shed gives up the oldest events until the bounds hold, and reports whether it gave up any.
func (b *Outbox) shed() bool {
	b.trim()
	over := b.disk != nil && b.disk.used() > b.o.MaxBytes
	if over && b.durable() && b.headSegment() == b.disk.num {
		if err := b.begin(); err != nil {
			b.refuse(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.stats.Dropped
	if over {
		b.shedSegment()
	}
	if b.queue.len() > b.o.MaxEvents {
		for b.queue.len() > b.o.MaxEvents-b.o.MaxEvents/16 {
			b.giveUp(0)
		}
	}
	if b.queue.mem > b.o.MemoryBytes {
		b.shedMemory()
	}
	return b.stats.Dropped != before
}

// shedSegment gives up the events of the oldest segment; mu is held.
func (b *Outbox) shedSegment() {
	if b.queue.len() == 0 || b.queue.at(0).seg == 0 {
		return
	}
	for oldest := b.queue.at(0).seg; b.queue.len() > 0 && b.queue.at(0).seg == oldest; {
		b.giveUp(0)
	}
}

// shedMemory gives up the oldest events that are only in memory; mu is held.
func (b *Outbox) shedMemory() {
	first := 0
	for first < b.queue.len() && b.queue.at(first).seg != 0 {
		first++
	}
	for first < b.queue.len() && b.queue.mem > b.o.MemoryBytes-b.o.MemoryBytes/16 {
		b.giveUp(first)
	}
}

// giveUp takes the i-th event out of the queue and notes that it will not be sent; mu is held.
func (b *Outbox) giveUp(i int) {
	gone := span{b.queue.at(i).seq, b.queue.at(i).seq}
	if lost := b.queue.at(i).lost; lost.From > 0 {
		if lost.From > b.floor(i) {
			gone.From = lost.From // and all between: nothing of it was sent, nothing of it waits
		} else {
			b.lost.add(b.queue.at(i).camera, lost)
		}
	}
	var it item
	if i == 0 {
		it = b.queue.pop()
		b.done = max(b.done, it.index+1)
	} else {
		it = b.queue.remove(i)
	}
	b.stats.Dropped++
	b.owed = true
	b.lost.add(it.camera, gone)
}

// floor is the highest number of the i-th event's camera that was sent or waits before it.
func (b *Outbox) floor(i int) uint64 {
	camera := b.queue.at(i).camera
	for i--; i >= 0; i-- {
		if it := b.queue.at(i); it.camera == camera {
			return it.seq
		}
	}
	return b.camera(camera).Sent
}

func (b *Outbox) headSegment() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queue.len() == 0 {
		return 0
	}
	return b.queue.at(0).seg
}

func (b *Outbox) takeLosses() []loss {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost.take()
}

// trim removes the segments that hold nothing to send.
func (b *Outbox) trim() {
	if b.disk == nil {
		return
	}
	oldest := b.disk.num
	if n := b.headSegment(); n != 0 {
		oldest = n
	}
	if b.disk.hasBefore(oldest) && b.noteDelivered(true) {
		b.disk.dropBefore(oldest)
	}
	b.mu.Lock()
	b.stats.Bytes = b.disk.used()
	b.mu.Unlock()
}

// noteDelivered writes down what was delivered, and reports whether the journal knows it now. A segment is removed only
// then: else a start after a power cut would take its events for lost.
func (b *Outbox) noteDelivered(durably bool) bool {
	b.mu.Lock()
	settled, noted, all := b.settled, b.noted, b.settled == b.done
	b.mu.Unlock()
	if settled == noted && !durably {
		return all
	}
	if !b.durable() {
		return b.disk != nil // the segments that a refusing disk left are not what a start will go by
	}
	write := b.disk.note
	if durably {
		write = b.disk.write
	}
	if err := write(appendDelivered(nil, settled)); err != nil {
		b.refuse(err)
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noted = settled
	b.stats.Bytes = b.disk.used()
	return all
}
