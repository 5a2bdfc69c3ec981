package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// begin writes keyframes until the viewer's first picture has arrived, and gives its time.
func begin(p *peer, at time.Time) uint32 {
	p.t.Helper()
	p.st.Write("cam", unit(1, true, at), nil)
	rtp, kinds := p.picture()
	if !bytes.Contains(kinds, []byte{24}) || !bytes.Contains(kinds, []byte{28}) {
		p.t.Fatalf("packet types %v, want the parameter sets together (24) and the slice in parts (28)", kinds)
	}
	return rtp
}

func TestViewerReceivesVideo(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	if camera := take(t, "a request for a keyframe", st.keys); camera != "cam" || st.Viewers("cam") != 1 || st.Viewers("off") != 0 {
		t.Errorf("keyframe asked of %q, %d viewers", camera, st.Viewers("cam"))
	}
	now := time.Now()
	st.Write("off", unit(99, true, now), nil)
	first := begin(p, now)
	st.Write("cam", unit(2, false, now.Add(40*time.Millisecond)), nil)
	second, kinds := p.picture()
	if second-first != 3600 || bytes.Contains(kinds, []byte{24}) {
		t.Errorf("second picture %d ticks later of packets %v", second-first, kinds)
	}
	// What was on the screen is the frame that was sent.
	for rtp, want := range map[uint32]uint64{first: 1, second: 2, second - 1: 2} {
		if seq, ok := st.FrameAt(p.id(), rtp); !ok || seq != want {
			t.Errorf("frame at %d is %d, %v; want %d", rtp, seq, ok, want)
		}
	}
	if _, ok := st.FrameAt(p.id(), second+90000); ok {
		t.Error("a picture that was never sent has a frame")
	}
	if _, ok := st.FrameAt("nobody", first); ok {
		t.Error("a viewer that never was saw a frame")
	}
	within(t, "the statistics tell", func() bool {
		s := st.Stats()
		return len(s) == 1 && s[0].Units == 2 && s[0].State == "connected" && s[0].Bytes > 0
	})
}

func TestPLIForcesAKeyframe(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	begin(p, time.Now())
	for len(st.keys) > 0 {
		<-st.keys
	}
	ssrc := uint32(take(t, "the track", p.ssrc))
	for _, report := range []rtcp.Packet{
		&rtcp.PictureLossIndication{MediaSSRC: ssrc},
		&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc}}},
	} {
		if err := p.pc.WriteRTCP([]rtcp.Packet{report}); err != nil {
			t.Fatal(err)
		}
		take(t, fmt.Sprintf("the keyframe that %T asks for", report), st.keys)
	}
}

func TestLostPacketsAreSentAgain(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	st.Write("cam", unit(1, true, time.Now()), nil)
	first := take(t, "a packet", p.packets)
	for k := first; !k.marker; k = take(t, "the picture's last packet", p.packets) {
	}
	nack := &rtcp.TransportLayerNack{MediaSSRC: uint32(take(t, "the track", p.ssrc)), Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{first.seq})}
	if err := p.pc.WriteRTCP([]rtcp.Packet{nack}); err != nil {
		t.Fatal(err)
	}
	// The receiver looks at the repair stream between two packets of the other.
	next := uint64(2)
	within(t, "the packet is sent again", func() bool {
		st.Write("cam", unit(next, false, time.Now()), nil)
		next++
		for len(p.packets) > 0 {
			if k := <-p.packets; k.seq == first.seq {
				return k.time == first.time
			}
		}
		return false
	})
}

func TestNothingBeforeTheFirstKeyframe(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	for seq := range uint64(5) {
		st.Write("cam", unit(seq, false, time.Now()), nil)
	}
	begin(p, time.Now())
	within(t, "5 dropped, 1 sent", func() bool { s := st.Stats(); return s[0].Dropped == 5 && s[0].Units == 1 })
}

func TestTCP(t *testing.T) {
	st := start(t, func(o *Options) { o.TCP = "127.0.0.1:0" })
	p := newPeer(t, st, true).connect()
	begin(p, time.Now())
	pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair.Remote.Protocol != webrtc.ICEProtocolTCP {
		t.Errorf("pair %v, %v", pair, err)
	}
}

func TestCommandsOverTheDataChannel(t *testing.T) {
	st := start(t)
	p := newPeer(t, st, false).connect()
	hello := p.message("hello")
	if string(hello["viewer"]) != `"`+p.id()+`"` || string(hello["camera"]) != `"cam"` || string(hello["clock_rate"]) != "90000" {
		t.Errorf("hello %s", hello)
	}
	rtp := begin(p, time.Now())
	for name, c := range map[string]struct{ in, want string }{
		"done":           {`{"verb":"clear","id":"1"}`, `{"camera":"cam","verb":"clear"}`},
		"unknown verb":   {`{"verb":"fly","id":"2"}`, "unknown_verb"},
		"no verb":        {`{"id":"3"}`, "unknown_verb"},
		"verb no string": {`{"verb":1}`, "bad_json"},
		"not JSON":       {`{"verb"`, "bad_json"},
		"not an object":  {`[1]`, "bad_json"},
		"unknown field":  {`{"verb":"clear","id":"4","speed":3}`, "speed"},
	} {
		p.say(c.in)
		r := p.message("reply")
		if all, _ := json.Marshal(r); !strings.Contains(string(all), c.want) {
			t.Errorf("%s: %s", name, all)
		}
	}
	for name, c := range map[string]struct {
		viewer string
		time   uint32
		frame  uint64
	}{
		"own picture":       {"", rtp, 1},
		"named viewer":      {p.id(), rtp, 1},
		"picture long gone": {"", rtp - 5_000_000, 0},
		"other viewer":      {"someone", rtp, 0},
	} {
		cmd := map[string]any{"verb": "prompt", "id": name, "points": []seg.Click{{Point: seg.Point{X: 0.5, Y: 0.5}, Label: 1}}, "rtp_time": c.time}
		if c.viewer != "" {
			cmd["viewer"] = c.viewer
		}
		b, _ := json.Marshal(cmd)
		p.say(string(b))
		if r := p.message("reply"); string(r["ok"]) != "true" {
			t.Fatalf("%s: %s", name, r)
		}
		got := st.agent.last(t).Body.(*api.Prompt)
		if got.Frame != c.frame || got.RTPTime == nil {
			t.Errorf("%s: frame %d, time %v", name, got.Frame, got.RTPTime)
		}
	}
}

func TestCommandsAreBoundedAndInOrder(t *testing.T) {
	st := start(t)
	st.agent.hold = make(chan struct{})
	p := newPeer(t, st, false).connect()
	const n = commandQueue + 5
	for i := range n {
		b, _ := json.Marshal(map[string]any{"verb": "clear", "id": string(rune('a' + i))})
		p.say(string(b))
	}
	refused := 0
	for range n - commandQueue - 1 { // one is being carried out
		if r := p.message("reply"); bytes.Contains(r["error"], []byte("overloaded")) {
			refused++
		}
	}
	close(st.agent.hold)
	last := ""
	for range n - refused {
		id := string(p.message("reply")["id"])
		if id <= last {
			t.Errorf("%s after %s", id, last)
		}
		last = id
	}
	if refused != n-commandQueue-1 {
		t.Errorf("%d refused", refused)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestICERestart(t *testing.T) {
	st := start(t)
	// Without a data channel: this client's stack, unlike a browser's, ends the connection when it has something to say on
	// one while there is no path.
	p := newWatcher(t, st, false).connect()
	begin(p, time.Now())
	offer, err := p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	take(t, "the candidates", gathered)
	frag := fragmentOf(p.pc.LocalDescription().SDP)
	resp, body := st.do(http.MethodPatch, p.location, typeFragment, frag, "If-Match", "*")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("ETag") == p.etag || resp.Header.Get("Content-Type") != typeFragment {
		t.Fatalf("%s %v: %s", resp.Status, resp.Header, body)
	}
	f, err := parseFragment([]byte(body))
	if err != nil || f.ufrag == "" || f.pwd == "" || len(f.candidates) == 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	answer, err := restartOffer(p.pc.CurrentRemoteDescription().SDP, f)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	within(t, "connected again", func() bool {
		v := st.viewer(p.id())
		return v != nil && v.connected.Load() && p.pc.ICEConnectionState() == webrtc.ICEConnectionStateConnected
	})
	for len(p.packets) > 0 {
		<-p.packets
	}
	within(t, "video after the restart", func() bool {
		st.Write("cam", unit(5, true, time.Now()), nil)
		return len(p.packets) > 0
	})
	old, _ := st.do(http.MethodPatch, p.location, typeFragment, "a=end-of-candidates\r\n", "If-Match", p.etag)
	if old.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("the old ETag: %s", old.Status)
	}
}

func TestViewersAreBounded(t *testing.T) {
	st := start(t, func(o *Options) { o.MaxViewers = 1 })
	p := newPeer(t, st, false).connect()
	q := newPeer(t, st, false)
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, q.describe())
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "overloaded") {
		t.Fatalf("%s %s", resp.Status, body)
	}
	if resp, _ := st.do(http.MethodDelete, p.location, "", ""); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	within(t, "the place is free", func() bool { return len(st.Stats()) == 0 })
	if resp, _ := st.do(http.MethodDelete, p.location, "", ""); resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	newPeer(t, st, false).connect()
}

// More cameras have more places, at once; with fewer who watches stays.
func TestPlacesFollowTheCameras(t *testing.T) {
	st := start(t, func(o *Options) { o.MaxViewers = 1 })
	newPeer(t, st, false).connect()
	st.SetPlaces(2)
	newPeer(t, st, false).connect()
	st.SetPlaces(1)
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, newPeer(t, st, false).describe())
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "all 1 places") || st.Viewers("cam") != 2 {
		t.Errorf("%s %s, %d watch", resp.Status, body, st.Viewers("cam"))
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Run("the viewer leaves", func(t *testing.T) {
		st := start(t)
		p := newPeer(t, st, false).connect()
		p.close()
		within(t, "the session is gone", func() bool { return len(st.Stats()) == 0 })
	})
	t.Run("the viewer never connects", func(t *testing.T) {
		st := start(t, func(o *Options) { o.ConnectTimeout = 50 * time.Millisecond })
		p := newPeer(t, st, false)
		resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, p.describe())
		if resp.StatusCode != http.StatusCreated {
			t.Fatal(body)
		}
		within(t, "the session is gone", func() bool { return len(st.Stats()) == 0 })
	})
	t.Run("the server stops", func(t *testing.T) {
		st := start(t)
		p := newPeer(t, st, false).connect()
		st.stop()
		p.reach(webrtc.PeerConnectionStateClosed)
		if len(st.Stats()) != 0 {
			t.Error("a viewer is left")
		}
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	st := start(t)
	var peers []*peer
	for range 3 {
		p := newPeer(t, st, false).connect()
		begin(p, time.Now())
		p.message("hello")
		peers = append(peers, p)
	}
	peers[0].close()
	st.stop()
	for _, p := range peers[1:] {
		p.close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	end := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}
