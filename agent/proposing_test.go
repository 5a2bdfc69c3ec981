package agent

import (
	"context"
	"testing"
	"time"

	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/dataset/propose"
)

func TestSureMasksAreProposed(t *testing.T) {
	album := &album{}
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Collector = album })
	c := r.cameras.get("cam")
	var offered propose.Memory
	look := func() []collect.Sample {
		t.Helper()
		if err := r.proposeOf(t.Context(), c, &offered); err != nil {
			t.Fatal(err)
		}
		return album.take()
	}
	if err := r.proposeOf(t.Context(), c, &offered); err == nil {
		t.Error("before the first frame")
	}
	r.next(20)
	if got := look(); len(got) != 0 {
		t.Errorf("%d samples of nothing", len(got))
	}
	object := r.prompted(onSquare)
	r.do("confirm", `{"object":"`+object+`"}`)
	album.take()
	seq := r.next(20)
	got := look()
	if len(got) != 1 || got[0].Stage != collect.Semi || got[0].Frame.Seq != seq || len(got[0].Masks) != 1 {
		t.Fatalf("%+v", got)
	}
	if m := got[0].Masks[0]; m.Verdict != collect.Proposed || m.Track != object {
		t.Errorf("%s of %s", m.Verdict, m.Track)
	}
}

func TestProposingEnds(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Collector = &album{} })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Propose(ctx, time.Millisecond) }()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
}
