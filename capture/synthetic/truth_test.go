package synthetic

import (
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// A tracker that never moves its first mask must do badly, or the scene proves nothing.
func TestNothingMovesScoresLow(t *testing.T) {
	testkit.Long(t)
	for _, p := range Presets() {
		if p == "occlusion" {
			continue // its block stands still on purpose
		}
		s := small(t, p)
		first := s.Truth(0)
		sum, frames := map[string]float64{}, map[string]float64{}
		for n := uint64(0); n < 300; n += 2 {
			for i, o := range s.Truth(n) {
				if o.Visible > 0.98 {
					sum[o.Name] += first[i].Mask.IoU(o.Mask)
					frames[o.Name]++
				}
			}
		}
		for name := range promised {
			got := sum[name] / frames[name]
			t.Logf("%-9s %-6s nothing moves %.3f over %3.0f whole frames", p, name, got, frames[name])
			if got >= 0.35 {
				t.Errorf("%s: %s scores %.2f with its first mask", p, name, got)
			}
		}
	}
}

// Natural speeds: at most 3 % of the width a frame, the shake aside.
func TestSpeeds(t *testing.T) {
	for _, p := range Presets() {
		s := small(t, p)
		fastest := 0.0
		last := map[string]seg.Point{}
		for n := range uint64(300) {
			for i, a := range s.plan.actors {
				st := a.move(s.seconds(n))
				at := seg.Point{X: st.x, Y: st.y / aspect}
				if q, ok := last[a.name]; ok && i >= 0 {
					fastest = math.Max(fastest, math.Hypot(at.X-q.X, at.Y-q.Y))
				}
				last[a.name] = at
			}
		}
		t.Logf("%-9s fastest %.2f %% of the width a frame", p, 100*fastest)
		if fastest > 0.0325 || (p == "fast" && fastest < 0.02) {
			t.Errorf("%s: %.3f widths a frame", p, fastest)
		}
	}
}

func TestPresetsShowTheirDifficulty(t *testing.T) {
	testkit.Long(t)
	lowest := func(preset, name string) float64 {
		s := small(t, preset)
		least := 1.0
		for n := uint64(0); n < 300; n += 3 {
			least = math.Min(least, named(t, s.Truth(n), name).Visible)
		}
		return least
	}
	for _, name := range []string{Car, Ball, Twin, Block} {
		for _, preset := range []string{"calm", "light", "fast", "shake"} {
			if v := lowest(preset, name); v < 0.95 {
				t.Errorf("%s: %s is hidden to %.2f", preset, name, v)
			}
		}
	}
	if v := lowest("default", Block); v < 0.999 {
		t.Errorf("default: the block must never be hidden, got %.2f", v)
	}
	for preset, name := range map[string]string{"default": Car, "occlusion": Ball, "leave": Car, "crossing": Ball} {
		v := lowest(preset, name)
		t.Logf("%s: %s down to %.2f", preset, name, v)
		if v > 0.3 {
			t.Errorf("%s: %s stays visible to %.2f", preset, name, v)
		}
	}
}

func TestCarLeavesAndReturns(t *testing.T) {
	testkit.Long(t)
	s := small(t, "leave")
	gone, back := 0, 0
	for n := range uint64(300) {
		switch v := named(t, s.Truth(n), Car).Visible; {
		case v == 0:
			gone++
		case gone > 0 && v > 0.99:
			back++
		}
	}
	if gone < 20 || back < 30 {
		t.Errorf("gone for %d frames, back for %d", gone, back)
	}
}

// The masks are those of the pixels: inside an object the picture differs from the empty scene, outside every object
// and shadow it does not, and no pixel belongs to two objects.
func TestTruthIsWhatIsRendered(t *testing.T) {
	testkit.Long(t)
	s, err := New(Options{Width: 320, Height: 180, Noise: -1})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := New(Options{Width: 320, Height: 180, Noise: -1})
	if err != nil {
		t.Fatal(err)
	}
	empty.plan.actors = nil
	empty.work = empty.newScratch()
	f, g := frame.New(2, 2), frame.New(2, 2)
	for _, n := range []uint64{0, 60, 107, 240} {
		s.Render(n, f)
		empty.Render(n, g)
		checkPixels(t, n, s.Truth(n), f, g)
	}
}

func checkPixels(t *testing.T, n uint64, objects []Object, f, g *frame.Frame) {
	t.Helper()
	owner := make([]int, f.Width*f.Height)
	for i, o := range objects {
		same := 0
		for y := range f.Height {
			for x := range f.Width {
				if o.Mask.At(x, y) == 0 {
					continue
				}
				if owner[y*f.Width+x] != 0 {
					t.Fatalf("frame %d: pixel %d,%d belongs to two objects", n, x, y)
				}
				owner[y*f.Width+x] = i + 1
				if difference(f, g, x, y) < 6 {
					same++
				}
			}
		}
		if c := o.Mask.Count(); same > c/12 {
			t.Errorf("frame %d: %d of %d pixels of %s look like the background", n, same, c, o.Name)
		}
	}
	stray := 0
	for y := range f.Height * 2 / 5 { // above the horizon, where no shadow falls
		for x := range f.Width {
			if difference(f, g, x, y) != 0 && !nearAny(objects, x, y) {
				stray++
			}
		}
	}
	if stray > 12 { // the tips of wings, thinner than half a pixel
		t.Errorf("frame %d: %d painted pixels belong to nobody", n, stray)
	}
}

// nearAny is whether an object lies within a pixel: its antialiased border does not belong to its mask.
func nearAny(objects []Object, x, y int) bool {
	for _, o := range objects {
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				if o.Mask.At(x+dx, y+dy) != 0 {
					return true
				}
			}
		}
	}
	return false
}

func difference(f, g *frame.Frame, x, y int) int {
	i, d := y*f.Stride()+3*x, 0
	for c := range 3 {
		d += max(int(f.Pix[i+c])-int(g.Pix[i+c]), int(g.Pix[i+c])-int(f.Pix[i+c]))
	}
	return d
}
