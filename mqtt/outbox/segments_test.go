package outbox

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
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

// TestSegmentThatIsGone takes the oldest of two segments away, whole or emptied, with the events in it that nobody has got:
// they are explained, and those that were delivered are not.
func TestSegmentThatIsGone(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"emptied": func(f string) error { return os.Truncate(f, 0) }, "removed": os.Remove,
		"without its beginning": func(f string) error {
			data, err := os.ReadFile(f)
			if err == nil {
				records, _ := scan(data)
				clear(data[:records[len(records)-1].off])
				err = os.WriteFile(f, data, 0o600)
			}
			return err
		},
	} {
		dir := t.TempDir()
		o := testOptions(dir)
		o.SegmentBytes = 1 << 10
		b := open(t, o)
		for i := range 20 {
			b.Append([]Entry{entry("a", fmt.Sprint(i)), entry("b", fmt.Sprint(i))})
		}
		deliver(t, b, 6) // three of each camera
		b.Flush()
		b.disk.close()
		files := journalFiles(t, dir)
		if len(files) < 3 {
			t.Fatalf("%d segments", len(files))
		}
		if err := spoil(files[0]); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		b = open(t, o)
		o.Logger = nil
		b.Flush()
		got := drain(t, b)
		gone := accounted(t, got, map[string]uint64{"a": 4, "b": 4})
		if dropped := b.Stats().Dropped; dropped != uint64(gone) || !strings.Contains(log.String(), fmt.Sprintf("level=WARN msg=\"events are missing in the journal, and are lost; events.dropped will say which\" folder=%s events=%d", dir, gone)) {
			t.Errorf("%s: %d are counted, %d explained: %s", name, dropped, gone, &log)
		}
		came := 0
		for _, w := range got {
			if w.Lost.From == 0 {
				came++
			}
		}
		if gone == 0 || came == 34 || came+gone < 34 {
			t.Errorf("%s: %d events and %d explained of 34: %+v", name, came, gone, got)
		}
		b.disk.close() // before the explanation is delivered: it waits, and there is no second
		if again := drain(t, open(t, o)); texts(again) != texts(got) {
			t.Errorf("%s: after another start %s, before %s", name, texts(again), texts(got))
		}
	}
}
