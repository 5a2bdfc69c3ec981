package eval

import (
	"errors"
	"image"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference/inferencetest"
)

func TestCompareRunsEveryMethodOnTheSameFrames(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{Tolerance: 40})
	var last string
	steps := 0
	o := VideoOptions{
		Videos: sequence(t, 5, mover{image.Rect(10, 20, 42, 52), 6, 2, red}), Prompt: PromptMask,
		Progress: func(done, total int, what string) {
			if steps++; done != steps || total != 10 {
				t.Errorf("step %d: %d of %d", steps, done, total)
			}
			last = what
		},
	}
	results, err := Compare(t.Context(), o, []Method{{"flow alone", FlowAlone(model, pureFlow)}, {"nothing moves", Still(model)}})
	if err != nil || len(results) != 2 || steps != 10 || last != "nothing moves: walk" {
		t.Fatalf("%d results, %v; %d steps, last %q", len(results), err, steps, last)
	}
	joined := WithBaselines(results)
	if joined.Method != "flow alone" || len(joined.Baselines) != 1 || joined.Baselines["nothing moves"].Mean.J >= joined.Mean.J || results[0].Baselines != nil {
		t.Errorf("%+v", joined)
	}
	if WithBaselines(nil) != nil {
		t.Error("nothing joined is nothing")
	}
	o.Progress = nil
	broken := func() (Follower, error) { return nil, errors.New("no tracker") }
	results, err = Compare(t.Context(), o, []Method{{"nothing moves", Still(model)}, {"broken", broken}})
	if err == nil || !strings.Contains(err.Error(), "broken") || len(results) != 1 {
		t.Errorf("%d results, %v", len(results), err)
	}
}
