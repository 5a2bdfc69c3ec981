package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/video"
)

// A sink that is at its last picture when the agent ends may be asked for a keyframe, which looks the sink up.
func TestASinkLooksItselfUpWhileItIsJoined(t *testing.T) {
	p := &pictures{}
	p.put("a", &video.Sink{}, false)
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

// A machine that stands back leaves pictures out for those who watch; a recording is whole.
func TestARecordingIsWholeOnAMachineThatStandsBack(t *testing.T) {
	for recorded, want := range map[bool]uint64{true: 6, false: 3} {
		synctest.Test(t, func(t *testing.T) {
			s, err := video.New(video.Options{
				NewEncoder: func(video.Format) (video.Encoder, error) { return oneByte{}, nil },
				Convert:    func(*video.Picture, []byte) error { return nil },
				Out:        func(video.Unit, []seg.Object) {},
				Wanted:     func(r video.Rendition) bool { return r == video.Full },
				Logger:     slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			p := &pictures{}
			p.spare(true)
			p.put("a", s, recorded)
			g := supervise.NewGroup(context.WithoutCancel(t.Context()))
			g.Run("sink", s.Run)
			defer g.Stop() //nolint:errcheck // it ends as it is told
			pool := frame.NewPool(4)
			for range 6 {
				synctest.Wait()
				f := pool.Get()
				f.Resize(16, 16)
				s.Show(f, nil)
				f.Release()
			}
			synctest.Wait()
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
			if units := s.Stats().Units; units != want {
				t.Errorf("recorded %t: %d of 6 pictures, want %d", recorded, units, want)
			}
		})
	}
}

// oneByte is an encoder whose pictures are a byte.
type oneByte struct{}

func (oneByte) Encode(*video.Picture, bool) ([]byte, bool, error) { return []byte{1}, true, nil }
func (oneByte) Close() error                                      { return nil }
