package stream

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
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

func TestPathChangesOverAndBack(t *testing.T) {
	now := time.Unix(0, 0)
	var p path
	step := func(d time.Duration, lost float64, s share, want bool) {
		t.Helper()
		now = now.Add(d)
		if got := p.judge(now, lost, s); got != want {
			t.Errorf("after %v: low is %v", now.Sub(time.Unix(0, 0)), got)
		}
	}
	step(time.Second, 0.3, 0.7, false)
	step(time.Second, 0.3, 0.5, true)
	step(firstHold-time.Second, 0, 1, true) // not yet
	step(2*time.Second, 0, 1, false)        // it is tried again
	step(time.Second, 0.3, 0.5, true)       // in vain
	step(firstHold+time.Second, 0, 1, true) // so it takes longer
	step(firstHold, 0.03, 1, true)          // and loss begins it anew
	step(2*firstHold+time.Second, 0, 1, false)
	step(longHold+time.Second, 0.3, 0.5, true) // it lasted: no reason for patience
	step(firstHold, 0, 1, false)
}

func TestRequestsOfOneViewerAreBounded(t *testing.T) {
	r := requests()
	now, n := time.Unix(0, 0), 0
	for range 100 {
		if r.take(now, 1) {
			n++
		}
		now = now.Add(100 * time.Millisecond)
	}
	if n < 8 || n > 9 {
		t.Errorf("%d keyframes in 10 s", n)
	}
}

// said is what an encoder of a camera was told.
type said struct {
	rendition int
	share     float64
}

// One viewer that loses a third of its packets gets a smaller picture; the others keep theirs.
func TestABadPathSpoilsNobodysPicture(t *testing.T) {
	told := make(chan said, 64)
	st := start(t, func(o *Options) {
		o.Throttle = func(_ string, r int, share float64) { told <- said{r, share} }
	})
	good, bad := newPeer(t, st, false).connect(), newPeer(t, st, false).connect()
	begin(good, time.Now())
	take(t, "a track", bad.ssrc)
	v := st.viewer(bad.id())
	ssrc := v.sender.GetParameters().Encodings[0].SSRC
	report := func(lost uint8) {
		r := &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: uint32(ssrc), FractionLost: lost, Jitter: 900}, {SSRC: uint32(ssrc) + 1, FractionLost: 255}}}
		if err := bad.pc.WriteRTCP([]rtcp.Packet{r}); err != nil {
			t.Fatal(err)
		}
	}
	for range 8 {
		report(80) // 31 %
	}
	within(t, "the bad path is meant for the low rendition", func() bool { return v.aim.Load() == low })
	if !st.Wanted("cam", low) || !st.Wanted("cam", full) || st.Wanted("cam", common) {
		t.Error("the wrong renditions are wanted")
	}
	for len(told) > 0 {
		if s := <-told; s.rendition == full {
			t.Errorf("the others' encoder was told %+v", s)
		}
	}
	send := func(seq uint64, rendition int, key bool) {
		u := unit(seq, key, time.Now())
		u.Rendition = rendition
		st.Write("cam", u, nil)
	}
	for len(bad.packets) > 0 {
		<-bad.packets
	}
	send(2, low, false) // not before a keyframe
	send(2, full, false)
	within(t, "frame 2 is sent", func() bool { return v.traffic.units.Load() == 2 }) // a keyframe replaces what still waits
	send(3, low, true)
	send(3, full, false)
	send(4, full, false)
	send(4, low, false)
	within(t, "it changes over", func() bool { return v.history.has(4) && v.traffic.units.Load() >= 4 })
	within(t, "the statistics tell", func() bool {
		for _, s := range st.Stats() {
			if s.Viewer == bad.id() && s.Rendition == "low" {
				return s.JitterMS == 10 && s.Loss > 0.3
			}
		}
		return false
	})
	if n := v.traffic.units.Load(); n != 4 {
		t.Errorf("%d pictures were sent, want those of frames 1 and 2, and 3 and 4 in low", n)
	}
	g := st.viewer(good.id())
	within(t, "the good one gets everything", func() bool { return g.gets.Load() == full && g.history.has(4) })
	bad.close()
	within(t, "low is wanted no more", func() bool { return !st.Wanted("cam", low) })
}

// Alone, a viewer with a narrow path gets what it carries.
func TestTheOnlyViewerIsFollowed(t *testing.T) {
	told := make(chan said, 64)
	st := start(t, func(o *Options) {
		o.Throttle = func(_ string, r int, share float64) { told <- said{r, share} }
	})
	p := newPeer(t, st, false).connect()
	begin(p, time.Now())
	ssrc := uint32(take(t, "the track", p.ssrc))
	if err := p.pc.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ssrc, FractionLost: 128}}}}); err != nil {
		t.Fatal(err)
	}
	if s := take(t, "the share", told); s.rendition != full || math.Abs(s.share-0.75) > 0.002 {
		t.Errorf("%+v", s)
	}
	p.close()
	if s := take(t, "the share without it", told); s != (said{full, 1}) {
		t.Errorf("%+v", s)
	}
}

var profileID = regexp.MustCompile(`profile-level-id=\w+`)

// What is sent is of the level that the offer promises to take, or lower.
func TestLevelIsNegotiated(t *testing.T) {
	for level, want := range map[string]int{"1f": common, "28": full, "1e": low, "34": full} {
		t.Run(level, func(t *testing.T) {
			st := start(t, func(o *Options) { o.Level = func(string) int { return 40 } })
			p := newPeer(t, st, false)
			offer := profileID.ReplaceAllString(p.describe(), "profile-level-id=42e0"+level)
			resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, offer)
			if resp.StatusCode != http.StatusCreated {
				t.Fatalf("%s: %s", resp.Status, body)
			}
			v := st.viewer(resp.Header.Get("Location")[len("/whep/cam/"):])
			if got := int(v.aim.Load()); got != want {
				t.Errorf("rendition %d, want %d for level %d", got, want, v.level)
			}
		})
	}
}

// A picture whose level nobody knew before is not sent to who cannot take it.
func TestLevelThatTurnsOutTooHigh(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	v := st.viewer(p.id())
	u := unit(1, true, time.Now())
	u.Level = 40
	st.Write("cam", u, nil)
	if v.aim.Load() != common || len(v.queue.units) != 0 {
		t.Errorf("rendition %d, %d waiting", v.aim.Load(), len(v.queue.units))
	}
	u = unit(2, true, time.Now())
	u.Rendition, u.Level = common, 31
	st.Write("cam", u, nil)
	p.picture()
}

func TestOffersOfLowLevelsAreRefused(t *testing.T) {
	st := start(t)
	offer := offerOf(t, st)
	for id, want := range map[string]int{"42e00d": 406, "42e01e": 201, "42E01F": 201} {
		o := profileID.ReplaceAllString(offer, "profile-level-id="+id)
		if resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, o); resp.StatusCode != want {
			t.Errorf("%s: %s %s", id, resp.Status, body)
		}
	}
}

func TestPacketizationModeZeroIsRefused(t *testing.T) {
	st := start(t)
	offer := offerOf(t, st)
	for name, o := range map[string]string{
		"0":         strings.ReplaceAll(offer, "packetization-mode=1", "packetization-mode=0"),
		"none said": strings.ReplaceAll(offer, "packetization-mode=1;", ""),
	} {
		resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, o)
		if resp.StatusCode != http.StatusNotAcceptable || !strings.Contains(body, "packetization mode 1") {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
	}
}

// Offers that never connect take each other's place, not that of people.
func TestHalfOpenSessionsLockNobodyOut(t *testing.T) {
	st := start(t, func(o *Options) { o.MaxViewers = 3 })
	p := newPeer(t, st, false).connect()
	half := offerOf(t, st)
	for i := range 10 {
		if resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, half); resp.StatusCode != http.StatusCreated {
			t.Fatalf("offer %d: %s %s", i, resp.Status, body)
		}
	}
	newPeer(t, st, false).connect()
	newPeer(t, st, false).connect()
	if n := st.Viewers("cam"); n != 3 || !st.viewer(p.id()).connected.Load() {
		t.Errorf("%d viewers", n)
	}
	within(t, "nobody waits", func() bool { return st.waiting() == 0 })
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, half)
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s %s: all places are taken by people", resp.Status, body)
	}
	_, body = st.do(http.MethodGet, "/whep/cam", "", "")
	if want := fmt.Sprintf(`{"camera":"cam","connecting":0,"places":%d,"viewers":3}`, 3); strings.TrimSpace(body) != want {
		t.Errorf("%s, want %s", body, want)
	}
}

func TestWhoGoesFirst(t *testing.T) {
	s, err := New(Options{Service: newAgent()})
	if err != nil {
		t.Fatal(err)
	}
	st := start(t)
	rtc, config, _ := st.reserve("x")
	defer st.giveUp()
	add := func(id, client string, age time.Duration, everUp, connected bool) {
		v, err := s.newViewer("cam", false, rtc, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.pc.GracefulClose() })
		v.id, v.client, v.since = id, client, time.Now().Add(-age)
		if everUp {
			close(v.up)
		}
		v.connected.Store(connected)
		s.viewers[id] = v
	}
	add("person", "a", time.Hour, true, true)
	add("lost", "b", time.Minute, true, false)
	add("new", "c", 2*time.Second, false, false)
	add("flood1", "d", time.Second, false, false)
	add("flood2", "d", 1500*time.Millisecond, false, false)
	for _, want := range []string{"flood2", "new", "flood1", "lost"} {
		v := s.leastLikely()
		if v == nil || v.id != want && !(want == "flood1" && v.id == "new" || want == "new" && v.id == "flood1") {
			t.Fatalf("%+v goes, want %s", v, want)
		}
		v.cancel()
	}
	if v := s.leastLikely(); v != nil {
		t.Errorf("%s goes", v.id)
	}
}

// A viewer that draws the overlay itself gets the renditions without it, and keyframes are asked of those.
func TestAViewerThatDrawsItself(t *testing.T) {
	st := start(t)
	rtc, config, _ := st.reserve("x")
	defer st.giveUp()
	v, err := st.newViewer("cam", false, rtc, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.pc.GracefulClose() })
	v.clean = true
	v.connected.Store(true)
	st.mu.Lock()
	st.viewers["x"] = v
	st.mu.Unlock()
	defer func() {
		st.mu.Lock()
		delete(st.viewers, "x")
		st.mu.Unlock()
	}()
	if st.Wanted("cam", full) || !st.Wanted("cam", versions+full) {
		t.Error("the picture with the overlay is wanted")
	}
	key := Unit{Data: []byte{0, 0, 0, 1, 0x65}, Keyframe: true, Seq: 1, Level: 31}
	if v.take(key) || v.gets.Load() != none {
		t.Error("it takes the picture with the overlay")
	}
	key.Rendition = versions + full
	if v.take(key) || v.gets.Load() != full {
		t.Error("it does not take the picture without the overlay")
	}
	for query, status := range map[string]int{"?overlay=client": 201, "?overlay=agent": 201, "?overlay=me": 400} {
		if resp, body := st.do(http.MethodPost, "/whep/cam"+query, typeSDP, offerOf(t, st)); resp.StatusCode != status {
			t.Errorf("%s: %s %s", query, resp.Status, body)
		}
	}
}
