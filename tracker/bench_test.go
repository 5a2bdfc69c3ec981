package tracker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
)

// crowd is n discs on a grid, each moving a little.
func crowd(n, w, h int) *scene {
	s := &scene{w: w, h: h, ground: newTexture(1), pan: line(0, 0, 1, 0)}
	cols := 1
	for cols*cols < n {
		cols++
	}
	r := min(90, 300/float64(cols)) * float64(w) / 854
	for i := range n {
		x, y := (float64(i%cols)+0.5)*float64(w)/float64(cols), (float64(i/cols)+0.5)*float64(h)/float64(cols)
		s.discs = append(s.discs, disc{newTexture(uint64(i + 2)), r * 0.6, line(x, y, 0.7, 0.3), red})
	}
	return s
}

// followed is a tracker with every disc of a crowd in it, and frames that go to and fro.
func followed(tb testing.TB, s *scene, o tracker.Options, flow motion.Flow) (*tracker.Tracker, []*frame.Frame) {
	tb.Helper()
	tr := tracker.New(o, flow)
	frames := []*frame.Frame{s.render(0), s.render(1), s.render(2), s.render(1)}
	if err := tr.Step(frames[0]); err != nil {
		tb.Fatal(err)
	}
	tr.See(1, s.features(0))
	var as []tracker.Answer
	for i := range s.discs {
		c := s.truth(i, 0).Centroid()
		id := tr.Add("", point(c.X, c.Y), 1)
		as = append(as, tracker.Answer{ID: id, Prediction: s.answer(id, i, 0)})
	}
	tr.Answer(1, as)
	return tr, frames
}

// crowds are the numbers of objects that the curve of costs is drawn over.
var crowds = []int{0, 1, 10, 50}

func BenchmarkStep(b *testing.B) {
	for _, n := range crowds {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) { benchmarkStep(b, n, lk.New(lk.Options{})) })
	}
}

// benchmarkStep reports what a frame costs, motion and masks: the median and the 95th percentile.
func benchmarkStep(b *testing.B, n int, flow motion.Flow) {
	tr, frames := followed(b, crowd(n, 854, 480), tracker.Options{}, flow)
	var objects []seg.Object
	took := make([]time.Duration, 0, 1<<16)
	seq := uint64(1)
	step := func() {
		f := frames[seq%4]
		seq++
		f.Seq = seq
		if err := tr.Step(f); err != nil {
			b.Fatal(err)
		}
		objects = tr.Objects(objects[:0])
		tr.Changes(nil)
	}
	for range 70 { // until the history is full
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		step()
		if len(took) < cap(took) {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1)+0.5)].Seconds() * 1000 }
	b.ReportMetric(at(0), "least-ms")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.95), "p95-ms")
	b.ReportMetric(float64(len(objects)), "objects")
}
