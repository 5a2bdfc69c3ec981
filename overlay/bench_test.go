package overlay

import (
	"fmt"
	"testing"

	"github.com/segedge/segedge/seg"
)

// crowd is n objects of a twentieth of the picture each, on a grid of a quarter of the picture's size.
func crowd(n, w, h int) []seg.Object {
	out := make([]seg.Object, n)
	for i := range out {
		x, y := 0.14+0.18*float64(i%5), 0.3+0.4*float64(i/5)
		out[i] = seg.Object{ID: seg.ID(i + 1), Name: "object", State: seg.State(1 + i%2), Mask: ellipse(w/2, h/2, x, y, 0.09, 0.17)}
	}
	return out
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	const w, h = 640, 360
	pix, objects := backdrop(w, h), crowd(10, w, h)
	objects[0].Candidates = []seg.ObjectCandidate{{Mask: objects[1].Mask}}
	objects[3].Name, objects[4].State, objects[4].Mask = "", seg.Lost, nil
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(10, func() { _ = p.Paint(pix, w, h, objects) }); got != 0 {
		t.Errorf("%v allocations a picture", got)
	}
}

func BenchmarkPaint(b *testing.B) {
	for _, size := range [][2]int{{854, 480}, {1280, 720}} {
		for _, n := range []int{1, 5, 10} {
			b.Run(fmt.Sprintf("%dp/%d", size[1], n), func(b *testing.B) {
				pix, objects := backdrop(size[0], size[1]), crowd(n, size[0], size[1])
				p, err := New(Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					_ = p.Paint(pix, size[0], size[1], objects)
				}
			})
		}
	}
}
