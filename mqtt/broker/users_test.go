package broker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/segedge/segedge/api"
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
		"segedge/box/cam/events": nil, "segedge/box/cam/reply/other": nil, "segedge/box/cam/cmd/pause/x": nil, "homeassistant/switch/x/config": {"boss"}, "segedge/boxes": {"boss"},
		"$SYS/broker": nil,
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

// A last will is a message like another, and the agent's client id is the agent's.
func TestUsersGainNothingByConnecting(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", Users: people, Prefix: "segedge/box"})
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
		{"me", "elsewhere", false}, {"segedge-box", "", false},
	} {
		o := paho.NewClientOptions().AddBroker(b.URL()).SetClientID(c.id).SetUsername("wall").SetPassword("view-0123").SetAutoReconnect(false).SetProtocolVersion(4)
		if c.will != "" {
			o.SetWill(c.will, "x", 1, true)
		}
		client := paho.NewClient(o)
		if token := client.Connect(); token.Wait() && (token.Error() == nil) != c.ok {
			t.Errorf("%+v: %v", c, token.Error())
		}
		client.Disconnect(0)
	}
	if !agent.IsConnected() {
		t.Error("the agent was put out")
	}
}

// Who guesses has to wait, even with the right password; who is in stays in.
func TestGuessesAreThrottled(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", Users: people, Prefix: "segedge/box"})
	in := asUser(t, b, "boss", "in")
	for i := range throttle.Burst {
		if _, err := connect(b.URL(), "x", "boss", fmt.Sprint("guess-", i)); err == nil {
			t.Fatal("a guess was let in")
		}
	}
	if _, err := connect(b.URL(), "x", "wall", "view-0123"); err == nil {
		t.Error("the right password among guesses was let in at once")
	}
	if token := in.Publish("elsewhere", 1, false, "x"); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Errorf("who was in: %v", token.Error())
	}
}
