package outbox

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
)

// recovered is what the segments of a journal say.
type recovered struct {
	identity  string
	cameras   map[string]stream
	next      uint64 // the next event's index
	delivered uint64 // every event below has been delivered
	items     []item // undelivered, oldest first
	losses    losses
	records   int
	end       int64 // of the newest segment's last whole record
	damaged   bool  // the newest segment may have lost records that had been sent, and nothing later says of whom
}

// recovery reads segments, oldest first. It does no IO.
type recovery struct {
	recovered
	gaps []gap
}

// gap is a hole in a camera's numbers, between two neighbours of which the later has the index before.
type gap struct {
	loss
	before uint64
}

// segment reads one segment's bytes.
func (r *recovery) segment(n uint64, data []byte) {
	records, state := scan(data)
	r.records += len(records)
	r.damaged, r.end = state == damaged, 0
	for _, rec := range records {
		r.end = int64(rec.off + rec.size)
		switch rec.kind {
		case kindHeader:
			r.header(rec.payload)
		case kindDelivered:
			if v, k := binary.Uvarint(rec.payload); k > 0 {
				r.delivered = max(r.delivered, v)
			}
		case kindEvent:
			if e, err := parseEvent(rec.payload); err == nil {
				r.event(e, n, rec)
			}
		}
	}
}

func (r *recovery) header(payload []byte) {
	var h header
	if json.Unmarshal(payload, &h) != nil {
		return
	}
	r.identity = h.Identity
	r.next, r.delivered = max(r.next, h.Next), max(r.delivered, h.Delivered)
	for name, s := range h.Cameras {
		if _, known := r.cameras[name]; !known && h.Version >= version {
			// The first that is heard of a camera: what waited then lay in segments of which nothing is left. Nothing is missing
			// if it has been delivered since.
			r.cameras[name] = stream{ID: s.ID, Last: min(s.Sent, s.Last)}
		}
		r.advance(name, s.ID, s.Last+1, h.Next)
		r.cameras[name] = s
	}
}

func (r *recovery) event(e event, seg uint64, rec record) {
	r.advance(e.Camera, e.Stream, e.Seq, e.Index)
	r.fill(e.Camera, e.Lost)
	r.fill(e.Camera, span{e.Seq, e.Seq}) // headers of older versions were ahead of their segments
	r.cameras[e.Camera] = stream{ID: e.Stream, Last: e.Seq}
	r.next = max(r.next, e.Index+1)
	r.items = append(r.items, item{index: e.Index, camera: e.Camera, seq: e.Seq, lost: e.Lost, seg: seg, off: int64(rec.off), size: rec.size})
}

// advance notes the numbers between the last that was read and seq.
func (r *recovery) advance(camera, id string, seq, index uint64) {
	have, ok := r.cameras[camera]
	if ok && have.ID == id && seq > have.Last+1 {
		r.gaps = append(r.gaps, gap{loss{camera, span{have.Last + 1, seq - 1}}, index})
	}
}

// fill takes numbers that came, or that an event explains, out of the gaps.
func (r *recovery) fill(camera string, s span) {
	if s.From == 0 || s.To < s.From {
		return
	}
	for i, g := range slices.Backward(r.gaps) {
		if g.camera != camera || s.To < g.From || g.To < s.From {
			continue
		}
		var left []gap
		if g.From < s.From {
			left = append(left, gap{loss{camera, span{g.From, s.From - 1}}, g.before})
		}
		if s.To < g.To {
			left = append(left, gap{loss{camera, span{s.To + 1, g.To}}, g.before})
		}
		r.gaps = slices.Replace(r.gaps, i, i+1, left...)
	}
}

// finish keeps what is still to be sent.
func (r *recovery) finish() recovered {
	r.next = max(r.next, r.delivered) // of what was delivered, the last may be damaged
	keep := r.items[:0]
	for _, it := range r.items {
		if it.index >= r.delivered && (len(keep) == 0 || it.index > keep[len(keep)-1].index) {
			keep = append(keep, it)
		}
	}
	r.items = keep
	for _, g := range r.gaps {
		if g.before > r.delivered {
			r.losses.add(g.camera, g.span)
		}
	}
	return r.recovered
}

// recoverFrom reads all segments of a folder.
func recoverFrom(d *disk) (recovered, error) {
	r := recovery{recovered: recovered{cameras: map[string]stream{}, next: 1}}
	nums, err := d.segments()
	if err != nil {
		return r.recovered, err
	}
	for _, n := range nums {
		data, err := d.read(n)
		if err != nil {
			return r.recovered, err
		}
		r.segment(n, data)
	}
	r.damaged = r.damaged || d.shortened(d.num, r.end)
	r.delivered = max(r.delivered, d.delivered())
	return r.finish(), nil
}

func cloneStreams(m map[string]*stream) map[string]stream {
	out := make(map[string]stream, len(m))
	for name, s := range m {
		out[name] = *s
	}
	return out
}

// streams are the recovered numberings, renewed where numbers may be given twice.
func (r *recovered) streams(id func() string) map[string]*stream {
	out := make(map[string]*stream, len(r.cameras))
	for name, s := range maps.All(r.cameras) {
		if r.damaged {
			s.ID = id()
		}
		s.Sent = s.Last
		out[name] = &s
	}
	for _, it := range slices.Backward(r.items) {
		out[it.camera].Sent = it.first() - 1
	}
	return out
}
