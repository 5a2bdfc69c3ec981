package main

import (
	"context"
	"testing"
	"time"

	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/video"
)

// A sink that is at its last picture when the agent ends may be asked for a keyframe, which looks the sink up.
func TestASinkLooksItselfUpWhileItIsJoined(t *testing.T) {
	p := &pictures{}
	p.put("a", &video.Sink{})
	p.drop("a") //nolint:errcheck // there is nothing to stop
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	g := supervise.NewGroup(context.WithoutCancel(ctx))
	g.Run("a", func(ctx context.Context) error {
		<-ctx.Done()
		p.sink("a")
		return nil
	})
	p.groups["a"] = g
	cancel()
	go func() { ended <- p.run(ctx) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the sinks were never joined")
	}
}
