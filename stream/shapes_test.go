package stream

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// Offers of every shape play, or are refused with a sentence; none gets an answer that shows nothing.
func TestOffersOfEveryShape(t *testing.T) {
	video, audio := webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio
	for name, c := range map[string]struct {
		media  []webrtc.RTPCodecType
		edit   func(string) string
		status int
	}{
		"video":              {[]webrtc.RTPCodecType{video}, nil, 201},
		"audio first":        {[]webrtc.RTPCodecType{audio, video}, nil, 201},
		"audio last":         {[]webrtc.RTPCodecType{video, audio}, nil, 201},
		"two videos":         {[]webrtc.RTPCodecType{video, video}, nil, 201},
		"audio alone":        {[]webrtc.RTPCodecType{audio}, nil, 422},
		"LF line ends":       {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }, 201},
		"sendrecv":           {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=recvonly", "a=sendrecv") }, 201},
		"no direction":       {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=recvonly\r\n", "") }, 201},
		"sendonly":           {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=recvonly", "a=sendonly") }, 422},
		"inactive":           {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=recvonly", "a=inactive") }, 422},
		"rejected":           {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.Replace(s, "m=video 9 ", "m=video 0 ", 1) }, 422},
		"first is rejected":  {[]webrtc.RTPCodecType{video, video}, func(s string) string { return strings.Replace(s, "m=video 9 ", "m=video 0 ", 1) }, 0},
		"first only sends":   {[]webrtc.RTPCodecType{video, video}, func(s string) string { return strings.Replace(s, "a=recvonly", "a=sendonly", 1) }, 0},
		"first has no H.264": {[]webrtc.RTPCodecType{video, video}, func(s string) string { return strings.Replace(s, "H264/90000", "H265/90000", 8) }, 0},
		"alone, no bundle":   {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.Replace(s, "a=group:BUNDLE 0\r\n", "", 1) }, 201},
		"no fingerprint":     {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=fingerprint:", "a=x-fingerprint:") }, 400},
		"no credentials":     {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=ice-ufrag:", "a=x-ufrag:") }, 400},
		"no mid":             {[]webrtc.RTPCodecType{video}, func(s string) string { return strings.ReplaceAll(s, "a=mid:", "a=x-mid:") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			st := start(t)
			p := bare(t, st, c.media...)
			offer := p.describe()
			if c.edit != nil {
				offer = c.edit(offer)
			}
			resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, offer)
			if resp.StatusCode != http.StatusCreated {
				if !strings.Contains(body, `"message":"`) || c.status != 0 && resp.StatusCode != c.status {
					t.Errorf("%s: %s", resp.Status, body)
				}
				t.Logf("%s", body)
				return
			}
			if c.status != 0 && c.status != http.StatusCreated {
				t.Fatalf("%s, want %d", resp.Status, c.status)
			}
			if !strings.Contains(offer, "BUNDLE") && strings.Contains(body, "BUNDLE") {
				t.Error("the answer bundles what the offer did not")
			}
			p.location = resp.Header.Get("Location")
			if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: body}); err != nil {
				t.Fatalf("an answer that cannot be used: %v\n%s", err, body)
			}
			p.reach(webrtc.PeerConnectionStateConnected)
			within(t, "the server sees the viewer", func() bool { v := st.viewer(p.id()); return v != nil && v.connected.Load() })
			st.Write("cam", unit(1, true, time.Now()), nil)
			p.picture()
		})
	}
}

// Of media that are not bundled the video alone is taken. The second stack of these tests cannot use such an answer, others can.
func TestMediaThatAreNotBundled(t *testing.T) {
	st := start(t)
	offer := bare(t, st, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo).describe()
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, noBundle.Replace(offer))
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", resp.Status, body)
	}
	_, video, _ := strings.Cut(body, "m=video 9 ")
	if !strings.Contains(body, "m=audio 0 ") || !strings.Contains(video, "a=ice-ufrag:") || strings.Contains(body, "BUNDLE") {
		t.Error(body)
	}
}

var noBundle = strings.NewReplacer("a=group:BUNDLE 0 1\r\n", "")
