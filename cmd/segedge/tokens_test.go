package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// as sends a request with a token and gives the answer's status and Location.
func (l *live) as(token, method, path, body string) (status int, location string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, strings.TrimSuffix(l.page, "/")+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/sdp")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode, res.Header.Get("Location")
}

// offer is a viewer's, complete with candidates.
func offer(t *testing.T) string {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	only := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, only); err != nil {
		t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// Whose token is taken away has no session left to give commands over; a change of anything else leaves sessions alone.
func TestATokenThatGoesTakesItsSessions(t *testing.T) {
	const (
		boss, desk = "boss-0123456789abcdef", "desk-0123456789abcdef"
		base       = "cameras:\n- name: a\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\nhttp:\n  token: " + boss + "\n"
		both       = base + "  tokens: [{name: desk, role: prompt, token: " + desk + "}]\n"
	)
	l := startAgent(t, both)
	session := ""
	l.until("a session", func() bool {
		var status int
		status, session = l.as(desk, http.MethodPost, "/whep/a", offer(t))
		return status == http.StatusCreated
	})
	l.rewrite(both + "log: {level: debug}\n")
	l.until("the level is changed", func() bool { return strings.Contains(l.log.String(), "changed=log.level") })
	if status, _ := l.as(boss, http.MethodGet, session, ""); status != http.StatusOK {
		t.Errorf("the session after another change: %d", status)
	}
	l.rewrite(base + "log: {level: debug}\n")
	l.until("the token is gone", func() bool { return strings.Contains(l.log.String(), "changed=http.tokens") })
	if status, _ := l.as(boss, http.MethodGet, session, ""); status != http.StatusNotFound {
		t.Errorf("the session of a token that is gone: %d", status)
	}
	if status, _ := l.as(desk, http.MethodGet, "/api/v1/info", ""); status != http.StatusUnauthorized {
		t.Errorf("the token that is gone: %d", status)
	}
}
