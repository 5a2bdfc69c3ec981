package stream

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// vp8Peer is a client that takes nothing but VP8.
func vp8Peer(t *testing.T, st *station) *peer {
	t.Helper()
	p := newPeer(t, st, false)
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, PayloadType: 96}
	if err := p.pc.GetTransceivers()[0].SetCodecPreferences([]webrtc.RTPCodecParameters{codec}); err != nil {
		t.Fatal(err)
	}
	return p
}

// Who takes only VP8 gets the rendition in VP8, packed as RFC 7741 says, and nothing else.
func TestVP8(t *testing.T) {
	var asked []int
	st := start(t, func(o *Options) {
		o.VP8 = func() error { return nil }
		o.RequestKeyframe = func(_ string, r int) { asked = append(asked, r) }
	})
	p := vp8Peer(t, st).connect()
	v := st.viewer(p.id())
	if !st.Wanted("cam", vp8) || st.Wanted("cam", full) || st.Wanted("cam", common) {
		t.Error("another rendition is wanted")
	}
	st.Write("cam", unit(1, true, time.Now()), nil)
	frame := Unit{Data: append([]byte{0x10, 2, 0, 0x9d, 1, 0x2a}, make([]byte, 3000)...), Keyframe: true, Rendition: vp8, Seq: 2, Captured: time.Now()}
	st.Write("cam", frame, nil)
	first := take(t, "a packet", p.packets)
	last := first
	for n := 1; !last.marker; n++ {
		if last = take(t, "a packet", p.packets); n > 3 || last.time != first.time {
			t.Fatalf("packet %d: %+v after %+v", n, last, first)
		}
	}
	if first.kind&0x10 == 0 || first.kind&0xf != 0 { // the payload descriptor: the start of partition 0
		t.Errorf("the first packet begins with %#x", first.kind)
	}
	within(t, "the viewer counts a picture", func() bool { return v.stats().Units == 1 })
	if s := v.stats(); s.Rendition != "vp8" {
		t.Errorf("%+v", s)
	}
}

// Where there is no encoder for it, or nothing else is offered than what nobody sends, the refusal says what is the matter.
func TestVP8Refused(t *testing.T) {
	st := start(t, func(o *Options) { o.VP8 = func() error { return errors.New("ffmpeg is not installed") } })
	offer := vp8Peer(t, st).describe()
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, offer)
	if resp.StatusCode != http.StatusNotAcceptable || !strings.Contains(body, "VP8 and no H.264") || !strings.Contains(body, "ffmpeg is not installed") {
		t.Errorf("%s: %s", resp.Status, body)
	}
	resp, body = st.do(http.MethodPost, "/whep/cam", typeSDP, strings.ReplaceAll(offer, "VP8/90000", "VP9/90000"))
	if resp.StatusCode != http.StatusNotAcceptable || !strings.Contains(body, "neither H.264") {
		t.Errorf("%s: %s", resp.Status, body)
	}
	if n := len(st.viewers); n != 0 {
		t.Errorf("%d viewers are left of offers that were refused", n)
	}
}

// A path that loses much gets the low rendition in VP8, from its next keyframe on, and the others keep theirs.
func TestVP8OverABadPath(t *testing.T) {
	st := start(t, func(o *Options) { o.VP8 = func() error { return nil } })
	good, bad := vp8Peer(t, st).connect(), vp8Peer(t, st).connect()
	v := st.viewer(bad.id())
	for range 8 {
		v.report(80, 900) // 31 %
	}
	if !st.Wanted("cam", vp8) || !st.Wanted("cam", vp8Low) || st.Wanted("cam", low) {
		t.Error("the wrong renditions are wanted")
	}
	frame := func(seq uint64, rendition int) {
		data := append([]byte{0x10, 2, 0, 0x9d, 1, 0x2a}, make([]byte, 30)...)
		st.Write("cam", Unit{Data: data, Keyframe: true, Rendition: rendition, Seq: seq, Captured: time.Now()}, nil)
	}
	frame(1, vp8)
	frame(1, vp8Low)
	take(t, "a packet", good.packets)
	take(t, "a packet", bad.packets)
	w := st.viewer(good.id())
	within(t, "each counts its picture", func() bool { return v.stats().Units == 1 && w.stats().Units == 1 })
	if s, g := v.stats(), w.stats(); s.Rendition != "vp8-low" || g.Rendition != "vp8" {
		t.Errorf("%+v, and the other %+v", s, g)
	}
}
