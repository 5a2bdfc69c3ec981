package eval

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// halves is a classical method that always gives the left half of the picture, and notes what it was asked.
type halves struct{ asked []string }

func (h *halves) Segment(f *frame.Frame, p seg.Prompt) (*seg.Mask, error) {
	h.asked = append(h.asked, p.Summary())
	if p.Box != nil {
		return nil, nil
	}
	return square(f.Width, f.Height, image.Rect(0, 0, f.Width/2, f.Height)), nil
}

func TestNextClickGoesWhereTheErrorIsDeepest(t *testing.T) {
	truth := square(100, 100, image.Rect(20, 20, 61, 61))
	for name, c := range map[string]struct {
		got   *seg.Mask
		want  seg.Click
		wrong bool
	}{
		"nothing found": {&seg.Mask{W: 100, H: 100}, seg.Click{Point: seg.Point{X: 0.405, Y: 0.405}, Label: seg.Positive}, true},
		"too much":      {square(100, 100, image.Rect(20, 20, 92, 61)), seg.Click{Point: seg.Point{X: 0.765, Y: 0.355}, Label: seg.Negative}, true},
		"right":         {truth, seg.Click{Point: seg.Point{X: 0.5, Y: 0.5}, Label: seg.Positive}, false},
	} {
		if got, wrong := NextClick(c.got, truth); got != c.want || wrong != c.wrong {
			t.Errorf("%s: %+v, %v; want %+v", name, got, wrong, c.want)
		}
	}
}

// TestClicksCarryOn measures a red square of which the model finds what is near the clicks.
func TestClicksCarryOn(t *testing.T) {
	items := pictures(t, []mover{{image.Rect(40, 30, 100, 90), 0, 0, red}})
	var asked []string
	model := inferencetest.New(inferencetest.Options{Disc: 25, Decode: func(_ context.Context, p []seg.Prompt) error {
		asked = append(asked, p[0].Summary())
		return nil
	}})
	base := &halves{}
	r, err := Clicks(t.Context(), ClicksOptions{Items: items, Segmenter: model, Method: "discs", Clicks: 6, Baseline: base})
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != 1 || r.Objects != 1 || len(r.MIoU) != 6 || model.Embeds() != 1 || model.Live() != 0 {
		t.Errorf("%+v; %d embeddings made, %d open", r, model.Embeds(), model.Live())
	}
	if want := math.Pi * 25 * 25 / 3600; math.Abs(r.MIoU[0]-want) > 0.02 {
		t.Errorf("mIoU %v, want the first %.3f", r.MIoU, want)
	}
	if want := "point; 2 points, mask; 3 points, mask; 4 points, mask; 5 points, mask; 6 points, mask; box"; strings.Join(asked, "; ") != want {
		t.Errorf("asked %q", asked)
	}
	if r.Oracle1 != r.MIoU[0] || r.NoC90 != 6 {
		t.Errorf("oracle %v, clicks to .90 %v", r.Oracle1, r.NoC90)
	}
	if !slices.Equal(base.asked, []string{"point", "box"}) || *r.BaselineBox != 0 || math.Abs(*r.BaselineClick-2400.0/(9600+1200)) > 1e-9 {
		t.Errorf("baseline asked %v, %v and %v", base.asked, *r.BaselineClick, *r.BaselineBox)
	}
}

func TestClicksOfAPerfectModel(t *testing.T) {
	items := pictures(t,
		[]mover{{image.Rect(10, 10, 30, 30), 0, 0, red}, {image.Rect(60, 40, 150, 100), 0, 0, blue}, {image.Rect(100, 5, 104, 9), 0, 0, blue}},
		nil,
		[]mover{{image.Rect(40, 30, 80, 60), 0, 0, red}})
	seen := 0
	model := inferencetest.New(inferencetest.Options{Tolerance: 40})
	r, err := Clicks(t.Context(), ClicksOptions{Items: items, Segmenter: model, Method: "exact", Clicks: 3,
		Progress: func(done, total int) {
			if seen++; done != seen || total != 3 {
				t.Errorf("progress %d of %d", done, total)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Objects != 3 || r.Images != 2 || r.MIoU[0] < 0.93 || r.Box < 0.93 || r.NoC85 != 1 || r.BaselineClick != nil {
		t.Errorf("%+v", r)
	}
	if r.Sets["set0"].Objects != 3 || r.Sizes["medium"].Objects != 2 || r.Sizes["large"].Objects != 1 {
		t.Errorf("sets %+v, sizes %+v", r.Sets, r.Sizes)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"miou":[`, `"oracle1":`, `"noc85":1,`, `"noc90":`, `"images":2,`} {
		if !bytes.Contains(data, []byte(key)) {
			t.Errorf("%s lacks %s", data, key)
		}
	}
}

// sized is a classical method that notes the size of its pictures.
type sized struct {
	mu   sync.Mutex
	seen map[image.Point]int
}

func (s *sized) Segment(f *frame.Frame, _ seg.Prompt) (*seg.Mask, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[image.Pt(f.Width, f.Height)]++
	return square(f.Width, f.Height, image.Rect(0, 0, f.Width/2, f.Height)), nil
}

// TestClicksAreTheSameByManyHands measures pictures one by one and several at a time.
func TestClicksAreTheSameByManyHands(t *testing.T) {
	var scenes [][]mover
	for i := range 9 {
		scenes = append(scenes, []mover{{image.Rect(9*i, 10, 9*i+60, 70), 0, 0, red}, {image.Rect(100, 80, 120+i, 110), 0, 0, blue}})
	}
	items := pictures(t, scenes...)
	var one string
	for _, workers := range []int{1, 2, 5} {
		base, done := &sized{seen: map[image.Point]int{}}, 0
		r, err := Clicks(t.Context(), ClicksOptions{
			Items: items, Segmenter: inferencetest.New(inferencetest.Options{Disc: 12, Side: 80}), Clicks: 3, Workers: workers, Baseline: base,
			Progress: func(n, _ int) {
				if done++; n != done {
					t.Errorf("picture %d came as number %d", n, done)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if one = cmp.Or(one, string(data)); one != string(data) {
			t.Errorf("%d workers: %s, alone %s", workers, data, one)
		}
		if r.Input != 80 || len(base.seen) != 1 || base.seen[image.Pt(80, 60)] != 36 {
			t.Errorf("the model's side is %d, the baseline saw %v", r.Input, base.seen)
		}
	}
	base := &sized{seen: map[image.Point]int{}}
	r, err := Clicks(t.Context(), ClicksOptions{
		Items: items, Segmenter: inferencetest.New(inferencetest.Options{Disc: 12, Side: 80}), Clicks: 1, Baseline: base, FullBaseline: true,
	})
	if err != nil || r.BaselineInput != sceneW || base.seen[image.Pt(sceneW, sceneH)] != 36 {
		t.Errorf("whole pictures: %+v saw %v, %v", r, base.seen, err)
	}
}

func TestChooseTakesObjectsEvenlyOverTheirSizes(t *testing.T) {
	var masks []*seg.Mask
	for _, n := range []int{7, 3, 1, 5, 2, 6, 4} {
		masks = append(masks, square(10, 10, image.Rect(0, 0, n, 1)))
	}
	for want, o := range map[string]ClicksOptions{
		"2 4 7":       {PerImage: 3, Smallest: 0.02}, // 2 3 4 5 6 7 are large enough
		"2 3 4 5 6 7": {PerImage: -1, Smallest: 0.02},
		"1":           {PerImage: 1, Smallest: 0.01},
		"6 7":         {PerImage: 3, Smallest: 0.06},
		"":            {PerImage: 3, Smallest: 0.5},
	} {
		var got []string
		for _, m := range o.choose(masks) {
			got = append(got, fmt.Sprint(m.Count()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v: %v, want %s", o, got, want)
		}
	}
}

func TestLimitIsBySet(t *testing.T) {
	items := []dataset.Item{{Set: "a", Name: "1"}, {Set: "b", Name: "2"}, {Set: "a", Name: "3"}, {Set: "b", Name: "4"}}
	if got := limited(items, 1); len(got) != 2 || got[1].Name != "2" {
		t.Errorf("%+v", got)
	}
	if got := limited(items, 0); len(got) != 4 {
		t.Errorf("no limit: %+v", got)
	}
}

func TestClicksFail(t *testing.T) {
	items := pictures(t, []mover{{image.Rect(40, 30, 80, 60), 0, 0, red}})
	broken := errors.New("broken")
	failing := func(box bool) inference.Segmenter {
		return inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, p []seg.Prompt) error {
			if (p[0].Box != nil) == box {
				return broken
			}
			return nil
		}})
	}
	for want, o := range map[string]ClicksOptions{
		"a model and 1 to 64": {Items: items},
		"64 clicks":           {Items: items, Segmenter: inferencetest.New(inferencetest.Options{}), Clicks: 65},
		"large enough":        {Items: items, Segmenter: inferencetest.New(inferencetest.Options{}), Smallest: 0.9},
		"set0_0000: decode":   {Items: items, Segmenter: failing(false)},
		"decode: broken":      {Items: items, Segmenter: failing(true)},
		"none.jpg":            {Items: []dataset.Item{{Image: "none.jpg"}}, Segmenter: failing(true)},
	} {
		if _, err := Clicks(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Clicks(ctx, ClicksOptions{Items: items, Segmenter: failing(true)}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	unsupported := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, p []seg.Prompt) error {
		if p[0].Box != nil {
			return &inference.UnsupportedError{Family: "x", Kind: "boxes"}
		}
		return nil
	}})
	if r, err := Clicks(t.Context(), ClicksOptions{Items: items, Segmenter: unsupported}); err != nil || r.Box != 0 {
		t.Errorf("a family without boxes: %+v, %v", r, err)
	}
}

func TestSheet(t *testing.T) {
	var scenes [][]mover
	for i := range 7 {
		scenes = append(scenes, []mover{{image.Rect(10*i, 10, 10*i+60, 70), 0, 0, red}})
	}
	r, err := Clicks(t.Context(), ClicksOptions{Items: pictures(t, scenes...), Segmenter: inferencetest.New(inferencetest.Options{Disc: 12}), Clicks: 1, Cases: 5})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.worst) != 3 || len(r.best) != 4 || r.worst[0].iou > r.worst[1].iou || r.best[0].iou < r.best[1].iou || r.best[0].iou < r.worst[2].iou {
		t.Errorf("%d worst, %d best", len(r.worst), len(r.best))
	}
	var b bytes.Buffer
	if err := r.Sheet(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil || img.Bounds().Dx() < 3*sceneW || img.Bounds().Dy() < 2*sceneH {
		t.Errorf("%v, %v", img.Bounds(), err)
	}
	if err := (&ClicksResult{}).Sheet(&b); err == nil {
		t.Error("a sheet of nothing")
	}
}

func TestClicksTable(t *testing.T) {
	v := 0.25
	a := Answers{Objects: 4, MIoU: []float64{0.5, 0.75}, Oracle1: 0.6, NoC85: 1.5, NoC90: 2, Box: 0.7, BaselineClick: &v, BaselineBox: &v}
	r := &ClicksResult{Method: "segedge", Input: 320, BaselineInput: 640, Images: 2, Answers: a, Sets: map[string]Answers{"davis": a}, Sizes: map[string]Answers{"small": a}}
	var b strings.Builder
	if err := ClicksTable(&b, []*ClicksResult{r}); err != nil {
		t.Fatal(err)
	}
	want := `| method  | input |  data | objects | 1 click | 2 clicks | best of its masks | NoC@85 | NoC@90 |  box |
| ------- | ----: | ----: | ------: | ------: | -------: | ----------------: | -----: | -----: | ---: |
| segedge |   320 |   all |       4 |    50.0 |     75.0 |              60.0 |   1.50 |   2.00 | 70.0 |
| segedge |   320 | small |       4 |    50.0 |     75.0 |              60.0 |   1.50 |   2.00 | 70.0 |
| GrabCut |   640 |   all |       4 |    25.0 |          |                   |        |        | 25.0 |
| GrabCut |   640 | small |       4 |    25.0 |          |                   |        |        | 25.0 |
`
	if b.String() != want {
		t.Errorf("\n%s\nwant\n%s", b.String(), want)
	}
	if err := ClicksTable(&b, nil); err != nil {
		t.Error(err)
	}
}

// clicksOnly is a model that takes positive points alone, six at most, as EfficientSAM does.
type clicksOnly struct{ *inferencetest.Segmenter }

func (clicksOnly) Info() inference.Info {
	return inference.Info{Name: "clicks", Family: "efficientsam", Kinds: inference.Kinds{Points: true, Box: true}}
}

// TestAFamilyWithoutMaskPromptsIsMeasured: it is asked with clicks alone, and what it takes no more leaves the score as it was.
func TestAFamilyWithoutMaskPromptsIsMeasured(t *testing.T) {
	items := pictures(t, []mover{{image.Rect(40, 30, 100, 90), 0, 0, red}, {image.Rect(100, 20, 150, 60), 0, 0, blue}})
	model := clicksOnly{inferencetest.New(inferencetest.Options{Disc: 25, Decode: func(_ context.Context, ps []seg.Prompt) error {
		for _, p := range ps {
			if p.Mask != nil || len(p.Clicks) > 6 || slices.ContainsFunc(p.Clicks, func(c seg.Click) bool { return c.Label == seg.Negative }) {
				return &inference.UnsupportedError{Family: "efficientsam", Kind: p.Summary()}
			}
		}
		return nil
	}})}
	r, err := Clicks(t.Context(), ClicksOptions{Items: items, Segmenter: model, Method: "clicks", Clicks: 8})
	if err != nil {
		t.Fatal(err)
	}
	if r.Objects != 2 || len(r.MIoU) != 8 || r.MIoU[7] != r.MIoU[5] || r.MIoU[3] == r.MIoU[0] {
		t.Errorf("%+v", r)
	}
}
