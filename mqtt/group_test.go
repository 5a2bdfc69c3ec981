package mqtt

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

// several is a service with two cameras.
type several struct{ *agent }

func (several) Cameras() []string                           { return []string{"cam", "door"} }
func (s several) State(camera string) (api.State, bool)     { return s.agent.State("cam") }
func (s several) Objects(camera string) (api.Objects, bool) { return s.agent.Objects("cam") }

// TestCommandsForAll: one message for every camera, or for the cameras of a name, each answered by itself; who did not ask to be one of all
// is not.
func TestCommandsForAll(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/+/+/reply/hub")
	in, out := &agent{}, &agent{}
	o := testOptions(t, m.url(), in)
	o.Service, o.Group = several{in}, true
	member, _ := start(t, o)
	o = testOptions(t, m.url(), out)
	o.Agent = "other"
	loner, _ := start(t, o)
	until(t, "both are connected", func() bool { return member.Ready() == nil && loner.Ready() == nil })
	ears.send(t, "segedge/all/all/cmd/keyframe", `{"id":"1","reply":"hub"}`)
	until(t, "both cameras answer", func() bool { return len(ears.all("/cam/reply/hub")) == 1 && len(ears.all("/door/reply/hub")) == 1 })
	ears.send(t, "segedge/all/all/cmd/keyframe", `{"id":"1","reply":"hub"}`)
	ears.send(t, "segedge/all/attic/cmd/clear", `{"id":"2","reply":"hub"}`)
	ears.send(t, "segedge/all/door/cmd/clear", `{"id":"3","reply":"hub"}`)
	until(t, "the repetition and the one camera", func() bool { return len(ears.all("/door/reply/hub")) == 3 })
	if got := in.commands(); len(got) != 3 || got[2].Verb != "clear" || len(out.commands()) != 0 {
		t.Errorf("done %+v, and by the one that is none of them %+v", got, out.commands())
	}
	for _, r := range ears.all("/reply/hub") {
		if !strings.Contains(string(r.Payload), `"ok":true`) {
			t.Errorf("%s %s", r.Topic, r.Payload)
		}
	}
}

func TestNobodyIsCalledAll(t *testing.T) {
	o := testOptions(t, "tcp://127.0.0.1:1", &agent{})
	o.Agent = "all"
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "the name of all agents") {
		t.Errorf("got %v", err)
	}
	o.Agent, o.Prefix = "box", "site/all"
	if _, err := New(o); err == nil {
		t.Error("a prefix of everybody is taken")
	}
}

// TestTheFleetsAccessList: each box says and hears its own alone; who may give which commands is as the list has it.
func TestTheFleetsAccessList(t *testing.T) {
	list, err := os.ReadFile("../deploy/mosquitto/acl")
	if err != nil {
		t.Fatal(err)
	}
	const password = "not a secret"
	users := []string{"box", "box2", "viewer", "operator", "homeassistant", "hub"}
	m := forbidding(t, string(list), "allow_anonymous false\npassword_file "+passwords(t, password, users...)+"\n")
	as := func(user string) Connection {
		return Connection{Broker: m.url(), ClientID: "as-" + user, Username: user, Password: password, Logger: testLog(t)}
	}
	a := &agent{}
	o := testOptions(t, m.url(), a)
	o.Connection, o.Discovery, o.Group = as("box"), "homeassistant", true
	c, _ := start(t, o)
	ears := map[string]*listener{}
	for _, u := range users[1:] {
		ears[u] = listenAs(t, as(u), "segedge/+/status", "segedge/+/+/state")
	}
	until(t, "the box is heard, by itself too", func() bool {
		return c.Ready() == nil && ears["hub"].last("segedge/box/status") == StatusOnline && ears["viewer"].last("/cam/state") != ""
	})
	for i, try := range []struct {
		user, topic, rest string
		may               bool
	}{
		{"viewer", "segedge/box/cam/cmd/keyframe", "", false},
		{"operator", "segedge/box/cam/cmd/prompt", `,"points":[{"x":0.5,"y":0.5}]`, true},
		{"operator", "segedge/box/cam/cmd/zone", `,"name":"z"`, false},
		{"operator", "segedge/all/all/cmd/keyframe", "", false},
		{"box2", "segedge/box/cam/cmd/keyframe", "", false},
		{"homeassistant", "segedge/box/cam/cmd/pause", "", true},
		{"homeassistant", "segedge/box/cam/cmd/model", `,"name":"m"`, false},
		{"hub", "segedge/box/cam/cmd/model", `,"name":"m"`, true},
		{"hub", "segedge/all/all/cmd/pause", "", true},
	} {
		id, end := string(text("try %d", i)), string(text("end %d", i))
		ears[try.user].send(t, try.topic, string(text(`{"id":%q,"reply":%q%s}`, id, try.user, try.rest)))
		ears["hub"].send(t, "segedge/box/cam/cmd/clear", string(text(`{"id":%q}`, end)))
		done := func(id string) bool {
			return slices.ContainsFunc(a.commands(), func(cmd api.Command) bool { return cmd.ID == id })
		}
		until(t, "the command behind it", func() bool { return done(end) })
		if done(id) != try.may {
			t.Errorf("%s at %s: done %v", try.user, try.topic, !try.may)
		}
	}
	if ears["box2"].last("/cam/state") != "" {
		t.Error("one box hears another")
	}
}

// passwords is a file of mosquitto's.
func passwords(t *testing.T, password string, users ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, u := range users {
		if out, err := exec.Command("mosquitto_passwd", "-b", file, u, password).CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
	return file
}

// TestThroughABridge: a site's broker passes on what its boxes say, and brings commands, as deploy/mosquitto/bridge.conf has it (without its
// certificates). What happens while the way is cut comes afterwards.
func TestThroughABridge(t *testing.T) {
	conf, err := os.ReadFile("../deploy/mosquitto/bridge.conf")
	if err != nil {
		t.Fatal(err)
	}
	central := startMosquitto(t, lossless)
	var lines []string
	for line := range strings.Lines(string(conf)) {
		switch {
		case strings.HasPrefix(line, "bridge_"):
		case strings.HasPrefix(line, "address "):
			lines = append(lines, string(text("address 127.0.0.1:%d\nrestart_timeout 1\n", central.port)))
		default:
			lines = append(lines, line)
		}
	}
	site := startMosquitto(t, strings.Join(lines, ""))
	hub := listen(t, central.url(), "hub", "site-a/#")
	c, _ := start(t, testOptions(t, site.url(), &agent{}))
	until(t, "the box is heard at the centre", func() bool { return hub.last("site-a/segedge/box/status") == StatusOnline })
	hub.send(t, "site-a/segedge/box/cam/cmd/clear", `{"id":"1","reply":"hub"}`)
	until(t, "the answer at the centre", func() bool { return strings.Contains(hub.last("/reply/hub"), `"ok":true`) })
	c.Publish(happened(1))
	until(t, "an event at the centre", func() bool { return len(hub.all("/events")) == 1 })
	central.kill()
	hub.link.Close(0)
	c.Publish(happened(2))
	until(t, "the site's broker has it", func() bool { return c.outbox.Stats().Pending == 0 })
	central.start()
	hub.connect(t, Connection{Broker: central.url(), ClientID: "hub"}, "site-a/#")
	until(t, "what happened meanwhile", func() bool {
		return slices.ContainsFunc(hub.all("/events"), func(m Message) bool { return strings.Contains(string(m.Payload), `"seq":2,`) })
	})
}

// TestProvisionedBoxes: what deploy/provision.sh makes lets a box in as itself, and nobody in without; it makes nothing twice.
func TestProvisionedBoxes(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED: openssl is not installed, so no certificates were made")
	}
	dir := t.TempDir()
	provision := func(names ...string) string {
		out, err := exec.Command("sh", append([]string{"../deploy/provision.sh", dir, "127.0.0.1"}, names...)...).CombinedOutput()
		return fmt.Sprintf("%s%v", out, err)
	}
	if said := provision("box", "hub"); !strings.HasPrefix(said, "2 boxes made, 2 in") {
		t.Fatal(said)
	}
	key, err := os.ReadFile(filepath.Join(dir, "box", "box.key"))
	if err != nil {
		t.Fatal(err)
	}
	if said := provision("box", "box2"); !strings.HasPrefix(said, "1 boxes made, 3 in") {
		t.Error(said)
	}
	if again, err := os.ReadFile(filepath.Join(dir, "box", "box.key")); err != nil || !bytes.Equal(again, key) {
		t.Errorf("a box that is there has another key: %v", err)
	}
	for _, name := range []string{"all", "ca", "../x", "a b"} {
		if said := provision(name); !strings.Contains(said, "exit status 1") {
			t.Errorf("%q: %s", name, said)
		}
	}
	list, err := filepath.Abs("../deploy/mosquitto/acl")
	if err != nil {
		t.Fatal(err)
	}
	m := startMosquitto(t, fmt.Sprintf("cafile %s/ca.crt\ncertfile %[1]s/server.crt\nkeyfile %[1]s/server.key\n", filepath.Join(dir, "broker"))+
		"require_certificate true\nuse_identity_as_username true\nallow_anonymous false\nacl_file "+list+"\n")
	as := func(box string) Connection {
		at := filepath.Join(dir, box)
		return Connection{
			Broker: strings.Replace(m.url(), "tcp", "tls", 1), ClientID: "as-" + box, Logger: testLog(t),
			TLS: TLS{CA: filepath.Join(at, "ca.crt"), Cert: filepath.Join(at, "box.crt"), Key: filepath.Join(at, "box.key")},
		}
	}
	hub, other := listenAs(t, as("hub"), "segedge/+/status"), listenAs(t, as("box2"), "segedge/+/status")
	o := testOptions(t, "", &agent{})
	o.Connection = as("box")
	c, _ := start(t, o)
	until(t, "the box is in", func() bool { return c.Ready() == nil && hub.last("segedge/box/status") == StatusOnline })
	if other.last("/status") != "" {
		t.Error("one box hears another")
	}
	nobody := as("box")
	nobody.TLS.Cert, nobody.TLS.Key = "", ""
	if _, err := Dial(t.Context(), nobody, nil, false, nil); err == nil {
		t.Error("let in without a certificate")
	}
}
