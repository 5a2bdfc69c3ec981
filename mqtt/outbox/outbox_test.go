package outbox

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// wire is what the tests' events look like.
type wire struct {
	ID     string
	Camera string
	Seq    uint64
	Text   string
	Lost   span
}

func encodeWire(camera, text string) func(string, uint64) ([]byte, error) {
	return func(stream string, seq uint64) ([]byte, error) {
		return json.Marshal(wire{ID: fmt.Sprintf("%s-%d", stream, seq), Camera: camera, Seq: seq, Text: text})
	}
}

func entry(camera, text string) Entry { return Entry{Camera: camera, Encode: encodeWire(camera, text)} }

func testOptions(dir string) Options {
	return Options{
		Dir: dir, Identity: "agent@broker",
		Explain: func(camera, stream string, seq, from, to uint64) ([]byte, error) {
			return json.Marshal(wire{ID: fmt.Sprintf("%s-%d", stream, seq), Camera: camera, Seq: seq, Text: "dropped", Lost: span{from, to}})
		},
	}
}

func open(t *testing.T, o Options) *Outbox {
	t.Helper()
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// drain reads all undelivered events without delivering them.
func drain(t *testing.T, b *Outbox) []wire {
	t.Helper()
	r := b.Reader()
	defer r.Close()
	var out []wire
	for at := uint64(0); ; {
		m, ok := r.Next(at)
		if !ok {
			return out
		}
		var w wire
		if err := json.Unmarshal(m.Body, &w); err != nil {
			t.Fatalf("event %d: %v: %q", m.Index, err, m.Body)
		}
		if w.Seq != m.Seq || w.Camera != m.Camera {
			t.Fatalf("message %s %d carries %s %d", m.Camera, m.Seq, w.Camera, w.Seq)
		}
		out, at = append(out, w), m.Index
	}
}

// deliver reads and delivers n events.
func deliver(t *testing.T, b *Outbox, n int) {
	t.Helper()
	r := b.Reader()
	defer r.Close()
	for range n {
		m, ok := r.Next(0)
		if !ok {
			t.Fatal("nothing to deliver")
		}
		b.Delivered(m.Index)
	}
}

func texts(ws []wire) string {
	var s []string
	for _, w := range ws {
		s = append(s, w.Text)
	}
	return strings.Join(s, " ")
}

// accounted checks that the numbers of each camera grow, that nothing has an id twice and that every hole from first
// on is explained. It returns how many numbers were explained away.
func accounted(t *testing.T, ws []wire, first map[string]uint64) int {
	t.Helper()
	ids, have, gone := map[string]bool{}, map[string]map[uint64]bool{}, 0
	last := map[string]uint64{}
	for _, w := range ws {
		if ids[w.ID] {
			t.Errorf("id %s twice", w.ID)
		}
		ids[w.ID] = true
		if w.Seq <= last[w.Camera] {
			t.Errorf("camera %s: %d after %d", w.Camera, w.Seq, last[w.Camera])
		}
		last[w.Camera] = w.Seq
		if have[w.Camera] == nil {
			have[w.Camera] = map[uint64]bool{}
		}
		have[w.Camera][w.Seq] = true
		if w.Lost.From > 0 {
			for s := w.Lost.From; s <= w.Lost.To; s++ {
				have[w.Camera][s] = true
				gone++
			}
		}
	}
	for camera, set := range have {
		for s := max(first[camera], 1); s <= last[camera]; s++ {
			if !set[s] {
				t.Errorf("camera %s: %d neither came nor is explained", camera, s)
			}
		}
	}
	return gone
}

func TestOrderAndNumbers(t *testing.T) {
	b := open(t, testOptions(t.TempDir()))
	b.Append([]Entry{entry("a", "1"), entry("b", "2"), entry("a", "3")})
	b.Append([]Entry{entry("a", "4")})
	got := drain(t, b)
	if texts(got) != "1 2 3 4" || got[2].Seq != 2 || got[3].Seq != 3 || got[1].Seq != 1 {
		t.Errorf("got %+v", got)
	}
	if got[0].ID == got[1].ID {
		t.Error("two cameras share a stream")
	}
	if b.Last("a") != 3 || b.Last("b") != 1 || b.Last("c") != 0 {
		t.Error("last numbers")
	}
	select {
	case <-b.Changed():
	default:
		t.Error("no signal")
	}
	if s := b.Stats(); s.Disk != nil || s.Syncs != 2 || s.Pending != 4 {
		t.Errorf("two batches are two syncs: %+v", s)
	}
}

func TestRestartKeepsWhatWasNotDelivered(t *testing.T) {
	dir := t.TempDir()
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "1"), entry("b", "2"), entry("a", "3"), entry("a", "4")})
	first := drain(t, b)
	deliver(t, b, 2)
	b.Close()

	b = open(t, testOptions(dir))
	if got := drain(t, b); texts(got) != "3 4" || got[0] != first[2] {
		t.Errorf("got %+v, want the same events under the same ids as %+v", got, first[2:])
	}
	b.Append([]Entry{entry("a", "5"), entry("b", "6")})
	got := drain(t, b)
	if got[2].Seq != 4 || got[3].Seq != 2 || accounted(t, append(first[:2:2], got...), nil) != 0 {
		t.Errorf("numbers do not go on: %+v", got)
	}
}

func TestKillLosesNothingAppended(t *testing.T) {
	dir := t.TempDir()
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "1"), entry("a", "2")})
	deliver(t, b, 1)
	b.disk.close() // a killed process closes its files and says nothing

	b = open(t, testOptions(dir))
	if got := texts(drain(t, b)); got != "2" {
		t.Errorf("got %q", got)
	}
}

func TestEmptyJournalKeepsItsNumbers(t *testing.T) {
	dir := t.TempDir()
	var id string
	for i := range 5 {
		b := open(t, testOptions(dir))
		b.Append([]Entry{entry("a", "x")})
		got := drain(t, b)
		if len(got) != 1 || got[0].Seq != uint64(i+1) {
			t.Fatalf("start %d: %+v", i, got)
		}
		stream, _, _ := strings.Cut(got[0].ID, "-")
		if i > 0 && stream != id {
			t.Error("a journal that was not lost began a new stream")
		}
		id = stream
		deliver(t, b, 1)
		b.Close()
	}
}

func TestAnotherBrokersJournalIsSetAside(t *testing.T) {
	dir := t.TempDir() + "/outbox"
	o := testOptions(dir)
	b := open(t, o)
	b.Append([]Entry{entry("a", "theirs")})
	b.Close()
	other := o
	other.Identity = "agent@elsewhere"
	b = open(t, other)
	if got := drain(t, b); len(got) != 0 {
		t.Errorf("events of another broker: %+v", got)
	}
	b.Append([]Entry{entry("a", "ours")})
	b.Close()
	o.Dir += ".previous"
	if got := texts(drain(t, open(t, o))); got != "theirs" {
		t.Errorf("set aside: %q", got)
	}
}

// A broker's address that was mistyped, and is put right, costs no event: the journal that was set aside is taken back.
func TestAJournalIsTakenBack(t *testing.T) {
	ours := testOptions(t.TempDir() + "/outbox")
	mistyped, third := ours, ours
	mistyped.Identity, third.Identity = "agent@brocker", "agent@elsewhere"
	b := open(t, ours)
	b.Append([]Entry{entry("a", "one"), entry("a", "two")})
	deliver(t, b, 1)
	stream := b.cameras["a"].ID
	b.Close()
	b = open(t, mistyped)
	b.Append([]Entry{entry("a", "meanwhile")})
	b.Close()
	b = open(t, ours)
	b.Append([]Entry{entry("a", "three")})
	if got := texts(drain(t, b)); got != "two three" {
		t.Errorf("after the address was put right: %q", got)
	}
	if b.cameras["a"].ID != stream {
		t.Error("the numbers begin anew")
	}
	b.Close()
	b = open(t, mistyped)
	if got := texts(drain(t, b)); got != "meanwhile" {
		t.Errorf("of the other broker: %q", got)
	}
	b.Close()
	open(t, third).Close()
	b = open(t, mistyped)
	if got := texts(drain(t, b)); got != "meanwhile" {
		t.Errorf("the newest that was set aside: %q", got)
	}
}

// A kill between the two renames of a change leaves no folder; what lies beside is taken back.
func TestAJournalIsTakenBackAfterAKill(t *testing.T) {
	o := testOptions(t.TempDir() + "/outbox")
	b := open(t, o)
	b.Append([]Entry{entry("a", "one")})
	b.Close()
	if err := os.Rename(o.Dir, o.Dir+".previous"); err != nil {
		t.Fatal(err)
	}
	if got := texts(drain(t, open(t, o))); got != "one" {
		t.Errorf("%q", got)
	}
}

func TestOneAgentAFolder(t *testing.T) {
	dir := t.TempDir()
	open(t, testOptions(dir))
	if _, err := Open(testOptions(dir)); err == nil || !strings.Contains(err.Error(), "own state folder") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutFolder(t *testing.T) {
	b := open(t, testOptions(""))
	b.Append([]Entry{entry("a", "1"), entry("a", "2")})
	if got := texts(drain(t, b)); got != "1 2" || b.Stats().Disk == nil {
		t.Errorf("got %q, %+v", got, b.Stats())
	}
}

func TestHandOverLossIsExplained(t *testing.T) {
	b := open(t, testOptions(t.TempDir()))
	b.Append([]Entry{entry("a", "1"), {Camera: "a", Lost: 3}, entry("a", "5")})
	got := drain(t, b)
	if len(got) != 3 || got[1].Lost != (span{2, 4}) || got[1].Seq != 5 || accounted(t, got, nil) != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestEventThatCannotBeWrittenTakesNoNumber(t *testing.T) {
	b := open(t, testOptions(t.TempDir()))
	bad := Entry{Camera: "a", Encode: func(string, uint64) ([]byte, error) { return nil, fmt.Errorf("no") }}
	b.Append([]Entry{entry("a", "1"), bad, entry("a", "2")})
	if got := drain(t, b); len(got) != 2 || accounted(t, got, nil) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestOldestGoFirstAndAreExplained(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(dir)
	o.MaxBytes, o.SegmentBytes = 64<<10, 4<<10
	b := open(t, o)
	long := strings.Repeat("x", 300)
	for i := range 400 {
		b.Append([]Entry{entry([]string{"a", "b"}[i%2], long)})
	}
	s := b.Stats()
	if s.Bytes > o.MaxBytes+o.SegmentBytes*2 || s.Dropped == 0 {
		t.Fatalf("the bound does not hold: %+v", s)
	}
	got := drain(t, b)
	if gone := accounted(t, got, nil); uint64(gone) < s.Dropped/2 {
		t.Errorf("%d dropped, %d explained", s.Dropped, gone)
	}
	b.Close()
	b = open(t, o)
	again := drain(t, b)
	accounted(t, again, nil)
	if len(again) != len(got) {
		t.Errorf("%d events before the restart, %d after", len(got), len(again))
	}
}

func TestDeliveredSegmentsAreRemoved(t *testing.T) {
	o := testOptions(t.TempDir())
	o.SegmentBytes = 1 << 10
	b := open(t, o)
	for range 200 {
		b.Append([]Entry{entry("a", strings.Repeat("x", 100))})
		deliver(t, b, 1)
	}
	b.Flush()
	if n := len(b.disk.sizes); n > 2 {
		t.Errorf("%d segments hold nothing", n)
	}
}

// BenchmarkAppend shows what a group commit costs, and what it costs an event that shares it.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 128} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			box, err := Open(testOptions(b.TempDir()))
			if err != nil {
				b.Fatal(err)
			}
			defer box.Close()
			batch := make([]Entry, size)
			for i := range batch {
				batch[i] = entry("cam", strings.Repeat("x", 600))
			}
			for b.Loop() {
				box.Append(batch)
				box.Delivered(box.next - 1)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/event")
		})
	}
}
