package broker

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// serve runs a broker until the test ends.
func serve(t *testing.T, o Options) *Broker {
	t.Helper()
	b, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the broker did not stop")
		}
	})
	return b
}

func connect(url, id, user, password string) (paho.Client, error) {
	c := paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID(id).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetProtocolVersion(4).SetConnectTimeout(10 * time.Second))
	token := c.Connect()
	token.Wait()
	return c, token.Error()
}

func TestMessagesPass(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0"})
	c, err := connect(b.URL(), "a", "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(100)
	c.Publish("kept", 1, true, "x").Wait()
	got := make(chan paho.Message, 1)
	c.Subscribe("kept", 1, func(_ paho.Client, m paho.Message) { got <- m }).Wait()
	select {
	case m := <-got:
		if string(m.Payload()) != "x" || !m.Retained() {
			t.Errorf("got %q", m.Payload())
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing came")
	}
}

func TestPassword(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", Username: "box", Password: "secret"})
	for _, c := range []struct {
		user, password string
		ok             bool
	}{{"box", "secret", true}, {"box", "wrong", false}, {"", "", false}, {"other", "secret", false}} {
		client, err := connect(b.URL(), "x", c.user, c.password)
		if (err == nil) != c.ok {
			t.Errorf("%q %q: %v", c.user, c.password, err)
		}
		client.Disconnect(100)
	}
}

func TestOccupiedPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = Listen(Options{Listen: l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()+" is in use by another program") {
		t.Errorf("got %v", err)
	}
}

func TestUsualPortOccupied(t *testing.T) {
	if l, err := net.Listen("tcp", DefaultListen); err == nil { // else somebody has it already, which is the case at hand
		defer func() { _ = l.Close() }()
	}
	log := new(bytes.Buffer)
	b, err := Listen(Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Addr() == DefaultListen || !strings.HasPrefix(b.URL(), "tcp://127.0.0.1:") || !strings.Contains(log.String(), "takes a free one") {
		t.Errorf("%s, %s: %s", b.Addr(), b.URL(), log)
	}
}

func TestOpenToTheNetworkNeedsAPassword(t *testing.T) {
	for address, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "[::1]:1": true, "0.0.0.0:0": false, ":0": false, "192.0.2.1:1": false, "nonsense": false} {
		if err := allowed(address, ""); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Listen(Options{Listen: ":0"}); err == nil || !strings.Contains(err.Error(), "set a user and a password") {
		t.Errorf("got %v", err)
	}
	b, err := Listen(Options{Listen: ":0", Username: "a", Password: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if !strings.HasPrefix(b.URL(), "tcp://127.0.0.1:") {
		t.Errorf("URL %s", b.URL())
	}
}

func TestClientsAreBounded(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0", MaxClients: 2})
	refused := 0
	for _, id := range []string{"a", "b", "c", "d"} {
		c, err := connect(b.URL(), id, "", "")
		if err != nil {
			refused++
		}
		defer c.Disconnect(100)
	}
	if refused != 2 {
		t.Errorf("%d of 4 clients were refused, want 2", refused)
	}
}

func TestQuietLog(t *testing.T) {
	log := new(bytes.Buffer)
	l := slog.New(quiet{slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})}).With("a", 1).WithGroup("g")
	l.Info("small talk")
	l.Warn("small talk")
	l.Error("news")
	if got := log.String(); strings.Contains(got, "small talk") || !strings.Contains(got, "news") {
		t.Errorf("log: %s", got)
	}
}

// TestGoodbyeIsHeard ends the broker and a client with a last will together: the client's last word still passes.
func TestGoodbyeIsHeard(t *testing.T) {
	b, err := Listen(Options{Listen: "127.0.0.1:0", Grace: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	ears, err := connect(b.URL(), "ears", "", "")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 4)
	ears.Subscribe("status", 1, func(_ paho.Client, m paho.Message) { got <- string(m.Payload()) }).Wait()
	o := paho.NewClientOptions().AddBroker(b.URL()).SetClientID("agent").SetAutoReconnect(false).SetProtocolVersion(4).SetWill("status", "offline", 1, true)
	agent := paho.NewClient(o)
	if token := agent.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	cancel()
	agent.Publish("status", 1, true, "stopped").Wait()
	if said := <-got; said != "stopped" {
		t.Errorf("got %q", said)
	}
	agent.Disconnect(1000)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Error("the broker waits for a client that only watches")
	}
	ears.Disconnect(0)
}
