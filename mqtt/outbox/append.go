package outbox

import "os"

// coded is an event together with what can encode it again under another stream.
type coded struct {
	event
	encode func(stream string, seq uint64) ([]byte, error)
}

// Append numbers the entries, in order, and makes them durable with one write and one sync. When it returns they can
// be sent; Stats says whether they would survive a crash.
func (b *Outbox) Append(batch []Entry) {
	b.wr.Lock()
	defer b.wr.Unlock()
	b.resume()
	var events []coded
	for _, l := range b.takeLosses() {
		events = b.explain(events, l.camera, l.span)
	}
	for _, e := range batch {
		events = b.number(events, e)
	}
	b.store(events)
	b.explained()
	if b.shed() {
		events = events[:0]
		for _, l := range b.takeLosses() {
			events = b.explain(events, l.camera, l.span)
		}
		b.store(events)
		b.explained()
	}
	b.trim()
}

// explained looks whether all that was given up is explained now.
func (b *Outbox) explained() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owed = len(b.lost) > 0
	b.settle()
}

// Flush explains what was lost, notes what was delivered where the next sync takes it along, and tries a disk again that refused. Call it a
// few times a second.
func (b *Outbox) Flush() {
	b.Append(nil)
	b.wr.Lock()
	defer b.wr.Unlock()
	if b.durable() {
		b.noteDelivered(false)
	}
}

// number gives an entry the camera's next number and encodes it.
func (b *Outbox) number(events []coded, e Entry) []coded {
	if e.Lost > 0 {
		last := b.Last(e.Camera)
		b.mu.Lock()
		b.camera(e.Camera).Last = last + e.Lost
		b.stats.Dropped += e.Lost
		b.mu.Unlock()
		return b.explain(events, e.Camera, span{last + 1, last + e.Lost})
	}
	return b.encode(events, e.Camera, span{}, e.Encode)
}

// explain adds the event that accounts for a range of numbers.
func (b *Outbox) explain(events []coded, camera string, s span) []coded {
	return b.encode(events, camera, s, func(stream string, seq uint64) ([]byte, error) {
		return b.o.Explain(camera, stream, seq, s.From, s.To)
	})
}

func (b *Outbox) encode(events []coded, camera string, lost span, encode func(string, uint64) ([]byte, error)) []coded {
	b.mu.Lock()
	s := *b.camera(camera)
	index := b.next
	b.mu.Unlock()
	body, err := encode(s.ID, s.Last+1)
	if err != nil || len(body) > maxPayload/2 {
		b.o.Logger.Error("an event cannot be written and is left out", "camera", camera, "bytes", len(body), "error", err)
		return events
	}
	b.mu.Lock()
	b.camera(camera).Last++
	b.next++
	b.mu.Unlock()
	return append(events, coded{event{Index: index, Camera: camera, Stream: s.ID, Seq: s.Last + 1, Lost: lost, Body: body}, encode})
}

// camera is the camera's numbering; mu is held.
func (b *Outbox) camera(name string) *stream {
	s := b.cameras[name]
	if s == nil {
		s = &stream{ID: b.o.newID()}
		b.cameras[name] = s
	}
	return s
}

// store puts numbered events on disk, or in memory where the disk refuses, and makes them visible to the sender.
func (b *Outbox) store(events []coded) {
	if len(events) == 0 {
		return
	}
	items := make([]item, len(events))
	err := b.onDisk(events, items)
	if err != nil {
		b.refuse(err)
		b.renumber(events)
	}
	if err != nil || !b.durable() {
		for i, e := range events {
			items[i] = item{index: e.Index, camera: e.Camera, seq: e.Seq, lost: e.Lost, body: e.Body}
		}
	}
	b.mu.Lock()
	for _, it := range items {
		b.queue.push(it)
	}
	b.stats.Appended += uint64(len(items))
	if b.durable() {
		b.stats.Syncs++
		b.stats.Bytes = b.disk.used()
	}
	b.mu.Unlock()
	b.signal()
}

// onDisk appends events to the journal and says where they lie. Without a disk it does nothing.
func (b *Outbox) onDisk(events []coded, items []item) error {
	if !b.durable() {
		return nil
	}
	if b.disk.size >= b.o.SegmentBytes {
		if err := b.begin(events...); err != nil {
			return err
		}
	}
	var buf []byte
	for i, e := range events {
		off := len(buf)
		buf = appendEvent(buf, e.event)
		items[i] = item{
			index: e.Index, camera: e.Camera, seq: e.Seq, lost: e.Lost,
			seg: b.disk.num, off: b.disk.size + int64(off), size: len(buf) - off,
		}
	}
	return b.disk.write(buf)
}

// renumber encodes events again after the streams were renewed: what a failed write left on disk may be found there
// by the next start, which must not give the same ids to other events.
func (b *Outbox) renumber(events []coded) {
	for i := range events {
		e := &events[i]
		b.mu.Lock()
		e.Stream = b.camera(e.Camera).ID
		b.mu.Unlock()
		if body, err := e.encode(e.Stream, e.Seq); err == nil {
			e.Body = body
		}
	}
}

// durable reports whether events go to disk now; wr is held, or nobody else writes yet.
func (b *Outbox) durable() bool { return b.disk != nil && b.disk.active != nil }

// begin starts a segment that knows all that the older ones know. What has its number and is yet to be written, it does not.
func (b *Outbox) begin(coming ...coded) error {
	b.mu.Lock()
	h := header{Version: version, Identity: b.o.Identity, Next: b.next, Delivered: b.settled, Cameras: cloneStreams(b.cameras)}
	for _, it := range b.queue.pending() {
		if it.seg == 0 {
			h.without(it.camera, it.index, it.first())
		}
	}
	for _, e := range coming {
		h.without(e.Camera, e.Index, e.first())
	}
	b.mu.Unlock()
	data, err := appendHeader(nil, h)
	if err != nil {
		return err
	}
	if err := b.disk.begin(data); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marker = marker{b.disk.lock, b.disk.num}
	if err := b.marker.write(b.settled); err != nil { // what it says would be of another journal
		b.disk.drop(b.disk.num)
		return err
	}
	return nil
}

// refuse goes on in memory. The numbers go on; the streams begin anew, because the journal will not know these events.
func (b *Outbox) refuse(err error) {
	if b.disk != nil {
		b.disk.end()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stats.Disk == nil {
		for _, s := range b.cameras {
			s.ID = b.o.newID()
		}
		b.o.Logger.Error("the event journal cannot be written: events are kept in memory and would be lost by a restart",
			"folder", b.o.Dir, "error", err)
	}
	b.stats.Disk = err
	b.retry = b.o.Now().Add(b.o.Retry)
}

// resume tries the disk again and moves the events in memory to it.
func (b *Outbox) resume() {
	if b.disk == nil || b.durable() || b.o.Now().Before(b.retry) {
		return
	}
	if err := b.reopen(); err != nil {
		b.refuse(err)
		return
	}
	buf := b.encodeMemory()
	if err := b.disk.write(buf); err != nil {
		b.disk.drop(b.disk.num)
		b.refuse(err)
		return
	}
	b.moved()
}

// encodeMemory is the events in memory as records, each of which learns its place behind the segment's end.
func (b *Outbox) encodeMemory() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var buf []byte
	for i := range b.queue.len() {
		it := b.queue.at(i)
		if it.seg != 0 {
			continue
		}
		off := len(buf)
		buf = appendEvent(
			buf,
			event{Index: it.index, Camera: it.camera, Stream: b.camera(it.camera).ID, Seq: it.seq, Lost: it.lost, Body: it.body},
		)
		it.off, it.size = b.disk.size+int64(off), len(buf)-off
	}
	return buf
}

// moved marks what is in memory as lying in the active segment.
func (b *Outbox) moved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for i := range b.queue.len() {
		it := b.queue.at(i)
		if it.seg == 0 {
			n++
			b.queue.forget(*it)
			it.seg, it.body = b.disk.num, nil
			b.queue.disk += int64(it.size)
		}
	}
	b.stats.Disk = nil
	b.stats.Bytes = b.disk.used()
	b.o.Logger.Info("the event journal is written again", "folder", b.o.Dir, "saved", n)
}

// reopen begins a segment in a folder that refused before, or that somebody removed.
func (b *Outbox) reopen() error {
	if _, err := os.Stat(b.o.Dir); err != nil {
		b.disk.close()
	}
	if b.disk.lock == nil {
		d, err := openDisk(b.o.Dir, b.o.fault)
		if err != nil {
			return err
		}
		if err := d.acquire(); err != nil {
			return err
		}
		if _, err := d.segments(); err != nil {
			return err
		}
		d.num = max(d.num, b.disk.num)
		b.disk = d
	}
	return b.begin()
}
