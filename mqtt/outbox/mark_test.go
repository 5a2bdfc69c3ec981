package outbox

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDeliveredWhileTheJournalSyncs: what the broker takes while a sync waits for the disk is not sent again after a kill.
func TestDeliveredWhileTheJournalSyncs(t *testing.T) {
	dir := t.TempDir()
	o := testOptions(dir)
	waits, on := make(chan struct{}), make(chan struct{})
	slow := false
	o.fault = func(op string) error {
		if slow && op == "sync" {
			waits <- struct{}{}
			<-on
		}
		return nil
	}
	b := open(t, o)
	b.Append([]Entry{entry("a", "1"), entry("a", "2"), entry("a", "3")})
	slow = true
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Append([]Entry{entry("a", "4")})
	}()
	<-waits
	deliver(t, b, 2)
	killed := copyOf(t, dir)
	slow = false
	close(on)
	<-done
	if got := texts(drain(t, open(t, testOptions(killed)))); got != "3 4" {
		t.Errorf("got %q", got)
	}
}

// copyOf is a folder as a kill would leave it now.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "outbox"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(to, "outbox")
}

// TestWhatWasGivenUpIsExplainedAfterAKill: an event that was set aside is not taken for delivered because later ones were.
func TestWhatWasGivenUpIsExplainedAfterAKill(t *testing.T) {
	b := open(t, testOptions(t.TempDir()))
	b.Append([]Entry{entry("a", "1"), entry("a", "2"), entry("a", "3")})
	deliver(t, b, 1)
	b.SetAside(2)
	deliver(t, b, 1)
	killed := copyOf(t, b.o.Dir)
	b.Flush()
	after := copyOf(t, b.o.Dir)

	if got := texts(drain(t, open(t, testOptions(killed)))); got != "2 3" {
		t.Errorf("killed before the explanation was journalled: %q", got)
	}
	got := drain(t, open(t, testOptions(after)))
	if len(got) != 1 || got[0].Lost != (span{2, 2}) {
		t.Errorf("killed after it: %+v", got)
	}
}

// TestAMarkOfAnotherJournalSaysNothing: the lock file outlives the segments that somebody removed.
func TestAMarkOfAnotherJournalSaysNothing(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		b := open(t, testOptions(dir))
		b.Append([]Entry{entry("a", "1"), entry("a", "2"), entry("a", "3")})
		deliver(t, b, 3)
		b.Close()
	}
	for _, f := range journalFiles(t, dir) {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, testOptions(dir))
	b.Append([]Entry{entry("a", "new"), entry("a", "newer")})
	b.disk.close() // killed
	if got := texts(drain(t, open(t, testOptions(dir)))); got != "new newer" {
		t.Errorf("got %q", got)
	}
}

// TestAMarkThatCannotBeWrittenIsNotTrusted: a journal whose lock file refuses is none to go by.
func TestAMarkThatCannotBeWrittenIsNotTrusted(t *testing.T) {
	b := open(t, testOptions(t.TempDir()))
	if err := b.disk.lock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.begin(); err == nil || b.durable() {
		t.Errorf("durable with %v", err)
	}
}

// TestNewEventsAreNotTakenForDelivered where the last that were delivered cannot be read any more.
func TestNewEventsAreNotTakenForDelivered(t *testing.T) {
	data, _ := appendHeader(nil, header{Version: version, Next: 1, Delivered: 1, Cameras: map[string]stream{"a": {ID: "s"}}})
	data = appendEvent(data, event{Index: 1, Camera: "a", Stream: "s", Seq: 1})
	hurt := len(data) + frameSize
	data = appendEvent(data, event{Index: 2, Camera: "a", Stream: "s", Seq: 2})
	data = appendDelivered(data, 3)
	data[hurt] ^= 0xff
	if r := recoverSegments(data); r.next < r.delivered {
		t.Errorf("the next event has the index %d, and all below %d are delivered", r.next, r.delivered)
	}
}
