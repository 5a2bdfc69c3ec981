package scene

import (
	"bufio"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/testkit"
)

// Real footage, hand-held and not, in which nothing happens to the camera: every picture of it is ok. It prints what the
// thresholds were chosen by. It takes two minutes: SEGEDGE_MEASURE=1 asks for it. SEGEDGE_SHARED names the folder of test data,
// SEGEDGE_SCENES one of further clips, of which the story is printed alone.
func TestMeasure(t *testing.T) {
	if os.Getenv("SEGEDGE_MEASURE") == "" {
		t.Skip("SEGEDGE_MEASURE is not set: real footage is not looked at")
	}
	dir := testkit.Shared(t)
	films, err := filepath.Glob(filepath.Join(dir, "data", "davis", "JPEGImages", "480p", "*"))
	if err != nil || len(films) == 0 {
		t.Skipf("no DAVIS in %s: %v", dir, err)
	}
	for _, film := range films {
		files, err := filepath.Glob(filepath.Join(film, "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		m := newMeasure()
		for _, file := range files {
			m.read(t, file)
		}
		m.tell(t, filepath.Base(film), true)
	}
	clips, err := filepath.Glob(filepath.Join(dir, "data", "clips", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, clip := range clips {
		decode(t, clip).tell(t, filepath.Base(clip), true)
	}
	if extra := os.Getenv("SEGEDGE_SCENES"); extra != "" {
		more, _ := filepath.Glob(filepath.Join(extra, "*.mp4"))
		for _, clip := range more {
			decode(t, clip).tell(t, filepath.Base(clip), false)
		}
	}
}

// measure watches a film and keeps the extremes.
type measure struct {
	c               clipped
	f               *frame.Frame
	like, shift, hd float64
}

func newMeasure() *measure {
	return &measure{c: *newClip(), f: frame.New(640, 360), like: 1, shift: 1, hd: 1}
}

func (m *measure) look() {
	w := &m.c.w
	m.c.said = append(m.c.said, w.Look(m.f, m.c.start.Add(time.Duration(len(m.c.said))*time.Second/fps), true))
	if w.prev == nil {
		return
	}
	m.like, m.shift = min(m.like, w.now.like(w.prev)), min(m.shift, w.now.likeShifted(w.prev))
	if w.sharp > 0 {
		m.hd = min(m.hd, w.now.edge/(w.now.spread+1)/w.sharp)
	}
}

func (m *measure) read(t *testing.T, file string) {
	t.Helper()
	r, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	img, err := jpeg.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	picture.Copy(m.f, img)
	m.look()
}

func (m *measure) tell(t *testing.T, name string, quiet bool) {
	t.Helper()
	story := m.c.story()
	t.Logf("%-28s %4d pictures; least like the one before %5.2f, shifted %5.2f; least sharp %4.2f; %s", name, len(m.c.said), m.like, m.shift, m.hd, story)
	if quiet && story != "ok 0.0" {
		t.Errorf("%s: %s", name, story)
	}
}

// decode watches a clip through ffmpeg.
func decode(t *testing.T, clip string) *measure {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to decode the clips (apt install ffmpeg)")
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", clip, "-vf", fmt.Sprintf("scale=%d:%d,fps=%d", 640, 360, fps), "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m, in := newMeasure(), bufio.NewReaderSize(out, 1<<20)
	for {
		if _, err := io.ReadFull(in, m.f.Pix); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		m.look()
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return m
}
