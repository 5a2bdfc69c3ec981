package ids

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/seg"
)

func open(path string) (*Ledger, *bytes.Buffer) {
	said := &bytes.Buffer{}
	return Open(path, false, slog.New(slog.NewTextHandler(said, nil))), said
}

// TestNoNumberTwice: over clean ends and kills at any place.
func TestNoNumberTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	given := map[seg.ID]bool{}
	for run, n := range []int{0, 1, 5, ahead, block, 3 * block, 7} {
		l, said := open(path)
		next := l.For("door")
		for range n {
			id := next()
			if given[id] || id == 0 {
				t.Fatalf("run %d gives %d again", run, id)
			}
			given[id] = true
		}
		if run%2 == 1 {
			l.Close()
		} else {
			l.writing.Wait() // a kill: what was on its way to the disk may or may not have arrived
		}
		if said.Len() > 0 {
			t.Errorf("run %d: %s", run, said)
		}
	}
}

func TestACleanEndWastesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	for want := seg.ID(1); want < 5; want += 2 {
		l, _ := open(path)
		next, other := l.For("door"), l.For("yard")
		if a, b, c := next(), next(), other(); a != want || b != want+1 || c != (want+1)/2 {
			t.Errorf("got %d %d and %d of another camera, want %d", a, b, c, want)
		}
		l.Close()
	}
}

// TestCamerasComeAndGo: a camera that is away for a run is still known.
func TestCamerasComeAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	for i, camera := range []string{"door", "yard", "door"} {
		l, _ := open(path)
		want := seg.ID(1)
		if i == 2 {
			want = 2
		}
		if got := l.For(camera)(); got != want {
			t.Errorf("%s: %d, want %d", camera, got, want)
		}
		l.Close()
	}
}

func TestAFileThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	for _, text := range []string{"", "null", "{", `{"door":-1}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, said := open(path)
		first := l.For("door")()
		if first < 1_600_000_000 || !strings.Contains(said.String(), "cannot be read") {
			t.Errorf("%q: %d, %s", text, first, said)
		}
		l.Close()
		again, said := open(path)
		if got := again.For("yard")(); got < first || said.Len() > 0 {
			t.Errorf("%q: another camera later begins at %d, %s", text, got, said)
		}
	}
}

func TestADiskThatRefuses(t *testing.T) {
	l, said := open(filepath.Join(t.TempDir(), "gone", "ids.json"))
	next := l.For("door")
	for want := seg.ID(1); want <= 3*block; want++ {
		if got := next(); got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	l.Close()
	if n := strings.Count(said.String(), "not durable"); n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
}

func TestManyAskAtOnce(t *testing.T) {
	l, _ := open(filepath.Join(t.TempDir(), "ids.json"))
	next := l.For("door")
	var mu sync.Mutex
	seen := map[seg.ID]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2 * block {
				id := next()
				mu.Lock()
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	l.Close()
	if len(seen) != 16*block {
		t.Errorf("%d different numbers of %d", len(seen), 16*block)
	}
}

// TestWhatIsDamagedOrGone: whatever bit of the file flips, and where the file alone is lost, no number is given again.
func TestWhatIsDamagedOrGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	l, _ := open(path)
	next := l.For("door")
	var last seg.ID
	for range 3 * block {
		last = next()
	}
	l.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(whole) {
		broken := bytes.Clone(whole)
		broken[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if l, _ := open(path); l.For("door")() <= last {
			t.Errorf("%s gives a number again", broken)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	if id := Open(path, true, slog.New(slog.NewTextHandler(said, nil))).For("door")(); id <= last || !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("with the file gone %d is given: %s", id, said)
	}
}

// TestAFileWithoutAChecksum: that of a program before this one is understood, and such a program understands ours.
func TestAFileWithoutAChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	if err := os.WriteFile(path, []byte(`{"door":7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	l, said := open(path)
	if id := l.For("door")(); id != 7 || said.Len() > 0 {
		t.Errorf("%d, %s", id, said)
	}
	l.Close()
	data, err := os.ReadFile(path)
	var numbers map[string]uint64
	if err != nil || json.Unmarshal(data, &numbers) != nil || numbers["door"] != 8 || numbers[check] > most {
		t.Errorf("%v: %s", err, data)
	}
}

// FuzzParse: what is read are numbers that can be counted on from, and that are read back when they are written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"door":65,"yard":1}`))
	f.Add([]byte(`{"*":18446744073709551615}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		next, err := parse(data)
		if err != nil {
			return
		}
		for camera, n := range next {
			if n+block < n {
				t.Fatalf("camera %q has come to %d", camera, n)
			}
		}
		written, err := json.Marshal(next)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parse(written); err != nil || len(again) != len(next) {
			t.Fatalf("%v: %s", err, written)
		}
	})
}

// Cameras that are added while another's numbers are being reserved: nothing that was written later is lost to what was read earlier.
func TestTheNewestIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ids.json")
	l, said := open(path)
	next := l.For("busy")
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 * block {
			next()
		}
	})
	for i := range 20 {
		wg.Go(func() { l.For(string(rune('a' + i))) })
	}
	wg.Wait()
	l.writing.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := parse(data)
	if err != nil || len(numbers) != 21 {
		t.Errorf("%d cameras on disk, %v: %s", len(numbers), err, data)
	}
	if numbers["busy"] < l.next["busy"] {
		t.Errorf("%d is reserved and %d was given", numbers["busy"], l.next["busy"])
	}
	if said.Len() > 0 {
		t.Errorf("the log says %s", said)
	}
}
