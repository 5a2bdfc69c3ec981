package outbox

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
)

// TestSegmentsThatAreAllThere: with several segments, a part delivered, and an end at any place, nothing is told as lost where nothing was,
// and every event that waits comes again.
func TestSegmentsThatAreAllThere(t *testing.T) {
	for name, end := range map[string]func(*Outbox){"closed": (*Outbox).Close, "killed": func(b *Outbox) { b.disk.close() }} {
		for delivered := 0; delivered <= 30; delivered += 5 {
			o := testOptions(t.TempDir())
			o.SegmentBytes = 1 << 10
			b := open(t, o)
			for i := 0; i < 30; {
				var batch []Entry
				for range 1 + i%4 { // the segment may be full in the middle of a group, of both cameras
					batch = append(batch, entry([]string{"a", "b"}[i%2], fmt.Sprint(i)))
					i++
				}
				b.Append(batch)
			}
			before := drain(t, b)
			deliver(t, b, min(delivered, len(before)))
			end(b)
			for again := range 3 {
				b = open(t, o)
				b.Flush()
				if got := drain(t, b); texts(got) != texts(before[min(delivered, len(before)):]) {
					t.Fatalf("%s after %d, start %d: waiting are %s, want %s", name, delivered, again, texts(got), texts(before[delivered:]))
				}
				end(b)
			}
		}
	}
}

// TestASegmentKnowsWhatCameBeforeIt: what it begins with is not ahead of the events in it, also where these explain a flood.
func TestASegmentKnowsWhatCameBeforeIt(t *testing.T) {
	o := testOptions(t.TempDir())
	o.SegmentBytes = 1 << 10
	b := open(t, o)
	for i := range 30 {
		b.Append([]Entry{entry("a", fmt.Sprint(i)), {Camera: "a", Lost: 5}, entry("b", fmt.Sprint(i))})
	}
	files := journalFiles(t, o.Dir)
	if len(files) < 5 {
		t.Fatalf("%d segments", len(files))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records, _ := scan(data)
		var h header
		if err := json.Unmarshal(records[0].payload, &h); err != nil {
			t.Fatal(err)
		}
		for _, rec := range records[1:] {
			e, err := parseEvent(rec.payload)
			if rec.kind != kindEvent || err != nil {
				continue
			}
			if e.Index < h.Next || e.first() <= h.Cameras[e.Camera].Last {
				t.Errorf("%s knows %+v before event %d, %s %d", file, h, e.Index, e.Camera, e.Seq)
			}
		}
	}
	before := drain(t, b)
	b.disk.close() // killed
	b = open(t, o)
	b.Flush()
	if got := drain(t, b); texts(got) != texts(before) {
		t.Errorf("waiting are %s, want %s", texts(got), texts(before))
	}
}
