package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/tracker"
)

// script is a follower that answers as a test says.
type script struct {
	prompt seg.Prompt
	seen   []uint64
	next   func(f *frame.Frame) (*seg.Mask, error)
	closed int
}

func (s *script) Start(f *frame.Frame, p seg.Prompt) error {
	s.prompt, s.seen = p, append(s.seen, f.Seq)
	return nil
}

func (s *script) Next(f *frame.Frame) (*seg.Mask, error) {
	s.seen = append(s.seen, f.Seq)
	return s.next(f)
}

func (s *script) Close() error { s.closed++; return nil }

func TestVideoScoresAllButFirstAndLast(t *testing.T) {
	testkit.Long(t)
	m := mover{image.Rect(20, 30, 60, 70), 4, 0, red}
	truth := func(i int) *seg.Mask { return square(sceneW, sceneH, m.rect(i)) }
	s := &script{next: func(f *frame.Frame) (*seg.Mask, error) {
		switch f.Seq {
		case 2: // half of the truth
			r := m.rect(1)
			return square(sceneW, sceneH, image.Rect(r.Min.X, r.Min.Y, r.Min.X+20, r.Max.Y)), nil
		case 3:
			return nil, nil
		case 4:
			return truth(3), nil
		}
		return nil, nil // the last, which is not scored
	}}
	var shown []FrameResult
	steps := 0
	r, err := Video(t.Context(), VideoOptions{
		Videos: sequence(t, 5, m), Prompt: PromptMask, Method: "script", New: func() (Follower, error) { return s, nil },
		Progress: func(done, total int, name string) {
			if steps++; done != steps || total != 5 || name != "walk" {
				t.Errorf("progress %d of %d in %s at step %d", done, total, name, steps)
			}
		},
		Frame: func(f FrameResult) error { f.Frame = nil; shown = append(shown, f); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	q := r.Sequences["walk"]
	if want := []float64{0.5, 0, 1}; !slices.Equal(q.ByFrame, want) || math.Abs(r.Mean.J-0.5) > 1e-12 || q.J != r.Mean.J || q.Frames != 5 || q.Objects != 1 {
		t.Errorf("J %v, by frame %v, want the mean of %v", r.Mean.J, q.ByFrame, want)
	}
	if q.Region.Recall != 1.0/3 || q.JF != (q.J+q.F)/2 || q.F <= 0.3 || q.F >= 0.8 {
		t.Errorf("recall %v, F %v", q.Region.Recall, q.F)
	}
	if s.closed != 1 || !slices.Equal(s.seen, []uint64{1, 2, 3, 4, 5}) || steps != 5 {
		t.Errorf("closed %d times, saw %v, %d steps", s.closed, s.seen, steps)
	}
	if len(shown) != 5 || shown[0].Got[0].IoU(truth(0)) != 1 || shown[2].Got[0] != nil || shown[3].Dropped {
		t.Errorf("shown %+v", shown)
	}
}

func TestVideoMeansAreOverObjects(t *testing.T) {
	testkit.Long(t)
	a, b := mover{image.Rect(10, 10, 40, 40), 1, 0, red}, mover{image.Rect(90, 60, 130, 100), -1, 0, blue}
	n := 0
	open := func() (Follower, error) {
		which := []mover{a, b}[n%2]
		n++
		return &script{next: func(f *frame.Frame) (*seg.Mask, error) {
			if which.color == blue {
				return nil, nil
			}
			return square(sceneW, sceneH, which.rect(int(f.Seq-1))), nil
		}}, nil
	}
	r, err := Video(t.Context(), VideoOptions{Videos: sequence(t, 4, a, b), Prompt: PromptBox, New: open})
	if err != nil {
		t.Fatal(err)
	}
	if q := r.Sequences["walk"]; q.Objects != 2 || r.Mean.J != 0.5 || q.J != 0.5 || r.Mean.JF != 0.5 {
		t.Errorf("%+v", r)
	}
}

func TestPromptFor(t *testing.T) {
	m := square(100, 50, image.Rect(20, 10, 41, 31))
	if p := PromptFor(PromptClick, m); len(p.Clicks) != 1 || p.Clicks[0] != (seg.Click{Point: seg.Point{X: 0.305, Y: 0.41}, Label: seg.Positive}) {
		t.Errorf("click %+v", p)
	}
	if p := PromptFor(PromptBox, m); *p.Box != (seg.Box{X0: 0.2, Y0: 0.2, X1: 0.41, Y1: 0.62}) {
		t.Errorf("box %+v", p.Box)
	}
	if p := PromptFor(PromptMask, m); p.Mask.Cut(100, 50, seg.Threshold).IoU(m) != 1 {
		t.Error("the mask prompt is not the mask")
	}
}

// TestMethodsFollow runs every method over a square that moves by twice its own width, with a model that finds squares.
func TestMethodsFollow(t *testing.T) {
	testkit.Long(t)
	videos := sequence(t, 10, mover{image.Rect(10, 20, 42, 52), 6, 3, red})
	model := inferencetest.New(inferencetest.Options{Tolerance: 40})
	product := func(realtime bool) func() (Follower, error) {
		return Product(ProductOptions{Model: model, Tracker: tracker.Options{FPS: 24}, Flow: pureFlow, Realtime: realtime})
	}
	for _, c := range []struct {
		name     string
		open     func() (Follower, error)
		realtime float64
		min, max float64 // J
	}{
		{"nothing moves", Still(model), 0, 0.05, 0.4},
		{"flow alone", FlowAlone(model, pureFlow), 0, 0.7, 1},
		{"model alone", ModelAlone(model), 0, 0.6, 1},
		{"box and model", BoxAndModel(model, func() (BoxTracker, error) { return &chase{}, nil }), 0, 0.8, 1},
		{"segedge", product(false), 0, 0.7, 1},
		{"segedge by the clock", product(true), 24, 0.7, 1},
	} {
		for _, kind := range []PromptKind{PromptMask, PromptBox, PromptClick} {
			var r *VideoResult
			synctest.Test(t, func(t *testing.T) { // the clock goes on when nobody works
				var err error
				r, err = Video(t.Context(), VideoOptions{Videos: videos, Prompt: kind, Method: c.name, New: c.open, Realtime: c.realtime})
				if err != nil {
					t.Fatalf("%s, %s: %v", c.name, kind, err)
				}
			})
			t.Logf("%-22s %-6s J %.3f F %.3f", c.name, kind, r.Mean.J, r.Mean.F)
			if r.Mean.J < c.min || r.Mean.J > c.max {
				t.Errorf("%s, %s: J %.3f, want %v to %v", c.name, kind, r.Mean.J, c.min, c.max)
			}
		}
	}
	if n := model.Live(); n != 0 {
		t.Errorf("%d embeddings were left open", n)
	}
}

// chase is a box tracker that knows how the square moves.
type chase struct{ box seg.Box }

func (c *chase) Init(_ *frame.Frame, b seg.Box) error { c.box = b; return nil }

func (c *chase) Update(*frame.Frame) (seg.Box, bool, error) {
	c.box.X0, c.box.X1 = c.box.X0+6.0/sceneW, c.box.X1+6.0/sceneW
	c.box.Y0, c.box.Y1 = c.box.Y0+3.0/sceneH, c.box.Y1+3.0/sceneH
	return c.box, true, nil
}

func (c *chase) Close() error { return nil }

// TestMethodsWithoutAnObject follow a thing that the model does not find: they give no mask, and no error.
func TestMethodsWithoutAnObject(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{Answer: func(seg.Prompt, seg.Prediction) seg.Prediction { return seg.Prediction{} }})
	videos := sequence(t, 4, mover{image.Rect(10, 20, 42, 52), 5, 2, red})
	for name, open := range map[string]func() (Follower, error){
		"still": Still(model), "flow": FlowAlone(model, pureFlow), "model": ModelAlone(model),
		"box":     BoxAndModel(model, func() (BoxTracker, error) { return &chase{}, nil }),
		"product": Product(ProductOptions{Model: model, Flow: pureFlow}),
	} {
		r, err := Video(t.Context(), VideoOptions{Videos: videos, Prompt: PromptClick, New: open})
		if err != nil || r.Mean.J != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestPromptThatIsNeverAnswered ends a sequence while the model still thinks about the prompt, and one whose model fails.
func TestPromptThatIsNeverAnswered(t *testing.T) {
	videos := sequence(t, 4, mover{image.Rect(10, 20, 42, 52), 5, 2, red})
	for want, hook := range map[string]func(ctx context.Context, f *frame.Frame) error{
		"":           func(ctx context.Context, _ *frame.Frame) error { return supervise.Wait(ctx, time.Minute) },
		"no picture": func(context.Context, *frame.Frame) error { return errors.New("no picture") },
	} {
		synctest.Test(t, func(t *testing.T) {
			model := inferencetest.New(inferencetest.Options{Embed: hook})
			open := Product(ProductOptions{Model: model, Flow: pureFlow, Realtime: true})
			r, err := Video(t.Context(), VideoOptions{Videos: videos, Prompt: PromptClick, New: open, Realtime: 24})
			if want == "" && (err != nil || r.Mean.J != 0) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v, want an error with %q", err, want)
			}
		})
	}
}

func TestVideoRefuses(t *testing.T) {
	videos := sequence(t, 3, mover{image.Rect(10, 20, 42, 52), 1, 0, red})
	bare := sequence(t, 3)
	open := func() (Follower, error) {
		return &script{next: func(*frame.Frame) (*seg.Mask, error) { return nil, errors.New("dazzled") }}, nil
	}
	for want, o := range map[string]VideoOptions{
		"a method is needed": {Videos: videos, Prompt: PromptMask},
		`prompt "word"`:      {Videos: videos, Prompt: "word", New: open},
		"answers -1 frames":  {Videos: videos, Prompt: PromptMask, New: open, Delay: -1},
		"for frames that":    {Videos: videos, Prompt: PromptMask, New: open, Delay: 1, Realtime: 24},
		"real time at -1":    {Videos: videos, Prompt: PromptMask, New: open, Realtime: -1},
		`no sequence "run"`:  {Videos: videos, Prompt: PromptMask, New: open, Sequences: []string{"run"}},
		"no sequences":       {Prompt: PromptMask, New: open},
		"no annotated":       {Videos: bare, Prompt: PromptMask, New: open},
		"frame 1: dazzled":   {Videos: videos, Prompt: PromptMask, New: open},
		"no follower":        {Videos: videos, Prompt: PromptMask, New: func() (Follower, error) { return nil, errors.New("no follower") }},
		"no brush": {Videos: videos, Prompt: PromptMask, New: Still(nil), Frame: func(FrameResult) error {
			return errors.New("no brush")
		}},
	} {
		if _, err := Video(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, rate := range []float64{0, 1000} {
		if _, err := Video(ctx, VideoOptions{Videos: videos, Prompt: PromptMask, New: open, Realtime: rate}); !errors.Is(err, context.Canceled) {
			t.Errorf("at %v frames a second: %v", rate, err)
		}
	}
}

// TestRealtimeDropsWhatComesMeanwhile has a follower that takes 4.5 frames over the third frame.
func TestRealtimeDropsWhatComesMeanwhile(t *testing.T) {
	const period = 20 * time.Millisecond
	videos := sequence(t, 12, mover{image.Rect(10, 20, 42, 52), 1, 0, red})
	s := &script{next: func(f *frame.Frame) (*seg.Mask, error) {
		if f.Seq == 3 {
			time.Sleep(9 * period / 2)
		}
		return square(sceneW, sceneH, image.Rect(int(f.Seq), 0, int(f.Seq)+1, 1)), nil
	}}
	var results []FrameResult
	var r *VideoResult
	synctest.Test(t, func(t *testing.T) {
		var err error
		r, err = Video(t.Context(), VideoOptions{
			Videos: videos, Prompt: PromptMask, New: func() (Follower, error) { return s, nil }, Realtime: float64(time.Second / period),
			Frame: func(f FrameResult) error { results = append(results, f); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	// Frame 3 came at 40 ms and was done at 130, when 7, of 120 ms, was the newest.
	if want := []uint64{1, 2, 3, 7, 8, 9, 10, 11, 12}; r.Dropped != 3 || !slices.Equal(s.seen, want) {
		t.Errorf("%d dropped, saw %v, want %v", r.Dropped, s.seen, want)
	}
	if len(results) != 12 {
		t.Fatalf("%d frames scored", len(results))
	}
	for i, want := range []int{-1, 2, 3, 3, 3, 3, 7, 8} {
		if got := results[i]; i > 0 && (got.Got[0].Rect.Min.X != want || got.Dropped != (i >= 3 && i <= 5)) {
			t.Errorf("frame %d has the mask of %d, dropped %v; want that of %d", i+1, got.Got[0].Rect.Min.X, got.Dropped, want)
		}
	}
	if r.Millis.P95 != 90 || r.Millis.P50 != 0 {
		t.Errorf("%+v", r.Millis)
	}
}

func TestPaintDrawsMaskTruthAndDrop(t *testing.T) {
	f, l := scene(0, mover{image.Rect(20, 30, 60, 70), 0, 0, red})
	p, err := newBrush()
	if err != nil {
		t.Fatal(err)
	}
	r := FrameResult{Frame: f, Got: []*seg.Mask{square(sceneW, sceneH, image.Rect(70, 30, 110, 70)), nil}, Truth: []*seg.Mask{l.Mask(1)}, Dropped: true}
	dst := frame.New(2, 2)
	if err := p.paint(&r, dst); err != nil {
		t.Fatal(err)
	}
	at := func(x, y int) []byte { return dst.Pix[y*dst.Stride()+3*x:][:3] }
	if !bytes.Equal(at(19, 50), []byte{255, 255, 255}) || !bytes.Equal(at(80, 1), []byte{0, 0, 220}) || bytes.Equal(at(90, 50), f.Pix[50*f.Stride()+270:][:3]) {
		t.Errorf("outline %v, bar %v, tint %v", at(19, 50), at(80, 1), at(90, 50))
	}
	if bytes.Equal(dst.Pix, f.Pix) || r.label(0) != "J 0.00" || (&FrameResult{}).label(1) != "object 2" {
		t.Error("labels")
	}
}

func TestVideoTableAndJSON(t *testing.T) {
	r := &VideoResult{Method: "segedge", Input: 320, Prompt: PromptMask, Realtime: 24, Mean: Score{0.5, 0.25, 0.375}, Millis: Millis{4, 8}, Dropped: 3,
		Sequences: map[string]Sequence{"dog": {Score: Score{0.5, 0.25, 0.375}, Millis: Millis{4, 8}, Dropped: 3}}}
	still := &VideoResult{Method: "nothing moves", Prompt: PromptMask, Mean: Score{1, 1, 1}, Sequences: map[string]Sequence{}}
	late := &VideoResult{Method: "late", Prompt: PromptMask, Delay: 2, Mean: Score{1, 1, 1}, Sequences: map[string]Sequence{}}
	var b strings.Builder
	if err := VideoTable(&b, []*VideoResult{r, still, late}); err != nil {
		t.Fatal(err)
	}
	want := `| method        | input | prompt |     fps |     J |     F |   J&F | p50 ms | p95 ms | dropped |  dog |
| ------------- | ----: | -----: | ------: | ----: | ----: | ----: | -----: | -----: | ------: | ---: |
| segedge       |   320 |   mask |      24 |  50.0 |  25.0 |  37.5 |    4.0 |    8.0 |       3 | 37.5 |
| nothing moves |       |   mask | offline | 100.0 | 100.0 | 100.0 |    0.0 |    0.0 |       0 |  0.0 |
| late          |       |   mask |  2 late | 100.0 | 100.0 | 100.0 |    0.0 |    0.0 |       0 |  0.0 |
`
	if b.String() != want {
		t.Errorf("\n%s\nwant\n%s", b.String(), want)
	}
	if err := VideoTable(&b, nil); err != nil {
		t.Error(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"mean":{"J":0.5,"F":0.25,"JF":0.375}`, `"sequences":{"dog":{"J":0.5,"F":0.25,"JF":0.375`, `"frame_ms":{"p50":4,"p95":8},"dropped":3`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s lacks %s", data, part)
		}
	}
}

func TestLabelledVideoNeedsItsFirstFrame(t *testing.T) {
	v := dataset.Video{Name: "x", Frames: []string{"none.jpg"}, Labels: []string{"none.png"}}
	if _, err := Video(t.Context(), VideoOptions{Videos: []dataset.Video{v}, Prompt: PromptMask, New: Still(nil)}); err == nil || !strings.Contains(err.Error(), "none.png") {
		t.Errorf("%v", err)
	}
}
