package outbox

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
)

func sampleSegment() []byte {
	buf, _ := appendHeader(nil, header{Version: 1, Identity: "agent@broker", Next: 7, Delivered: 6, Cameras: map[string]stream{"a": {ID: "s", Last: 3}}})
	for i := range 3 {
		buf = appendEvent(buf, event{Index: uint64(7 + i), Camera: "a", Stream: "s", Seq: uint64(4 + i), Body: fmt.Appendf(nil, "body %d", i)})
	}
	return appendDelivered(buf, 8)
}

func TestRecordsReadBack(t *testing.T) {
	e := event{Index: 1 << 40, Camera: "front", Stream: "s", Seq: 9, Lost: span{3, 8}, Body: []byte(`{"a":1}`)}
	records, end := scan(appendEvent(nil, e))
	if len(records) != 1 || end != whole {
		t.Fatalf("%d records, condition %d", len(records), end)
	}
	if got, err := parseEvent(records[0].payload); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	good := appendEvent(nil, event{Index: 1, Camera: "a", Stream: "s", Seq: 1, Body: []byte("body")})
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if records, end := scan(bad); len(records) != 0 || end == whole {
				t.Errorf("byte %d bit %d: %d records, condition %d", i, bit, len(records), end)
			}
		}
	}
}

func TestScanGoesOnBehindDamage(t *testing.T) {
	data := sampleSegment()
	all, _ := scan(data)
	if len(all) != 5 {
		t.Fatalf("%d records", len(all))
	}
	for _, hurt := range all {
		bad := bytes.Clone(data)
		bad[hurt.off+hurt.size/2] ^= 0x55
		if records, _ := scan(bad); len(records) != 4 {
			t.Errorf("damage at %d: %d of 4 records are found", hurt.off, len(records))
		}
	}
}

func TestConditionsAreTold(t *testing.T) {
	data := sampleSegment()
	for name, c := range map[string]struct {
		data []byte
		want condition
	}{
		"whole":   {data, whole},
		"empty":   {nil, whole},
		"torn":    {data[:len(data)-1], torn},
		"hole":    {append(bytes.Clone(data), make([]byte, 100)...), torn},
		"hurt":    {append(append(bytes.Clone(data), 7, 7), data...), damaged},
		"garbage": {append(bytes.Clone(data), bytes.Repeat([]byte{7}, 100)...), damaged},
	} {
		if _, got := scan(c.data); got != c.want {
			t.Errorf("%s: condition %d, want %d", name, got, c.want)
		}
	}
}

func recoverSegments(segments ...[]byte) recovered {
	r := recovery{recovered: recovered{cameras: map[string]stream{}, next: 1}}
	for i, s := range segments {
		r.segment(uint64(i+1), s)
	}
	return r.finish()
}

func TestRecovery(t *testing.T) {
	r := recoverSegments(sampleSegment())
	if r.identity != "agent@broker" || r.next != 10 || r.delivered != 8 || r.cameras["a"] != (stream{ID: "s", Last: 6}) {
		t.Errorf("got %+v", r)
	}
	if len(r.items) != 2 || r.items[0].seq != 5 || r.items[1].seq != 6 || len(r.losses) != 0 {
		t.Errorf("items %+v, losses %+v", r.items, r.losses)
	}
}

func TestRecoveryWithALostSegment(t *testing.T) {
	first, _ := appendHeader(nil, header{Version: 1, Identity: "i", Next: 1, Delivered: 1, Cameras: map[string]stream{"a": {ID: "s", Last: 0}}})
	first = appendEvent(first, event{Index: 1, Camera: "a", Stream: "s", Seq: 1})
	third, _ := appendHeader(nil, header{Version: 1, Identity: "i", Next: 6, Delivered: 1, Cameras: map[string]stream{"a": {ID: "s", Last: 5}}})
	third = appendEvent(third, event{Index: 6, Camera: "a", Stream: "s", Seq: 6})
	r := recoverSegments(first, third)
	if len(r.losses) != 1 || r.losses[0] != (loss{"a", span{2, 5}}) {
		t.Errorf("losses %+v", r.losses)
	}
}

func TestRecoveryKnowsWhatEventsExplain(t *testing.T) {
	data, _ := appendHeader(nil, header{Version: 1, Next: 1, Cameras: map[string]stream{"a": {ID: "s", Last: 0}}})
	data = appendEvent(data, event{Index: 1, Camera: "a", Stream: "s", Seq: 1})
	data = appendEvent(data, event{Index: 2, Camera: "a", Stream: "s", Seq: 9, Lost: span{2, 8}})
	if r := recoverSegments(data); len(r.losses) != 0 {
		t.Errorf("losses %+v", r.losses)
	}
}

// TestNoIDIsGivenTwice damages a journal at every byte: whatever is recovered, the next event has an id that no sent
// event has.
func TestNoIDIsGivenTwice(t *testing.T) {
	data := sampleSegment()
	sent := map[string]bool{"s-4": true, "s-5": true, "s-6": true}
	next := func(d []byte) string {
		r := recoverSegments(d)
		s := r.streams(func() string { return "new" })["a"]
		if s == nil {
			return "new"
		}
		return fmt.Sprintf("%s-%d", s.ID, s.Last+1)
	}
	for i := range data {
		for _, mask := range []byte{1, 0x10, 0x80, 0xff} {
			bad := bytes.Clone(data)
			bad[i] ^= mask
			if id := next(bad); sent[id] {
				t.Errorf("byte %d changed by %#x: the next event is %s", i, mask, id)
			}
		}
	}
	if id := next(data); id != "s-7" {
		t.Errorf("without damage the next event is %s", id)
	}
}

// TestEveryCut ends a journal after every byte, as a power cut may: what was written whole is there.
func TestEveryCut(t *testing.T) {
	data := sampleSegment()
	all, _ := scan(data)
	for n := range data {
		records, _ := scan(data[:n])
		want := 0
		for _, r := range all {
			if r.off+r.size <= n {
				want++
			}
		}
		if len(records) != want {
			t.Errorf("cut after %d: %d records, want %d", n, len(records), want)
		}
	}
}

func TestLossesAreJoined(t *testing.T) {
	var l losses
	for s := uint64(1); s <= 5; s++ {
		l.add("a", span{s, s})
		l.add("b", span{2 * s, 2 * s})
	}
	l.add("a", span{})
	got := l.take()
	if len(got) != 6 || got[0] != (loss{"a", span{1, 5}}) {
		t.Errorf("got %+v", got)
	}
	for s := range uint64(10_000) {
		l.add("a", span{2*s + 1, 2*s + 1})
	}
	if len(l) > 2*maxLosses {
		t.Errorf("%d losses", len(l))
	}
	first, last := l[0], l[len(l)-1]
	if first.From != 1 || last.To != 19_999 {
		t.Errorf("from %d to %d", first.From, last.To)
	}
}

func TestQueue(t *testing.T) {
	var q queue
	for i := range 1000 {
		q.push(item{index: uint64(i + 1), seg: 1, size: 10})
	}
	q.push(item{index: 1001, body: make([]byte, 7)})
	for i := range 700 {
		if it := q.pop(); it.index != uint64(i+1) {
			t.Fatalf("item %d is %d", i, it.index)
		}
	}
	if q.len() != 301 || q.disk != 3000 || q.mem != 7 || q.after(0) != 0 || q.after(701) != 1 || q.after(1001) != 301 {
		t.Errorf("%d items, %d and %d bytes, %d %d %d", q.len(), q.disk, q.mem, q.after(0), q.after(701), q.after(1001))
	}
	if it := q.remove(1); it.index != 702 || q.at(1).index != 703 || q.len() != 300 {
		t.Errorf("removed %d", it.index)
	}
	if len(q.items) > 700 {
		t.Errorf("%d places for %d items", len(q.items), q.len())
	}
}

func FuzzScan(f *testing.F) {
	f.Add(sampleSegment())
	f.Add(sampleSegment()[3:])
	f.Add([]byte{magic0, magic1, 'E', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		at := 0
		records, _ := scan(data)
		for _, r := range records {
			if r.off < at || r.off+r.size > len(data) || len(r.payload) != r.size-frameSize {
				t.Fatalf("record %d+%d in %d bytes after %d", r.off, r.size, len(data), at)
			}
			at = r.off + r.size
		}
		r := recoverSegments(data)
		for i := 1; i < len(r.items); i++ {
			if r.items[i].index <= r.items[i-1].index {
				t.Fatalf("items out of order: %+v", r.items)
			}
		}
		// A whole segment behind whatever this is must still be read.
		if after := recoverSegments(data, sampleSegment()); after.next < 10 {
			t.Fatalf("recovered %+v", after)
		}
	})
}

// FuzzRecovery: whatever two segments hold, nothing is read that does not lie in them, and the numbering goes on behind it.
func FuzzRecovery(f *testing.F) {
	f.Add(sampleSegment(), []byte{})
	f.Add([]byte{}, sampleSegment())
	f.Add(sampleSegment(), sampleSegment())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		r := recoverSegments(a, b)
		size := map[uint64]int{1: len(a), 2: len(b)}
		streams := r.streams(func() string { return "new" })
		for _, it := range r.items {
			if it.off < 0 || int(it.off)+it.size > size[it.seg] || it.index < r.delivered {
				t.Fatalf("item %+v of %d and %d bytes", it, len(a), len(b))
			}
			if streams[it.camera] == nil {
				t.Fatalf("camera %q waits and has no stream", it.camera)
			}
		}
		if len(r.losses) > 2*maxLosses {
			t.Fatalf("%d losses", len(r.losses))
		}
	})
}
