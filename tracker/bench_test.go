package tracker_test

import (
	"fmt"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// crowd is n discs on a grid, each moving a little, at 854×480.
func crowd(n int) *scene {
	s := &scene{w: 854, h: 480, ground: newTexture(1), pan: line(0, 0, 1, 0)}
	cols := 1
	for cols*cols < n {
		cols++
	}
	r := min(90, 300/float64(cols))
	for i := range n {
		x, y := (float64(i%cols)+0.5)*854/float64(cols), (float64(i/cols)+0.5)*480/float64(cols)
		s.discs = append(s.discs, disc{newTexture(uint64(i + 2)), r * 0.6, line(x, y, 0.7, 0.3), red})
	}
	return s
}

// followed is a tracker with every disc of a crowd in it, and frames that go to and fro.
func followed(tb testing.TB, n int, flow tracker.Flow) (*tracker.Tracker, []*frame.Frame) {
	tb.Helper()
	s := crowd(n)
	tr := tracker.New(tracker.Options{}, flow)
	frames := []*frame.Frame{s.render(0), s.render(1), s.render(2), s.render(1)}
	if err := tr.Step(frames[0]); err != nil {
		tb.Fatal(err)
	}
	tr.See(1, s.features(0))
	var as []tracker.Answer
	for i := range n {
		c := s.truth(i, 0).Centroid()
		id := tr.Add("", point(c.X, c.Y), 1)
		as = append(as, tracker.Answer{ID: id, Prediction: s.answer(id, i, 0)})
	}
	tr.Answer(1, as)
	return tr, frames
}

func BenchmarkStep(b *testing.B) {
	for _, n := range []int{0, 1, 10, 50} {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			tr, frames := followed(b, n, lk.New(lk.Options{}))
			var objects []seg.Object
			seq := uint64(1)
			b.ReportAllocs()
			for b.Loop() {
				f := frames[(seq)%4]
				seq++
				f.Seq = seq
				if err := tr.Step(f); err != nil {
					b.Fatal(err)
				}
				objects = tr.Objects(objects[:0])
			}
		})
	}
}
