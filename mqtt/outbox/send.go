package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errVanished: the journal does not hold what the queue says.
var errVanished = errors.New("the journal does not hold the event")

// Reader reads undelivered events back for one sender. Not safe for concurrent use.
type Reader struct {
	b   *Outbox
	num uint64
	f   *os.File
	buf []byte
}

// Reader makes a reader; Close it.
func (b *Outbox) Reader() *Reader { return &Reader{b: b} }

// Close lets the reader's file go.
func (r *Reader) Close() {
	if r.f != nil {
		_ = r.f.Close()
		r.f, r.num = nil, 0
	}
}

// Next is the oldest undelivered event with an index above after; false when there is none. The body belongs to the
// caller.
func (r *Reader) Next(after uint64) (Message, bool) {
	for {
		r.b.mu.Lock()
		i := r.b.queue.after(after)
		if i == r.b.queue.len() {
			r.b.mu.Unlock()
			return Message{}, false
		}
		it := *r.b.queue.at(i)
		r.b.mu.Unlock()
		m := Message{Index: it.index, Camera: it.camera, Seq: it.seq, Body: it.body}
		if it.seg == 0 {
			return m, true
		}
		body, err := r.read(it)
		if err == nil {
			m.Body = body
			return m, true
		}
		r.b.unreadable(it.index, err)
	}
}

// read takes an event from its segment.
func (r *Reader) read(it item) ([]byte, error) {
	if r.num != it.seg {
		r.Close()
		f, err := os.Open(segmentPath(r.b.o.Dir, it.seg))
		if err != nil {
			return nil, err
		}
		r.f, r.num = f, it.seg
	}
	if cap(r.buf) < it.size {
		r.buf = make([]byte, it.size)
	}
	buf := r.buf[:it.size]
	if _, err := r.f.ReadAt(buf, it.off); err != nil {
		return nil, err
	}
	k, payload, _, err := readRecord(buf)
	if err != nil {
		return nil, err
	}
	e, err := parseEvent(payload)
	if err != nil || k != kindEvent || e.Index != it.index {
		return nil, fmt.Errorf("event %d: %w", it.index, errVanished)
	}
	return append([]byte(nil), e.Body...), nil
}

// unreadable gives up an event that the disk lost, unless it was given up meanwhile.
func (b *Outbox) unreadable(index uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.queue.after(index - 1)
	if i == b.queue.len() || b.queue.at(i).index != index {
		return
	}
	b.giveUp(i)
	if !errors.Is(err, fs.ErrNotExist) || !b.reported {
		b.reported = true
		b.o.Logger.Error("an event cannot be read back from the journal and is given up", "folder", b.o.Dir, "error", err)
	}
}

// SetAside gives up an event that cannot be sent; the next Flush explains it.
func (b *Outbox) SetAside(index uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.queue.after(index - 1); i < b.queue.len() && b.queue.at(i).index == index {
		b.giveUp(i)
		b.stats.SetAside++
	}
}

// Delivered says that the broker has taken every event up to and including index. It waits for no sync: a kill that comes afterwards makes
// none of them be sent again, a power cut may.
func (b *Outbox) Delivered(index uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.queue.len() > 0 && b.queue.at(0).index <= index {
		it := b.queue.pop()
		b.camera(it.camera).Sent = it.seq
		b.stats.Sent++
	}
	b.done = max(b.done, index+1)
	b.settle()
	_ = b.marker.write(b.settled) // an older mark is true as well
}

// settle has what is done settled, unless something is still to be explained; mu is held.
func (b *Outbox) settle() {
	if !b.owed {
		b.settled = b.done
	}
}
