package eval

import (
	"context"
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// follow is a follower that gives the left part of a mover's truth: share of its width.
func follow(m mover, share float64) func() (Follower, error) {
	return func() (Follower, error) {
		return &script{next: func(f *frame.Frame) (*seg.Mask, error) {
			r := m.rect(int(f.Seq - 1))
			r.Max.X = r.Min.X + int(share*float64(r.Dx())+0.5)
			return square(sceneW, sceneH, r), nil
		}}, nil
	}
}

// TestFramesWithoutLabelsAreNotScored takes the annotation of every second frame away.
func TestFramesWithoutLabelsAreNotScored(t *testing.T) {
	m := mover{image.Rect(20, 30, 60, 70), 2, 0, red}
	videos := sequence(t, 8, m)
	for i := 1; i < 8; i += 2 {
		videos[0].Labels[i] = ""
	}
	var truths []int
	r, err := Video(t.Context(), VideoOptions{Videos: videos, Prompt: PromptMask, New: follow(m, 0.75), Frame: func(f FrameResult) error {
		truths = append(truths, len(f.Truth))
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	q := r.Sequences["walk"]
	if len(q.ByFrame) != 3 || math.Abs(q.J-0.75) > 1e-9 || q.Frames != 8 {
		t.Errorf("J %v over %d scored frames of %d", q.J, len(q.ByFrame), q.Frames)
	}
	if !slices.Equal(truths, []int{1, 0, 1, 0, 1, 0, 1, 0}) {
		t.Errorf("truths by frame: %v", truths)
	}
}

// TestMeansAreOverObjectsOfAllSequences measures one sequence with a good answer and one with two poor ones.
func TestMeansAreOverObjectsOfAllSequences(t *testing.T) {
	a, b := mover{image.Rect(10, 10, 50, 50), 1, 0, red}, mover{image.Rect(90, 60, 130, 100), -1, 0, blue}
	one, two := sequence(t, 4, a), sequence(t, 4, a, b)
	one[0].Name, two[0].Name = "one", "two"
	n := 0
	open := func() (Follower, error) {
		n++
		return follow([]mover{a, a, b}[n-1], []float64{1, 0.5, 0.25}[n-1])()
	}
	var seen []string
	r, err := Video(t.Context(), VideoOptions{
		Videos: append(one, two...), Sequences: []string{"two", "one"}, Prompt: PromptBox, Method: "parts", New: open,
		Model:    &inference.Info{Name: "m", Input: func(w, h int) (int, int) { return w / 2, h / 2 }},
		Progress: func(_, _ int, name string) { seen = append(seen, name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.Mean.J-1.75/3) > 1e-9 || math.Abs(r.Sequences["two"].J-0.375) > 1e-9 || r.Sequences["one"].J != 1 || r.Sequences["two"].Objects != 2 {
		t.Errorf("%+v", r)
	}
	if r.Model != "m" || r.Input != sceneW/2 || r.FPS != DefaultFPS {
		t.Errorf("model %q at %d, %v frames a second", r.Model, r.Input, r.FPS)
	}
	if len(seen) != 8 || seen[0] != "one" || seen[7] != "two" {
		t.Errorf("progress %v", seen)
	}
}

// TestVideoTellsWhichFileFails damages one file after another.
func TestVideoTellsWhichFileFails(t *testing.T) {
	m := mover{image.Rect(20, 30, 60, 70), 2, 0, red}
	quiet := func(FrameResult) error { return nil }
	for name, c := range map[string]struct {
		file     func(v *dataset.Video) string
		realtime float64
		frame    func(FrameResult) error
	}{
		"a frame":             {func(v *dataset.Video) string { return v.Frames[2] }, 0, nil},
		"a frame, by clock":   {func(v *dataset.Video) string { return v.Frames[2] }, 1000, nil},
		"labels":              {func(v *dataset.Video) string { return v.Labels[3] }, 0, nil},
		"the first labels":    {func(v *dataset.Video) string { return v.Labels[0] }, 0, quiet},
		"labels, by clock":    {func(v *dataset.Video) string { return v.Labels[3] }, 1000, quiet},
		"frame to be painted": {func(v *dataset.Video) string { return v.Frames[0] }, 0, quiet},
	} {
		videos := sequence(t, 5, m)
		path := c.file(&videos[0])
		if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Video(t.Context(), VideoOptions{Videos: videos, Prompt: PromptMask, New: follow(m, 1), Realtime: c.realtime, Frame: c.frame})
		if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) || !strings.Contains(err.Error(), "walk") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestScoringStopsWhenAsked cancels while frames are shown, after all were followed.
func TestScoringStopsWhenAsked(t *testing.T) {
	m := mover{image.Rect(20, 30, 60, 70), 2, 0, red}
	ctx, cancel := context.WithCancel(t.Context())
	shown := 0
	_, err := Video(ctx, VideoOptions{Videos: sequence(t, 6, m), Prompt: PromptMask, New: follow(m, 1), Frame: func(FrameResult) error {
		if shown++; shown == 2 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) || shown != 2 {
		t.Errorf("%d frames shown, %v", shown, err)
	}
}

// TestRealtimeWithSeveralObjects follows two objects by the clock, one after the other; the second is slow.
func TestRealtimeWithSeveralObjects(t *testing.T) {
	a, b := mover{image.Rect(10, 10, 50, 50), 1, 0, red}, mover{image.Rect(90, 60, 130, 100), -1, 0, blue}
	videos := sequence(t, 10, a, b)
	synctest.Test(t, func(t *testing.T) {
		n, steps := 0, 0
		open := func() (Follower, error) {
			slow := n == 1
			f, err := follow([]mover{a, b}[n], 1)()
			if s := f.(*script); slow {
				next := s.next
				s.next = func(f *frame.Frame) (*seg.Mask, error) {
					time.Sleep(90 * time.Millisecond) // two frames and a quarter
					return next(f)
				}
			}
			n++
			return f, err
		}
		r, err := Video(t.Context(), VideoOptions{Videos: videos, Prompt: PromptMask, New: open, Realtime: 25, Progress: func(int, int, string) { steps++ }})
		if err != nil {
			t.Fatal(err)
		}
		q := r.Sequences["walk"]
		if q.Dropped == 0 || q.Dropped > 8 || r.Dropped != q.Dropped || r.Realtime != 25 || r.FPS != 25 || r.Millis.P95 != 90 {
			t.Errorf("%d dropped, %+v", q.Dropped, r)
		}
		if steps != 10 || q.J >= 1 || q.J < 0.8 {
			t.Errorf("%d steps, J %v", steps, q.J)
		}
	})
}

func TestMillis(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Millisecond)
	}
	if got := millis(took); got != (Millis{51, 96}) {
		t.Errorf("%+v", got)
	}
	if took[0] != 100*time.Millisecond {
		t.Error("the caller's order was changed")
	}
	if got := millis(nil); got != (Millis{}) {
		t.Errorf("%+v", got)
	}
	if got := millis(took[:1]); got != (Millis{100, 100}) {
		t.Errorf("%+v", got)
	}
}
