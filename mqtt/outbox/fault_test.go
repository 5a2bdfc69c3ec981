package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sick is a file system that refuses an operation while told to.
type sick struct {
	mu sync.Mutex
	op string
}

func (s *sick) set(op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.op = op
}

func (s *sick) fault(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.op != "" && strings.Contains(s.op, op) {
		return syscall.ENOSPC
	}
	return nil
}

// sickOptions are options with a disk that can refuse, a clock that a test moves, and a log.
func sickOptions(dir string) (o Options, s *sick, later func(), log *bytes.Buffer) {
	o, s, log = testOptions(dir), &sick{}, new(bytes.Buffer)
	now := time.Unix(0, 0)
	o.fault, o.Now = s.fault, func() time.Time { return now }
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	return o, s, func() { now = now.Add(time.Minute) }, log
}

func TestDiskThatRefuses(t *testing.T) {
	for _, op := range []string{"write", "sync", "create write", "create write sync"} {
		t.Run(op, func(t *testing.T) {
			dir := t.TempDir()
			o, disk, later, log := sickOptions(dir)
			b := open(t, o)
			b.Append([]Entry{entry("a", "1"), entry("a", "2")})
			disk.set(op)
			b.Append([]Entry{entry("a", "3"), entry("b", "4")})
			b.Append([]Entry{entry("a", "5")})
			if err := b.Stats().Disk; !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("the disk's refusal does not show: %v", err)
			}
			got := drain(t, b)
			if texts(got) != "1 2 3 4 5" || accounted(t, got, nil) != 0 {
				t.Errorf("got %+v", got)
			}
			if !sameStream(got[0], got[1]) || sameStream(got[1], got[2]) || !sameStream(got[2], got[4]) {
				t.Errorf("events that the journal does not know need a stream of their own: %+v", got)
			}
			deliver(t, b, 3)
			disk.set("")
			b.Append([]Entry{entry("a", "6")})
			later()
			b.Flush()
			b.Append([]Entry{entry("a", "7")})
			if err := b.Stats().Disk; err != nil {
				t.Errorf("the disk is back, but: %v", err)
			}
			if strings.Count(log.String(), "cannot be written") != 1 || !strings.Contains(log.String(), "written again") {
				t.Errorf("log: %s", log)
			}
			b.disk.close() // killed
			b = open(t, testOptions(dir))
			again := drain(t, b)
			if texts(again) != "4 5 6 7" || accounted(t, append(got[:3:3], again...), nil) != 0 {
				t.Errorf("after a restart: %+v", again)
			}
		})
	}
}

func sameStream(a, b wire) bool {
	x, _, _ := strings.Cut(a.ID, "-")
	y, _, _ := strings.Cut(b.ID, "-")
	return x == y
}

func TestFolderThatCannotBeMade(t *testing.T) {
	o, disk, later, _ := sickOptions(filepath.Join(t.TempDir(), "outbox"))
	disk.set("mkdir")
	b := open(t, o)
	b.Append([]Entry{entry("a", "1")})
	if b.Stats().Disk == nil {
		t.Error("durable without a folder")
	}
	disk.set("")
	later()
	b.Append([]Entry{entry("a", "2")})
	if err := b.Stats().Disk; err != nil {
		t.Errorf("still not durable: %v", err)
	}
	if got := texts(drain(t, b)); got != "1 2" {
		t.Errorf("got %q", got)
	}
}

func TestFolderThatIsRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbox")
	o, _, later, _ := sickOptions(dir)
	o.SegmentBytes = 100
	b := open(t, o)
	b.Append([]Entry{entry("a", "1")})
	deliver(t, b, 1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	b.Append([]Entry{entry("a", "2")}) // the segment is full, and there is no place for another
	if b.Stats().Disk == nil {
		t.Error("durable in a folder that is gone")
	}
	later()
	b.Append([]Entry{entry("a", "3")})
	if err := b.Stats().Disk; err != nil {
		t.Errorf("the folder was not made again: %v", err)
	}
	b.disk.close() // killed
	if got := texts(drain(t, open(t, testOptions(dir)))); got != "2 3" {
		t.Errorf("got %q", got)
	}
}

func TestMemoryIsBoundedWhileTheDiskRefuses(t *testing.T) {
	o, disk, later, _ := sickOptions(t.TempDir())
	o.MemoryBytes = 20 << 10
	b := open(t, o)
	b.Append([]Entry{entry("a", "first")})
	disk.set("write")
	long := strings.Repeat("x", 400)
	for range 300 {
		b.Append([]Entry{entry("a", long)})
		if s := b.Stats(); s.Memory > o.MemoryBytes+1024 {
			t.Fatalf("the bound does not hold: %+v", s)
		}
	}
	got := drain(t, b)
	if got[0].Text != "first" {
		t.Error("an event that is safe on disk was given up for the memory's sake")
	}
	if gone := accounted(t, got, nil); gone < 200 {
		t.Errorf("%d of 300 events are explained away", gone)
	}
	disk.set("")
	later()
	b.Flush()
	accounted(t, drain(t, b), nil)
}

func TestTooManyEvents(t *testing.T) {
	o := testOptions(t.TempDir())
	o.MaxEvents = 64
	b := open(t, o)
	for range 200 {
		b.Append([]Entry{entry("a", "x"), entry("b", "y")})
	}
	if n := b.Stats().Pending; n > 70 {
		t.Errorf("%d events are pending", n)
	}
	accounted(t, drain(t, b), nil)
}

// TestRealDiskFull fills a small tmpfs, as a log that runs wild would.
func TestRealDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: not root, so no small file system can be mounted; TestDiskThatRefuses shows the same with injected errors")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("SKIPPED: a tmpfs cannot be mounted here (%v); TestDiskThatRefuses shows the same with injected errors", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	o, _, later, _ := sickOptions(filepath.Join(dir, "outbox"))
	o.fault = nil
	b := open(t, o)
	n := 0
	add := func(count int) {
		for range count {
			b.Append([]Entry{entry("a", fmt.Sprint(n, strings.Repeat(" ", 200)))})
			n++
		}
	}
	add(100)
	wild := filepath.Join(dir, "wild.log")
	f, err := os.Create(wild)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	_ = f.Close()
	add(200)
	if err := b.Stats().Disk; !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is full, but: %v", err)
	}
	if got := drain(t, b); len(got) != 300 || accounted(t, got, nil) != 0 {
		t.Errorf("%d of 300 events", len(got))
	}
	if err := os.Remove(wild); err != nil {
		t.Fatal(err)
	}
	later()
	add(1)
	if err := b.Stats().Disk; err != nil {
		t.Errorf("there is room again, but: %v", err)
	}
	b.disk.close() // killed
	o.Now = nil
	if got := drain(t, open(t, o)); len(got) != 301 || accounted(t, got, nil) != 0 {
		t.Errorf("after a restart: %d of 301 events", len(got))
	}
}

// journalFiles are a folder's segments, oldest first.
func journalFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	return files
}

// damage journals 10 events over a restart, spoils the file that holds them and opens the journal again.
func damage(t *testing.T, spoil func([]byte) []byte) (before, after []wire, b *Outbox) {
	t.Helper()
	dir := t.TempDir()
	b = open(t, testOptions(dir))
	for i := range 10 {
		b.Append([]Entry{entry("a", fmt.Sprint(i))})
	}
	before = drain(t, b)
	b.disk.close()
	file := journalFiles(t, dir)[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, spoil(data), 0o600); err != nil {
		t.Fatal(err)
	}
	b = open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "new")})
	return before, drain(t, b), b
}

// TestTornTail cuts a record that had not been synced, as a power cut does: it was never sent, and the stream goes on.
func TestTornTail(t *testing.T) {
	half := appendEvent(nil, event{Index: 11, Camera: "a", Stream: "s", Seq: 11, Body: []byte("never sent")})
	for cut := 1; cut < len(half); cut += 5 {
		before, after, _ := damage(t, func(d []byte) []byte { return append(d, half[:cut]...) })
		if texts(after) != "0 1 2 3 4 5 6 7 8 9 new" || !sameStream(before[0], after[10]) {
			t.Errorf("cut %d: %+v", cut, after)
		}
		accounted(t, after, nil)
	}
}

// TestShortenedJournal takes events away that may have been sent, in the middle of a record and between two.
func TestShortenedJournal(t *testing.T) {
	all := 0
	for cut := 1; cut < 400; cut += 13 {
		before, after, _ := damage(t, func(d []byte) []byte { all = len(d); return d[:len(d)-cut] })
		if n := len(after); after[n-1].Text != "new" || sameStream(before[0], after[n-1]) {
			t.Errorf("%d of %d bytes cut: an event that may have been sent shares its id with another: %+v", cut, all, after)
		}
	}
	dir := t.TempDir()
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "pending")})
	b.Close()
	b = open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "sent")})
	sent := drain(t, b)
	b.Close()
	files := journalFiles(t, dir)
	if err := os.Remove(files[len(files)-1]); err != nil {
		t.Fatal(err)
	}
	b = open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "new")})
	if got := drain(t, b); texts(got) != "pending new" || sameStream(got[1], sent[1]) {
		t.Errorf("got %+v after %+v", got, sent)
	}
}

func TestHoleAtTheEnd(t *testing.T) {
	before, after, _ := damage(t, func(d []byte) []byte { return append(d, make([]byte, 4000)...) })
	if texts(after) != "0 1 2 3 4 5 6 7 8 9 new" || !sameStream(before[0], after[10]) {
		t.Errorf("got %+v", after)
	}
}

func TestDamageInTheMiddleIsExplained(t *testing.T) {
	_, after, _ := damage(t, func(d []byte) []byte {
		d[bytes.Index(d, []byte(`"Text":"4"`))] ^= 0xff
		return d
	})
	if len(after) != 11 || texts(after[:9]) != "0 1 2 3 5 6 7 8 9" || after[9].Lost != (span{5, 5}) || after[10].Text != "new" {
		t.Errorf("got %+v", after)
	}
	accounted(t, after, nil)
}

func TestDamageAtTheEndBeginsAStream(t *testing.T) {
	before, after, _ := damage(t, func(d []byte) []byte {
		d[len(d)-3] ^= 0xff
		return d
	})
	if n := len(after); after[n-1].Text != "new" || sameStream(before[0], after[n-1]) {
		t.Errorf("an event that may have been sent shares its id with another: %+v", after)
	}
}

func TestLostJournalBeginsAStream(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"emptied": func([]byte) []byte { return nil },
		"garbage": func(d []byte) []byte { return bytes.Repeat([]byte("garbage "), len(d)/8) },
	} {
		before, after, _ := damage(t, spoil)
		if len(after) != 1 || after[0].Text != "new" || sameStream(before[0], after[0]) {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

// TestDeliveredSegmentsAreNotMissed removes what is delivered as it goes, and starts after a kill at any place.
func TestDeliveredSegmentsAreNotMissed(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(dir)
	o.SegmentBytes = 1 << 10
	for run := range 10 {
		b := open(t, o)
		for _, w := range drain(t, b) {
			if w.Lost.From > 0 {
				t.Fatalf("run %d: %d to %d are called lost", run, w.Lost.From, w.Lost.To)
			}
		}
		deliver(t, b, len(drain(t, b)))
		for i := range 30 + run {
			b.Append([]Entry{entry("a", fmt.Sprint(i))})
			if i%3 != 0 {
				deliver(t, b, 1)
			}
		}
		b.disk.close()
	}
}

func TestEventThatVanishesFromDisk(t *testing.T) {
	dir := t.TempDir()
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "0"), entry("a", "1"), entry("a", "2")})
	file := journalFiles(t, dir)[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[bytes.Index(data, []byte(`"Text":"1"`))] ^= 0xff
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := texts(drain(t, b)); got != "0 2" {
		t.Errorf("got %q", got)
	}
	b.Flush()
	got := drain(t, b)
	if len(got) != 3 || got[2].Lost != (span{2, 2}) {
		t.Errorf("the loss is not explained: %+v", got)
	}
}

func TestDeliveredEventsAreNotCalledLost(t *testing.T) {
	dir := t.TempDir()
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "0"), entry("a", "1"), entry("a", "2")})
	deliver(t, b, 3)
	b.Close()
	file := journalFiles(t, dir)[0]
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[bytes.Index(data, []byte(`"Text":"1"`))] ^= 0xff
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, open(t, testOptions(dir))); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWriterAndSenderTogether(t *testing.T) {
	o := testOptions(t.TempDir())
	o.SegmentBytes = 2 << 10
	b := open(t, o)
	const n = 2000
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; i < n; i += 4 {
			var batch []Entry
			for j := range 4 {
				batch = append(batch, entry("a", fmt.Sprint(i+j)))
			}
			b.Append(batch)
			if i%40 == 0 {
				b.Flush()
			}
		}
	})
	r := b.Reader()
	defer r.Close()
	for next, at := 0, uint64(0); next < n; {
		m, ok := r.Next(at)
		if !ok {
			<-b.Changed()
			continue
		}
		var w wire
		if err := json.Unmarshal(m.Body, &w); err != nil || w.Text != fmt.Sprint(next) {
			t.Fatalf("%v: event %d is %+v", err, next, w)
		}
		at = m.Index
		b.Delivered(at)
		next++
	}
	group.Wait()
	if s := b.Stats(); s.Sent != n || s.Pending != 0 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}
