package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/mqtt"
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

// The users of the embedded broker give the commands of their roles; the agent is its own.
func TestUsersOfTheEmbeddedBroker(t *testing.T) {
	l := startAgent(t, "cameras:\n- {name: a, source: synthetic, width: 160, height: 120, fps: 4}\nmqtt:\n  version: 5\n  users:\n"+
		"  - {name: wall, role: view, password: wall-0123}\n  - {name: desk, role: prompt, password: desk-0123}\n")
	at := brokerLine.FindStringSubmatch(l.out.String())
	if at == nil {
		t.Fatal(l.out.String())
	}
	info := struct{ Agent string }{}
	_ = json.Unmarshal([]byte(l.get("api/v1/info")), &info)
	as := func(user, password, verb string, want int) (int, string) {
		var out bytes.Buffer
		timeout := []string{"60s", "3s"}[want] // nobody answers what is refused
		code := execute(t.Context(), []string{
			verb, "--broker", at[1], "--agent", info.Agent, "--camera", "a", "--timeout", timeout, "--set", "mqtt.username=" + user, "--set", "mqtt.password=" + password,
		}, &out, &out)
		return code, out.String()
	}
	l.until("it runs", func() bool { return l.state("a").Processed > 0 })
	for _, c := range []struct {
		user, password, verb string
		code                 int
	}{{"desk", "desk-0123", "clear", 0}, {"desk", "desk-0123", "pause", 1}, {"wall", "wall-0123", "clear", 1}, {"wall", "desk-0123", "clear", 1}} {
		if code, out := as(c.user, c.password, c.verb, c.code); code != c.code {
			t.Errorf("%s as %s: exit code %d, %s", c.verb, c.user, code, out)
		}
	}
	if s := l.state("a").State; s != "running" {
		t.Errorf("the camera is %s", s)
	}
	agentsRightsAreItsOwn(t, at[1], info.Agent)
	if strings.Contains(l.log.String(), "0123") {
		t.Error("a password is logged")
	}
}

// agentsRightsAreItsOwn: no user comes in as the agent, Home Assistant comes in as any user, and an answer goes where its asker may write.
func agentsRightsAreItsOwn(t *testing.T, at, name string) {
	t.Helper()
	heard := make(chan mqtt.Message, 64)
	dial := func(user, id string, will *mqtt.Will) (*mqtt.Link, error) {
		c := mqtt.Connection{Broker: at, Version: 5, ClientID: id, Username: user, Password: user + "-0123"}
		return mqtt.Dial(t.Context(), c, will, false, func(m mqtt.Message) { m.Done(); heard <- m })
	}
	if l, err := dial("desk", "segedge-"+name, nil); err == nil {
		l.Close(0)
		t.Error("a user takes the agent's place")
	}
	l, err := dial("desk", "home", &mqtt.Will{Topic: "homeassistant/status", Payload: "offline"})
	if err != nil {
		t.Fatalf("Home Assistant: %v", err)
	}
	defer l.Close(0)
	topics := mqtt.Topics{Prefix: "segedge/" + name}
	if err := l.Subscribe(t.Context(), "elsewhere", topics.Reply("a", "me")); err != nil {
		t.Fatal(err)
	}
	p := mqtt.Packet{Topic: topics.Command("a", "clear"), QoS: 1, Payload: []byte(`{"id":"away","reply":"me"}`), ResponseTopic: "elsewhere"}
	if err := l.Await(t.Context(), l.Send(t.Context(), p)); err != nil {
		t.Fatal(err)
	}
	if m := <-heard; m.Topic != topics.Reply("a", "me") {
		t.Errorf("answered on %s", m.Topic)
	}
}

var brokerLine = regexp.MustCompile(`mqtt: (tcp://\S+),`)
