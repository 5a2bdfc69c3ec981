package scene

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
)

const (
	width, height = 192, 108
	fps           = 15
)

// drawing is a room full of boxes, the same for the same seed, seen as far as (dx, dy) pixels away and turned by an angle.
type drawing struct {
	boxes [120][5]float64
}

func room(seed uint64) *drawing {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &drawing{}
	for i := range p.boxes {
		p.boxes[i] = [5]float64{r.Float64()*2.6 - 1.3, r.Float64()*1.6 - 0.3, 0.05 + 0.3*r.Float64(), 0.05 + 0.3*r.Float64(), 20 + 200*r.Float64()}
	}
	return p
}

// at is the brightness at a place.
func (p *drawing) at(x, y float64) float64 {
	v := 110 + 30*y
	for _, b := range p.boxes {
		if x >= b[0] && x < b[0]+b[2] && y >= b[1] && y < b[1]+b[3] {
			v = b[4]
		}
	}
	return v
}

// render draws it moved by pixels and turned by degrees about its middle.
func (p *drawing) render(dx, dy, degrees float64) []float64 {
	out := make([]float64, width*height)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i := range out {
		x, y := float64(i%width)-width/2, float64(i/width)-height/2
		out[i] = p.at((cos*x+sin*y-dx)/width+0.5, (cos*y-sin*x-dy)/height+0.5)
	}
	return out
}

// pan draws it moved to the right, out of a picture twice as wide.
func (p *drawing) pan() func(dx int) []float64 {
	wide := make([]float64, 2*width*height)
	for i := range wide {
		wide[i] = p.at(float64(i%(2*width)-width)/width, float64(i/(2*width))/height)
	}
	return func(dx int) []float64 {
		out := make([]float64, width*height)
		for y := range height {
			copy(out[y*width:][:width], wide[2*y*width+width-dx:])
		}
		return out
	}
}

// blur averages over a square.
func blur(in []float64, r int) []float64 {
	mean := func(in []float64, step, n, lines, line int) []float64 {
		out := make([]float64, len(in))
		for l := range lines {
			for i := range n {
				a, b := max(0, i-r), min(n-1, i+r)
				var s float64
				for k := a; k <= b; k++ {
					s += in[l*line+k*step]
				}
				out[l*line+i*step] = s / float64(b-a+1)
			}
		}
		return out
	}
	return mean(mean(in, 1, width, height, width), width, height, width, 1)
}

// clipped shows pictures, with a sensor's noise, and keeps what was said of each.
type clipped struct {
	w     Watch
	f     *frame.Frame
	start time.Time
	n     int
	dice  *rand.Rand
	said  []frame.Scene
	live  bool
}

// noise is a sensor's, of deviation 1, long enough not to repeat within a picture.
var noise = sync.OnceValue(func() []float64 {
	dice := rand.New(rand.NewPCG(3, 4))
	out := make([]float64, 2*width*height)
	for i := range out {
		out[i] = dice.NormFloat64()
	}
	return out
})

func newClip() *clipped {
	return &clipped{f: frame.New(width, height), start: time.Unix(1000, 0), dice: rand.New(rand.NewPCG(5, 6)), live: true}
}

// show shows seconds of a picture; sigma is the noise, 0 for none.
func (c *clipped) show(seconds float64, sigma float64, draw func(t float64) []float64) {
	for i := range int(seconds * fps) {
		grain := noise()[c.dice.IntN(width*height):]
		for k, v := range draw(float64(i) / fps) {
			g := byte(min(max(v+sigma*grain[k], 0), 255))
			c.f.Pix[3*k], c.f.Pix[3*k+1], c.f.Pix[3*k+2] = g, g, g
		}
		c.said = append(c.said, c.w.Look(c.f, c.start.Add(time.Duration(c.n)*time.Second/fps), c.live))
		c.n++
	}
}

// story is what was said, in words: each scene with the second that it began in.
func (c *clipped) story() string {
	var parts []string
	for i, s := range c.said {
		if i == 0 || s != c.said[i-1] {
			parts = append(parts, fmt.Sprintf("%s %.1f", s, float64(i)/fps))
		}
	}
	return strings.Join(parts, ", ")
}

func same(p []float64) func(float64) []float64 { return func(float64) []float64 { return p } }

func times(p []float64, k, plus float64) []float64 {
	out := make([]float64, len(p))
	for i, v := range p {
		out[i] = v*k + plus
	}
	return out
}

// What happens to a camera that stands still, each told within a second of its beginning and of its end.
func TestScenes(t *testing.T) {
	here, other := room(1).render(0, 0, 0), room(2).render(0, 0, 0)
	still := func(c *clipped) { c.show(4, 3, same(here)) }
	for name, c := range map[string]struct {
		play func(*clipped)
		want string
	}{
		"nothing happens":   {func(c *clipped) { c.show(10, 3, same(here)) }, "ok 0.0"},
		"lights off":        {func(c *clipped) { still(c); c.show(7, 2, same(times(here, 0.02, 0))); c.show(5, 3, same(here)) }, "ok 0.0, dark 4.3, ok 11.3"},
		"black start":       {func(c *clipped) { c.show(2, 3, same(times(here, 0, 0))); c.show(3, 3, same(here)) }, "dark 0.0, ok 2.3"},
		"flash":             {func(c *clipped) { still(c); c.show(0.3, 0, same(times(here, 0, 255))); c.show(5, 3, same(here)) }, "ok 0.0"},
		"blinded":           {func(c *clipped) { still(c); c.show(4, 1, same(times(here, 0, 250))); c.show(3, 3, same(here)) }, "ok 0.0, blurred 4.7, ok 8.3"},
		"nothing to see":    {func(c *clipped) { c.show(3, 1, same(times(here, 0, 128))); c.show(3, 3, same(here)) }, "blurred 0.0, ok 3.3"},
		"out of focus":      {func(c *clipped) { still(c); c.show(5, 1, same(blur(here, 5))); c.show(3, 3, same(here)) }, "ok 0.0, blurred 4.7, ok 9.3"},
		"another scene":     {func(c *clipped) { still(c); c.show(7, 3, same(other)); c.show(5, 3, same(here)) }, "ok 0.0, moved 4.4, ok 11.3"},
		"knocked":           {func(c *clipped) { still(c); c.show(25, 3, same(room(1).render(14, -8, 4))) }, "ok 0.0, moved 4.4, ok 24.3"},
		"lights, elsewhere": {func(c *clipped) { still(c); c.show(3, 2, same(times(here, 0, 0))); c.show(3, 3, same(other)) }, "ok 0.0, dark 4.3, moved 7.4"},
		"night lamps": {func(c *clipped) {
			still(c)
			c.show(0.2, 0, same(times(here, 0, 250)))
			c.show(8, 6, same(times(here, 0.6, 30)))
			c.show(3, 3, same(here))
		}, "ok 0.0"},
		"flicker": {func(c *clipped) {
			still(c)
			c.show(6, 3, func(t float64) []float64 {
				out := make([]float64, len(here))
				for i, v := range here {
					out[i] = v * (1 + 0.18*math.Sin(float64(i/width)/12+37*t))
				}
				return out
			})
		}, "ok 0.0"},
		"exposure": {func(c *clipped) {
			still(c)
			c.show(10, 3, func(t float64) []float64 { return times(here, max(0.25, 1+0.8*math.Sin(1.6*t)), 0) })
		}, "ok 0.0"},
		"pan": {func(c *clipped) {
			pan := room(1).pan()
			still(c)
			c.show(3, 3, func(t float64) []float64 { return pan(int(51 * t)) })
			c.show(4, 3, same(pan(153)))
		}, "ok 0.0"},
		"frozen": {func(c *clipped) { still(c); c.show(12, 0, same(here)); c.show(2, 3, same(here)) }, "ok 0.0, frozen 14.0, ok 16.3"},
		"a pulse": {func(c *clipped) {
			still(c)
			c.show(14, 0, func(t float64) []float64 { return times(here, 1, pulse(t)) })
		}, "ok 0.0, frozen 14.2"},
		"recorded": {func(c *clipped) { c.live = false; still(c); c.show(13, 0, same(here)) }, "ok 0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clip := newClip()
			c.play(clip)
			if got := clip.story(); !near(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// pulse is what an encoder adds at a keyframe every two seconds.
func pulse(t float64) float64 {
	if math.Mod(t, 2) < 1./fps {
		return 0.9
	}
	return 0
}

// near compares two stories: the same scenes, each within three tenths of a second.
func near(got, want string) bool {
	a, b := strings.Split(got, ", "), strings.Split(want, ", ")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		var s1, s2 string
		var t1, t2 float64
		if n, _ := fmt.Sscan(a[i], &s1, &t1); n != 2 {
			return false
		}
		if n, _ := fmt.Sscan(b[i], &s2, &t2); n != 2 || s1 != s2 || math.Abs(t1-t2) > 0.3 {
			return false
		}
	}
	return true
}

// Colours of the same brightness are something to see, but no view that could be told from another.
func TestColoursWithoutBrightness(t *testing.T) {
	var w Watch
	f := frame.New(160, 120)
	for n := range 60 {
		for i := 0; i < len(f.Pix); i += 3 {
			x, y := i/3%160, i/3/160
			f.Pix[i], f.Pix[i+1], f.Pix[i+2] = 60, 120, 60
			if x >= 40+n && x < 80+n && y >= 40 && y < 80 {
				f.Pix[i+1], f.Pix[i+2] = 40, 220
			}
		}
		if got := w.Look(f, time.Unix(0, int64(n)*int64(time.Second/fps)), true); got != frame.SceneOK {
			t.Fatalf("picture %d: %v", n, got)
		}
	}
}

// A large picture, a small one, one of a single pixel.
func TestAnySize(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 2}, {47, 26}, {1920, 1080}, {200, 3000}} {
		var w Watch
		f := frame.New(size[0], size[1])
		for i := range 5 {
			w.Look(f, time.Unix(int64(i), 0), true)
		}
		if got := w.Look(f, time.Unix(9, 0), true); got != frame.SceneDark {
			t.Errorf("%v: %v", size, got)
		}
	}
}

func TestLookAllocatesNothing(t *testing.T) {
	c := newClip()
	c.show(1, 3, same(room(1).render(0, 0, 0)))
	at := c.start.Add(time.Hour)
	if got := testing.AllocsPerRun(50, func() { at = at.Add(time.Second); c.w.Look(c.f, at, true) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkLook1080p(b *testing.B) {
	var w Watch
	f := frame.New(1920, 1080)
	for i := range f.Pix {
		f.Pix[i] = byte(i * 7)
	}
	at := time.Unix(0, 0)
	for b.Loop() {
		at = at.Add(time.Second)
		w.Look(f, at, true)
	}
}
