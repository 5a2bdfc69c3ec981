package clips

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video"
)

var begin = time.Now().Add(-time.Hour).Truncate(time.Second)

// at is a picture of a time; every tenth is a keyframe, ten make a second. Its data name it.
func at(n int) unit {
	data := []byte{0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88, 'n', byte(n>>8) | 0x80, byte(n) | 1, byte(n>>1) | 1}
	return video.Unit{
		Data: data, Keyframe: n%10 == 0, Seq: uint64(n), Width: 64, Height: 32, Captured: begin.Add(time.Duration(n) * 100 * time.Millisecond),
		Duration: 100 * time.Millisecond,
	}
}

// running is a library that runs.
func running(t *testing.T, o Options) *Library {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	if o.Longest == 0 {
		o.Longest = time.Minute
	}
	l := New(o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

// pictures are how many there are in a clip.
func pictures(t *testing.T, l *Library, c api.Clip) int {
	t.Helper()
	f, err := l.Open(c.Camera, c.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("moof"))
}

func code(err error) api.Code {
	if e, ok := errors.AsType[*api.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestStartAndStop(t *testing.T) {
	l := running(t, Options{})
	cam := l.Camera("door")
	if cam.Wanted() {
		t.Error("the encoder runs though nobody records and nothing is kept")
	}
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStop}); code(err) != api.Conflict {
		t.Errorf("a stop of nothing: %v", err)
	}
	clip, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart})
	if err != nil || !clip.Recording || !cam.Wanted() || l.Recording("door") != clip.Name {
		t.Fatalf("%+v, %v", clip, err)
	}
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart}); code(err) != api.AlreadyRunning {
		t.Errorf("a second start: %v", err)
	}
	for n := 3; n < 35; n++ { // the first keyframe is 10
		cam.Unit(at(n))
	}
	list, err := l.List("door")
	if err != nil || len(list) != 1 || !list[0].Recording {
		t.Errorf("%+v, %v", list, err)
	}
	clip, err = l.Record(t.Context(), "door", api.Record{Action: api.RecordStop})
	if err != nil || clip.Recording || clip.Bytes == 0 || cam.Wanted() || l.Recording("door") != "" {
		t.Fatalf("%+v, %v", clip, err)
	}
	if st, err := os.Stat(clip.File); err != nil || st.Size() != clip.Bytes {
		t.Errorf("the file of the answer, %q: %v", clip.File, err)
	}
	if n := pictures(t, l, clip); n != 25 {
		t.Errorf("%d pictures of 25", n)
	}
	if list, _ := l.List("door"); len(list) != 1 || list[0].Recording || list[0].Bytes != clip.Bytes {
		t.Errorf("%+v", list)
	}
}

// Clips that begin with the same keyframe have names of their own.
func TestTwoClipsOfOneKeyframe(t *testing.T) {
	l := running(t, Options{})
	cam := l.Camera("door")
	names := map[string]bool{}
	for range 3 {
		cam.mu.Lock()
		c := cam.begin([]unit{at(0)}, time.Now(), time.Now(), "")
		cam.finish()
		cam.mu.Unlock()
		if <-c.whole; c.err != nil {
			t.Fatal(c.err)
		}
		names[c.name] = true
	}
	if len(names) != 3 {
		t.Errorf("names %v", names)
	}
}

// A clip around an event has what was before it, from the keyframe before that on, and ends by itself.
func TestAroundAnEvent(t *testing.T) {
	l := running(t, Options{PreRoll: 2 * time.Second, PostRoll: time.Second, Events: []seg.EventType{seg.ZoneEntered}})
	cam := l.Camera("door")
	for n := range 100 {
		cam.Unit(at(n))
	}
	if got := len(cam.ring.units); got < 20 || got > 40 {
		t.Errorf("%d pictures are kept for two seconds of ten", got)
	}
	now := at(97).Captured
	l.Event(seg.Event{Type: seg.LineCrossed, Camera: "door", Time: now})
	l.Event(seg.Event{Type: seg.ZoneEntered, Camera: "attic", Time: now})
	if cam.current() != nil {
		t.Fatal("another event, or camera, is recorded")
	}
	// The clip of a time that is over is cut out of what is kept.
	clip, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordAround, Time: &now, Event: seg.ZoneLeft})
	if err != nil || clip.Recording || clip.Event != seg.ZoneLeft || !strings.HasSuffix(clip.Name, "_zone.left.mp4") {
		t.Fatalf("%+v, %v", clip, err)
	}
	if n := pictures(t, l, clip); n != 30 || !clip.From.Equal(at(70).Captured) {
		t.Errorf("%d pictures from %s on, want 30 from %s on", n, clip.From, at(70).Captured)
	}
	long := at(0).Captured.Add(-time.Hour)
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordAround, Time: &long}); code(err) != api.NothingFound {
		t.Errorf("around a time of which nothing is kept: %v", err)
	}
	future := time.Now().Add(time.Hour)
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordAround, Time: &future}); code(err) != api.BadRequest {
		t.Errorf("around a time that has not come: %v", err)
	}
}

// An event's clip goes on while more happens, up to its longest, and a start makes it one that is stopped.
func TestEventsProlongAClip(t *testing.T) {
	l := running(t, Options{PostRoll: 10 * time.Second, Longest: 25 * time.Second, Events: []seg.EventType{seg.ZoneEntered}})
	cam, now := l.Camera("door"), time.Now()
	l.Event(seg.Event{Type: seg.ZoneEntered, Camera: "door", Time: now})
	first := cam.current()
	if first == nil {
		t.Fatal("the event is not recorded")
	}
	for _, later := range []time.Duration{5 * time.Second, 30 * time.Second} {
		l.Event(seg.Event{Type: seg.ZoneEntered, Camera: "door", Time: now.Add(later)})
	}
	if cam.current() != first || cam.until().Sub(first.from).Round(time.Second) != 25*time.Second {
		t.Errorf("the clip goes on for %v, want 25 s", cam.until().Sub(first.from))
	}
	clip, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart, Seconds: 5})
	if err != nil || clip.Name != first.name {
		t.Errorf("%+v, %v", clip, err)
	}
	key := at(0)
	key.Captured = now.Add(time.Second)
	cam.Unit(key)
	key.Captured = now.Add(26 * time.Second)
	cam.Unit(key) // after its end
	<-first.whole
	if cam.current() != nil || first.movie.Samples() != 1 {
		t.Errorf("%d pictures, want 1", first.movie.Samples())
	}
}

// A camera that sends nothing any more does not keep a clip open, and one without a picture leaves no file.
func TestAClipEndsWithoutPictures(t *testing.T) {
	l := running(t, Options{})
	clip, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart, Seconds: 3})
	if err != nil {
		t.Fatal(err)
	}
	cam := l.Camera("door")
	c := cam.current()
	cam.tick(time.Now())
	if cam.current() == nil {
		t.Fatal("it ended at once")
	}
	cam.tick(time.Now().Add(6 * time.Second))
	<-c.whole
	if _, err := l.Open("door", clip.Name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file without a picture: %v", err)
	}
	l.Drop("door")
	if l.Camera("door") == cam {
		t.Error("a camera that was dropped is still there")
	}
}

// A clip is of one size, and at most half of what all of them may be.
func TestANewSizeBeginsANewClip(t *testing.T) {
	l := running(t, Options{MaxBytes: 2000})
	cam := l.Camera("door")
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart}); err != nil {
		t.Fatal(err)
	}
	first := cam.current()
	cam.Unit(at(0))
	wide := at(10)
	wide.Width = 128
	cam.Unit(wide)
	second := cam.current()
	if second == nil || second == first || !cam.open {
		t.Fatal("the recording does not go on in another clip")
	}
	for n := 20; n < 120; n++ {
		u := at(n)
		u.Width = 128
		cam.Unit(u)
	}
	<-second.whole
	if n := second.movie.Samples(); n < 30 || n > 42 {
		t.Errorf("%d pictures of 24 bytes in 1,000 bytes", n)
	}
}

// What the disk cannot follow is left out up to the next keyframe, which is asked for.
func TestASlowDisk(t *testing.T) {
	c := newClip("door", begin, "")
	for n := range queue {
		if !c.add(at(10 * n)) {
			t.Fatal("no room though the queue is not full")
		}
	}
	if c.add(at(1)) || c.add(at(2)) || c.lost != 2 {
		t.Errorf("%d lost", c.lost)
	}
	<-c.units
	if c.add(at(3)) {
		t.Error("a picture was taken that nothing before it leads to")
	}
	if !c.add(at(10)) {
		t.Error("a keyframe was not taken")
	}
}

// What cannot be written is told to who asked, and the camera goes on.
func TestAFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := running(t, Options{Folder: file})
	if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart}); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("%v", err)
	}
	l.Camera("door").Unit(at(0)) // it notices by the next that all has failed
	l.Drop("door")
}

func TestNamesCannotLeaveTheFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "20260301T120000.000Z.mp4")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := New(Options{Folder: filepath.Join(dir, "clips")})
	if err := os.MkdirAll(filepath.Join(dir, "clips", "door"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "clips", "door", "20260301T120001.000Z.mp4")); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"..", "20260301T120000.000Z.mp4"}, {"door", "../../20260301T120000.000Z.mp4"}, {"door/../..", "20260301T120000.000Z.mp4"},
		{".", "20260301T120000.000Z.mp4"}, {"door", secret}, {"door", "20260301T120001.000Z.mp4"}, {"", "20260301T120000.000Z.mp4"},
		{"door", "20260301T120000.000Z_../../../x.y.mp4"}, {"door", ".mp4"},
	} {
		if f, err := l.Open(c[0], c[1]); err == nil {
			t.Errorf("%q opens %s", c, f.Name())
		}
	}
	if list, err := l.List("door"); err != nil || len(list) != 0 {
		t.Errorf("a link is listed: %+v, %v", list, err)
	}
}

// The oldest clips go, of whatever camera, and nothing that is not a clip.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	l := New(Options{Folder: dir, Logger: slog.New(slog.DiscardHandler), MaxAge: 3 * time.Hour, MaxBytes: 250})
	now := time.Now()
	put := func(camera string, age time.Duration, size int) string {
		f, err := l.folder.create(camera, nameOf(now.Add(-age), ""))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f.Name(), now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	old := put("door", 4*time.Hour, 1)
	third := put("yard", 3*time.Minute, 100)
	second := put("door", 2*time.Minute, 100)
	first := put("yard", time.Minute, 100)
	other := filepath.Join(dir, "door", "holiday.mp4")
	if err := os.WriteFile(other, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	l.tidy()
	for name, want := range map[string]bool{old: false, third: false, second: true, first: true, other: true} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", name, err == nil, want)
		}
	}
	l.o.MaxBytes = 10
	busy := map[string]bool{"yard/" + filepath.Base(first): true}
	if n, err := l.folder.tidy(now, 0, 10, busy); n != 1 || err != nil {
		t.Errorf("%d deleted, %v: want the one that is not being written", n, err)
	}
}

func TestRing(t *testing.T) {
	r := ring{span: 2 * time.Second, most: 24 * 45}
	for n := 5; n < 200; n++ {
		r.push(at(n))
		if len(r.units) > 0 && !r.units[0].Keyframe || r.bytes > r.most || r.bytes != 24*len(r.units) {
			t.Fatalf("after %d: %d pictures, %d bytes", n, len(r.units), r.bytes)
		}
	}
	time0 := func(n int) time.Time { return at(n).Captured }
	for _, c := range []struct{ from, until, first, n int }{
		{185, 500, 180, 20}, {180, 500, 180, 20}, {100, 500, 170, 30}, {185, 189, 180, 10}, {100, 160, 0, 0}, {300, 500, 0, 0},
	} {
		got := r.between(time0(c.from), time0(c.until))
		if len(got) != c.n || c.n > 0 && got[0].Seq != uint64(c.first) {
			t.Errorf("%+v: %d pictures", c, len(got))
		}
	}
	r.most = 24 * 15 // one group alone is too much
	for n := 201; n < 240; n++ {
		u := at(n)
		u.Keyframe = n == 210
		r.push(u)
	}
	if r.bytes > r.most {
		t.Errorf("%d bytes of %d", r.bytes, r.most)
	}
	none := ring{}
	none.push(at(0))
	if len(none.units) != 0 {
		t.Error("pictures are kept though no time is")
	}
}

// A clip that is whole is told of once, and one without a picture never.
func TestFinishedIsTold(t *testing.T) {
	told := make(chan api.Clip, 4)
	l := running(t, Options{Finished: func(c api.Clip) { told <- c }})
	cam := l.Camera("door")
	for _, pictures := range []int{0, 25} {
		if _, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStart, Event: seg.LineCrossed}); err != nil {
			t.Fatal(err)
		}
		for n := range pictures {
			cam.Unit(at(n))
		}
		stopped, err := l.Record(t.Context(), "door", api.Record{Action: api.RecordStop})
		if pictures == 0 {
			if code(err) != api.Conflict || len(told) != 0 {
				t.Errorf("%v, %d told", err, len(told))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		stopped.File = "" // it is told to who records alone: others see what happened, not where it lies
		if got := <-told; got != stopped || got.Recording || got.Bytes == 0 || got.Event != seg.LineCrossed || !got.Until.After(got.From) {
			t.Errorf("told of %+v, stopped %+v", got, stopped)
		}
	}
}
