package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// A second implementation of the client's side: a pion peer negotiates over WHEP, receives H.264 and leaves again.
func TestPeerWatchesOverWHEP(t *testing.T) {
	r := start(t, "--set", "cameras.0.width=640", "--set", "cameras.0.height=360")
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	packets := make(chan int, 1000)
	codec := make(chan string, 1)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		codec <- track.Codec().MimeType + " " + track.Codec().SDPFmtpLine
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			select {
			case packets <- len(p.Payload):
			default:
			}
		}
	})
	location, answer := negotiate(t, pc, r.page+"whep/camera")
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 100 {
		select {
		case <-packets:
		case <-ctx.Done():
			t.Fatal("no video came")
		}
	}
	if c := <-codec; c[:10] != "video/H264" {
		t.Errorf("codec %s", c)
	}
	r.await("one viewer", func(s state) bool { return s.Viewers == 1 })
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, location, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("DELETE answered %s", resp.Status)
	}
	r.await("no viewer", func(s state) bool { return s.Viewers == 0 })
}

// negotiate posts the peer's offer and answers the session's address and the server's answer.
func negotiate(t *testing.T, pc *webrtc.PeerConnection, endpoint string) (location, answer string) {
	t.Helper()
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	select {
	case <-gathered:
	case <-time.After(patience):
		t.Fatal("no candidates were gathered")
	}
	resp, err := http.Post(endpoint, "application/sdp", bytes.NewReader([]byte(pc.LocalDescription().SDP)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusCreated || resp.Header.Get("ETag") == "" {
		t.Fatalf("POST answered %s: %s", resp.Status, body)
	}
	u, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return u.String(), string(body)
}
