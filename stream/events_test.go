package stream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/seg"
)

func TestEventsAreTold(t *testing.T) {
	st := start(t)
	say := func(n seg.ID, kind seg.EventType) {
		st.Event(seg.Event{Camera: "cam", Type: kind, Time: time.Unix(int64(n), 0), After: &seg.Object{ID: n, Name: "cup"}, Details: map[string]any{"zone": "desk"}})
	}
	for n := range seg.ID(newsKept + 20) {
		say(n+1, seg.ZoneEntered)
	}
	say(999, seg.ObjectUpdated) // what the lists tell of
	p := newPeer(t, st, false).connect()
	m := p.message("events")
	if n := strings.Count(string(m["events"]), "zone.entered"); n != newsKept || strings.Contains(string(m["events"]), "cam-999") {
		t.Errorf("%d events of the past", n)
	}
	if want := fmt.Sprintf(`"object":{"id":"cam-%d","name":"cup","state":"tentative"}`, newsKept+20); !strings.Contains(string(m["events"]), want) || strings.Contains(string(m["events"]), `"cam-20"`) {
		t.Errorf("not the newest: %s", m["events"])
	}
	say(500, seg.ObjectLost)
	for !strings.Contains(string(m["events"]), "object.lost") {
		m = p.message("events")
	}
	if !strings.Contains(string(m["events"]), `"cam-500"`) || !strings.Contains(string(m["events"]), `"zone":"desk"`) {
		t.Errorf("%s", m["events"])
	}
	st.Event(seg.Event{Camera: "cam", Type: seg.CameraStalled, Details: map[string]any{"reason": func() {}}}) // is left out
}

// A camera that has been taken away takes its viewers with it, and is forgotten.
func TestACameraGoes(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	begin(p, time.Now())
	st.Event(seg.Event{Camera: "cam", Type: seg.CameraStalled})
	st.agent.mu.Lock()
	st.agent.gone = true
	st.agent.mu.Unlock()
	p.reach(webrtc.PeerConnectionStateClosed)
	within(t, "nothing is left of it", func() bool {
		st.listings.mu.Lock()
		defer st.listings.mu.Unlock()
		return len(st.Stats()) == 0 && len(st.recent("cam")) == 0 && len(st.listings.newest) == 0
	})
}
