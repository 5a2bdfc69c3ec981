package agent

import (
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// A prompt given at start waits while there is nothing to be seen: on black it would make an object of half the picture.
func TestStandingPromptsWaitForSomethingToSee(t *testing.T) {
	r := newRig(t, func(_ *Options, co *CameraOptions) {
		co.Prompts = []pipeline.Request{{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.3, Y: 0.5}, Label: seg.Positive}}}}}
	})
	r.film.dark.Store(true)
	for range 5 {
		r.next(40)
	}
	if s, _ := r.State("cam"); s.Scene != frame.SceneDark.String() || s.State != api.Running || s.Objects != 0 {
		t.Errorf("in the dark: %+v", s)
	}
	if e := r.diary.await(t, seg.CameraScene); e.Details["scene"] != "dark" || e.Details["was"] != "ok" || e.Frame.Seq != 1 {
		t.Errorf("%+v", e)
	}
	if n := r.diary.count(seg.ObjectNew); n != 0 {
		t.Errorf("%d objects were made of the dark", n)
	}
	r.film.dark.Store(false)
	found := make(chan seg.Event, 1)
	go func() { found <- r.diary.await(t, seg.ObjectNew) }()
	for {
		select {
		case e := <-found:
			if e.After.Mask.Area() > 0.2 {
				t.Errorf("the object is %.2f of the picture", e.After.Mask.Area())
			}
			if s, _ := r.State("cam"); s.Scene != frame.SceneOK.String() {
				t.Errorf("by day: %+v", s)
			}
			return
		default:
			r.next(40)
		}
	}
}
