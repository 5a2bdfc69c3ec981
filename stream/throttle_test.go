package stream

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestShareFollowsTheLoss(t *testing.T) {
	for name, c := range map[string]struct {
		from share
		lost float64
		want share
	}{
		"none":         {0.5, 0, 0.525},
		"a little":     {0.5, 0.01, 0.525},
		"tolerable":    {0.5, 0.05, 0.5},
		"heavy":        {0.8, 0.2, 0.72},
		"everything":   {0.2, 1, minShare},
		"never over 1": {0.99, 0, 1},
	} {
		if got := c.from.after(c.lost); math.Abs(float64(got-c.want)) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	s, n := share(minShare), 0
	for ; s < 1; n++ {
		s = s.after(0)
	}
	if n > 45 {
		t.Errorf("%d reports until a path that is free again is used", n)
	}
}

func TestTheWorstViewerDecides(t *testing.T) {
	told := make(chan float64, 64)
	st := start(t, func(o *Options) {
		o.Throttle = func(camera string, share float64) {
			if camera == "cam" {
				select {
				case told <- share:
				default: // nobody listens any more
				}
			}
		}
	})
	next := func() float64 {
		select {
		case v := <-told:
			return v
		case <-time.After(patience):
			t.Fatal("the encoder was told nothing")
			return 0
		}
	}
	good, bad := newPeer(t, st, false).connect(), newPeer(t, st, false).connect()
	begin(good, time.Now())
	begin(bad, time.Now())
	report := func(p *peer, ssrc uint32, lost uint8) {
		r := &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ssrc, FractionLost: lost, Jitter: 900}, {SSRC: ssrc + 1, FractionLost: 255}}}
		if err := p.pc.WriteRTCP([]rtcp.Packet{r}); err != nil {
			t.Fatal(err)
		}
	}
	goodSSRC, badSSRC := uint32(take(t, "a track", good.ssrc)), uint32(take(t, "a track", bad.ssrc))
	report(bad, badSSRC, 128)
	if v := next(); math.Abs(v-0.75) > 0.002 {
		t.Errorf("share %v after half was lost, want 0.75", v)
	}
	report(good, goodSSRC, 0) // does not help the other
	report(bad, badSSRC, 128)
	if v := next(); math.Abs(v-0.5625) > 0.002 {
		t.Errorf("share %v, want 0.5625", v)
	}
	within(t, "the statistics tell", func() bool {
		for _, s := range st.Stats() {
			if s.Viewer == bad.id() && s.Loss == 0.5 && s.JitterMS == 10 && math.Abs(s.Share-0.5625) < 0.002 {
				return true
			}
		}
		return false
	})
	bad.close()
	if v := next(); v != 1 {
		t.Errorf("share %v after the bad viewer left, want 1", v)
	}
}
