package synthetic

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
)

func TestTimeInThePicture(t *testing.T) {
	now := time.Date(2026, 11, 30, 9, 59, 58, 123_400_000, time.UTC)
	for _, size := range [][2]int{{1280, 720}, {854, 480}, {640, 360}, {320, 180}, {1920, 1080}, {720, 720}} {
		f := frame.New(size[0], size[1])
		for _, at := range []time.Time{now, now.Add(79 * 24 * time.Hour), now.Add(-40 * time.Millisecond), time.Unix(0, 0)} {
			DrawTime(f, at)
			for _, about := range []time.Duration{0, 1234567 * time.Microsecond, -30 * 24 * time.Hour} {
				if got, ok := ReadTime(f, at.Add(about)); !ok || !got.Equal(at) {
					t.Errorf("%v at %v, about %v: read %v, %v", size, at, about, got, ok)
				}
			}
		}
	}
}

// What is no code is no time: black, white, a single square that is wrong.
func TestNoTimeInThePicture(t *testing.T) {
	f := frame.New(640, 360)
	for _, v := range []byte{0, 255} {
		for i := range f.Pix {
			f.Pix[i] = v
		}
		if got, ok := ReadTime(f, time.Now()); ok {
			t.Errorf("a picture of %d is the time %v", v, got)
		}
	}
	for i := range codeRows * codeColumns {
		DrawTime(f, time.Unix(1_800_000_000, 0))
		x0, y0, x1, y1 := codeSquare(f, i)
		for y := y0; y < y1; y++ {
			for x := 3 * x0; x < 3*x1; x++ {
				f.Pix[y*f.Stride()+x] ^= 255
			}
		}
		if got, ok := ReadTime(f, time.Now()); ok {
			t.Errorf("with square %d wrong it is the time %v", i, got)
		}
	}
}

// The clock source keeps its own rate, has the moment of the reading in its pictures, and does not hurry after who was slow.
func TestClockKeepsItsRate(t *testing.T) {
	scene, err := New(Options{Width: 320, Height: 180, FPS: 10})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		src := &Clock{Source: Source{scene: scene}}
		if i := src.Info(); !i.Live || i.FPS != 10 {
			t.Errorf("%+v", i)
		}
		f, start := frame.New(320, 180), time.Now()
		for i, want := range []time.Duration{0, 100, 200, 900, 1000} {
			if i == 3 {
				time.Sleep(700 * time.Millisecond)
			}
			if err := src.Read(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			at, ok := ReadTime(f, start)
			if !ok || at.Sub(start) != want*time.Millisecond || time.Since(start) != want*time.Millisecond {
				t.Errorf("frame %d: %v in the picture (%v) after %v, want %v", i, at.Sub(start), ok, time.Since(start), want*time.Millisecond)
			}
		}
	})
}
