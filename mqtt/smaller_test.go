package mqtt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

// TestABrokerWhoseLimitBecomesSmaller under a running agent: what waits, and what comes, is said in fewer bytes, and nothing that can be is
// set aside. The first event is one that has got through before.
func TestABrokerWhoseLimitBecomesSmaller(t *testing.T) {
	for _, version := range []int{4, 5} {
		for _, away := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d, away %t", version, away), func(t *testing.T) {
				t.Parallel()
				m := startMosquitto(t, lossless)
				ears := listen(t, m.url(), "ears", "segedge/box/+/events")
				o := testOptions(t, m.url(), &agent{})
				o.Version, o.Service, o.MasksInterval = version, wide{&agent{}}, 20*time.Millisecond
				c, _ := start(t, o)
				const before, n = 3, 9
				for i := range before {
					c.Publish(ragged(i, 400, 300))
				}
				until(t, "the first are through", func() bool { return c.Stats().Outbox.Sent == before && unique(ears.events(t)) == before })
				m.kill()
				until(t, "the session ends", func() bool { return c.Ready() != nil })
				publish := func() {
					for i := before; i < n; i++ {
						c.Publish(ragged(i, 400, 300))
					}
				}
				if away {
					publish()
					until(t, "they wait", func() bool { return c.Stats().Outbox.Pending == n-before })
				}
				m.configure(lossless + "max_packet_size 3600\n")
				m.start()
				ears.connect(t, Connection{Broker: m.url(), ClientID: "ears"}, "segedge/box/+/events")
				if !away {
					publish()
				}
				until(t, "all are through", func() bool {
					return c.Stats().Outbox.Appended >= n && c.Stats().Outbox.Pending == 0 && ears.different(t, n) >= n
				})
				outlines := 0
				for _, e := range ears.events(t) {
					if e.Type == seg.EventsDropped {
						t.Errorf("%v is told as dropped", e.Details)
					}
					if e.Details["mask_reduced"] == maskOutline {
						outlines++
					}
				}
				if s := c.Stats(); s.Outbox.SetAside != 0 || outlines < n-before-1 {
					t.Errorf("%d outlines, %+v", outlines, s)
				}
			})
		}
	}
}

// TestALimitIsToldFromAMessage: one that ends the connection although larger ones got through is tried in fewer bytes. Where that gets
// through, the limit has become smaller; where it does not, it was the message, and what was known of the limit holds again.
func TestALimitIsToldFromAMessage(t *testing.T) {
	ends := func(s *suspects, size, times int) {
		for range times {
			if _, err := s.enter(t.Context(), "a", size, true); err != nil {
				t.Fatal(err)
			}
			s.ended(true, testTime)
		}
	}
	room := func(s *suspects, key string, want int) {
		t.Helper()
		if got := s.room(key, testTime); got != want {
			t.Errorf("%q has room for %d bytes, want %d", key, got, want)
		}
	}
	for what, then := range map[string]func(*suspects){
		"gets through in fewer bytes": func(s *suspects) {
			_, _ = s.enter(t.Context(), "a", 2500, true)
			s.through("a", true)
			room(s, "", 2500)
			room(s, "a", 2500)
		},
		"cannot be said in still fewer": func(s *suspects) {
			s.acquit("a")
			room(s, "", mostBytes)
		},
		"does not get through in few": func(s *suspects) {
			ends(s, leastLimit-100, condemnAfter)
			if !s.isCondemned("a") {
				t.Error("it is sent for ever")
			}
			room(s, "", mostBytes)
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSuspects()
			_, _ = s.enter(t.Context(), "b", 20_000, true)
			s.through("b", true)
			ends(s, 5000, careAfter+condemnAfter)
			room(s, "a", 3750)
			room(s, "", leastLimit)
			ends(s, 3700, condemnAfter)
			room(s, "a", 2775)
			then(s)
		})
	}
}

// TestABrokerOfFewBytes takes hardly an event: each is said in as few as there are, and none is set aside.
func TestABrokerOfFewBytes(t *testing.T) {
	for _, version := range []int{4, 5} {
		for _, limit := range []string{"800", "650"} {
			t.Run(fmt.Sprintf("%d, %s", version, limit), func(t *testing.T) {
				t.Parallel()
				m := limited(t, limit)
				ears := listen(t, m.url(), "ears", "segedge/box/+/events")
				o := testOptions(t, m.url(), &agent{})
				o.Version = version
				c, _ := start(t, o)
				const n = 9
				for i := range n {
					e := ragged(i, 400, 300)
					before := *e.After
					before.State, before.Mask = seg.Uncertain, nil
					e.Type, e.Before, e.After.Prompt = seg.ObjectUpdated, &before, strings.Repeat("cup ", i)
					c.Publish(e)
				}
				until(t, "all are through", func() bool {
					return c.Stats().Outbox.Appended >= n && c.Stats().Outbox.Pending == 0 && ears.different(t, n) >= n
				})
				for _, e := range ears.events(t) {
					if e.Details["mask_reduced"] == nil || e.After.ID == "" || e.After.Mask != nil {
						t.Errorf("%s: %v, %+v", e.EventID, e.Details, e.After)
					}
				}
				if s := c.Stats(); s.Outbox.SetAside != 0 || unique(ears.events(t)) != n {
					t.Errorf("%d different events, %+v", unique(ears.events(t)), s)
				}
			})
		}
	}
}
