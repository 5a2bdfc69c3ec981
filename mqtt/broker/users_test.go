package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/throttle"
)

var people = []User{{"wall", api.RoleView, "view-0123"}, {"desk", api.RolePrompt, "prompt-0123"}, {"boss", api.RoleAdmin, "admin-0123"}}

// asUser is a client of one of them; it ends with the test.
func asUser(t *testing.T, b *Broker, name, id string) paho.Client {
	t.Helper()
	password := people[slices.IndexFunc(people, func(u User) bool { return u.Name == name })].Password
	c, err := connect(b.URL(), id, name, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// What a user may publish is decided by their role and the verb in the topic; reading is everybody's.
func TestUsersWriteWhatTheirRoleMay(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", Users: people, Prefix: "segedge/box"})
	name, password := b.Login()
	agent, err := connect(b.URL(), "agent", name, password)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Disconnect(0)
	heard := make(chan string, 64)
	ear := func(_ paho.Client, m paho.Message) { heard <- m.Topic() }
	for _, c := range []paho.Client{agent, asUser(t, b, "wall", "ears")} {
		if token := c.Subscribe("#", 1, ear); token.Wait() && token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	may := map[string][]string{
		"segedge/box/cam/cmd/snapshot": {"wall", "desk", "boss"}, "segedge/box/cam/cmd/prompt": {"desk", "boss"}, "segedge/box/cam/cmd/remove": {"desk", "boss"},
		"segedge/box/cam/cmd/pause": {"boss"}, "segedge/box/cam/cmd/config": {"boss"}, "segedge/box/cam/cmd/later": {"boss"}, "segedge/box/status": nil, "segedge/box": nil,
		"segedge/box/cam/events": nil, "segedge/box/cam/reply/other": nil, "segedge/box/cam/cmd/pause/x": nil, "homeassistant/switch/x/config": {"boss"}, "homeassistant/status": {"wall", "desk", "boss"},
		"segedge/boxes": {"boss"},
		"$SYS/broker":   nil,
	}
	for _, u := range people {
		c := asUser(t, b, u.Name, u.Name)
		for topic := range may {
			c.Publish(topic, 0, false, u.Name).Wait()
		}
		c.Publish("segedge/box/cam/cmd/snapshot", 0, false, "the last").Wait()
	}
	got := map[string]int{}
	for last := 0; last < 2*2*len(people); {
		select {
		case topic := <-heard:
			got[topic]++
			if topic == "segedge/box/cam/cmd/snapshot" {
				last++
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("heard %v", got)
		}
	}
	for topic, names := range may {
		want := 2 * len(names)
		if topic == "segedge/box/cam/cmd/snapshot" {
			want *= 2
		}
		if got[topic] != want {
			t.Errorf("%s was heard %d times, want %d", topic, got[topic], want)
		}
	}
}

// A last will is a message like another, and Home Assistant's is one that everybody may leave. The agent's client ids are the agent's.
func TestUsersGainNothingByConnecting(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", Users: people, Prefix: "segedge/box", AgentID: "segedge-box"})
	try := func(id, will string) error {
		o := paho.NewClientOptions().AddBroker(b.URL()).SetClientID(id).SetUsername("wall").SetPassword("view-0123").SetAutoReconnect(false).
			SetProtocolVersion(4).SetCleanSession(false)
		if will != "" {
			o.SetWill(will, "x", 1, true)
		}
		client := paho.NewClient(o)
		defer client.Disconnect(0)
		token := client.Connect()
		token.Wait()
		return token.Error()
	}
	if try("segedge-box", "") == nil || try("segedge-box-look-1", "") == nil {
		t.Error("a user has a session of the agent's before it comes")
	}
	name, password := b.Login()
	agent, err := connect(b.URL(), "segedge-box", name, password)
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Disconnect(0)
	for _, c := range []struct {
		id, will string
		ok       bool
	}{
		{"me", "", true}, {"me", "segedge/box/cam/cmd/snapshot", true}, {"me", "segedge/box/cam/cmd/pause", false}, {"me", "segedge/box/status", false},
		{"me", "elsewhere", false}, {"segedge-box", "", false}, {"me", "homeassistant/status", true},
	} {
		if err := try(c.id, c.will); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if !agent.IsConnected() {
		t.Error("the agent was put out")
	}
}

// Who is not there has no rights, whatever a role without a name means elsewhere.
func TestAnUnknownUserHasNoRights(t *testing.T) {
	g := newGuests(Options{Users: people, Prefix: "segedge/box", Discovery: "homeassistant"})
	for _, topic := range []string{"segedge/box/cam/cmd/pause", "segedge/box/cam/cmd/snapshot", "homeassistant/status", "elsewhere"} {
		if g.mayWrite("nobody", topic) || !g.mayWrite(agentName, topic) {
			t.Errorf("%s", topic)
		}
	}
}

// stopped is a clock that does not move.
func stopped() time.Time { return time.Unix(1e9, 0) }

// Who guesses has to wait, even with the right password; who is in stays in, and the agent comes in whatever others at its address do. The
// log is not filled, and holds nothing that may be a secret.
func TestGuessesAreThrottled(t *testing.T) {
	var log testkit.Buffer
	b := serve(t, Options{
		Listen: "127.0.0.1:0", Users: people, Prefix: "segedge/box", Logger: slog.New(slog.NewTextHandler(&log, nil)), now: stopped,
	})
	in := asUser(t, b, "boss", "in")
	long := strings.Repeat("x", 60_000)
	for i := range 2 * throttle.Burst {
		user := []string{"boss", "geheim-in-the-wrong-place"}[i%2]
		if _, err := connect(b.URL(), long, user, fmt.Sprint("guess-", i)); err == nil {
			t.Fatal("a guess was let in")
		}
	}
	if _, err := connect(b.URL(), "x", "wall", "view-0123"); err == nil {
		t.Error("the right password among guesses was let in at once")
	}
	if token := in.Publish("elsewhere", 1, false, "x"); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Errorf("who was in: %v", token.Error())
	}
	if _, err := connect(b.URL(), "agent", agentName, "guess"); err == nil {
		t.Error("the agent's name was let in with a guess")
	}
	name, password := b.Login()
	agent, err := connect(b.URL(), "agent", name, password)
	if err != nil {
		t.Fatalf("the agent has to wait: %v", err)
	}
	agent.Disconnect(0)
	told := log.String()
	if n := strings.Count(told, "refuses a client"); n != throttle.Burst || len(told) > n*400 {
		t.Errorf("%d lines, %d bytes", n, len(told))
	}
	if strings.Contains(told, "geheim") || strings.Contains(told, "guess-") || !strings.Contains(told, `why="no user has this name and this password" user=boss`) {
		t.Errorf("told: %s", told)
	}
}

// A user who may be here, but not so, is told in a few lines too.
func TestRefusalsOfUsersDoNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	o := Options{Users: people, Prefix: "segedge/box", AgentID: "segedge-box", Logger: slog.New(slog.NewTextHandler(&log, nil)), now: stopped}
	o.defaults()
	d := &door{o: o, guests: newGuests(o)}
	client := &mochi.Client{Net: mochi.ClientConnection{Remote: "127.0.0.1:1"}}
	p := packets.Packet{Connect: packets.ConnectParams{Username: []byte("boss"), Password: []byte("admin-0123"), ClientIdentifier: "segedge-box"}}
	for range 3 * throttle.Burst {
		if d.OnConnectAuthenticate(client, p) {
			t.Fatal("let in as the agent")
		}
	}
	if n := strings.Count(log.String(), `why="this client id is the agent's own" user=boss client=segedge-box`); n != throttle.Burst {
		t.Errorf("%d lines: %s", n, &log)
	}
}
