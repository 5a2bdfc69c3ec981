package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/seg"
)

// serve runs a broker until the test ends.
func serve(t testing.TB, o Options) *Broker {
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

// TestTLS: who comes over the network needs it, and the agent itself, on its own address, does not.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	b := serve(t, Options{Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}})
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 1)
	agent, err := connect(b.URL(), "agent", "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Disconnect(100)
	agent.Subscribe("x", 1, func(_ paho.Client, m paho.Message) { heard <- string(m.Payload()) }).Wait()

	as := mqtt.Connection{Broker: b.Public(), ClientID: "guest"}
	as.TLS.CA = authority
	guest, err := mqtt.Dial(t.Context(), as, nil, false, func(mqtt.Message) {})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close(0)
	if err := guest.Publish(t.Context(), "x", 1, false, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "hello" {
		t.Errorf("the agent hears %q", got)
	}
	as.TLS.CA = ""
	if _, err := mqtt.Dial(t.Context(), as, nil, false, nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	if c, err := connect("tcp://"+b.Addr(), "plain", "", ""); err == nil {
		c.Disconnect(0)
		t.Error("let in without TLS")
	}
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
	b := serve(t, Options{Listen: "127.0.0.1:0", Users: []User{{"box", api.RoleAdmin, "secret"}}})
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
		if err := allowed(address, false); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Listen(Options{Listen: ":0"}); err == nil || !strings.Contains(err.Error(), "set users") {
		t.Errorf("got %v", err)
	}
	b, err := Listen(Options{Listen: ":0", Users: []User{{"a", api.RoleView, "b"}}})
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

// still is an agent's service with one camera that shows nothing.
type still struct{}

func (still) Do(_ context.Context, _ string, c api.Command) api.Reply { return api.Done(c.ID, nil) }
func (still) Info() api.Info                                          { return api.Info{Agent: "box"} }
func (still) Cameras() []string                                       { return []string{"cam"} }
func (still) State(c string) (api.State, bool)                        { return api.State{Camera: c}, true }
func (still) Objects(c string) (api.Objects, bool)                    { return api.Objects{Camera: c}, true }

// TestAgentOnItsOwnBroker runs the real client on the embedded broker, and stops both at once, as the command does.
func TestAgentOnItsOwnBroker(t *testing.T) {
	b, err := Listen(Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := mqtt.New(mqtt.Options{Connection: mqtt.Connection{Broker: b.URL()}, Agent: "box", Service: still{}, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = b.Run(ctx) })
	group.Go(func() { _ = client.Run(ctx) })
	heard := make(chan string, 64)
	ears, err := connect(b.URL(), "ears", "", "")
	if err != nil {
		t.Fatal(err)
	}
	ears.SubscribeMultiple(map[string]byte{"segedge/box/status": 1, "segedge/box/cam/reply/me": 1, "segedge/box/cam/events": 1}, func(_ paho.Client, m paho.Message) {
		heard <- string(m.Payload())
	}).Wait()
	next := func(want string) {
		t.Helper()
		for {
			select {
			case got := <-heard:
				if strings.Contains(got, want) {
					return
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("never heard %s", want)
			}
		}
	}
	next("online")
	ears.Publish("segedge/box/cam/cmd/clear", 1, false, `{"id":"1","reply":"me"}`).Wait()
	next(`"ok":true`)
	client.Publish(seg.Event{Camera: "cam", Type: seg.CameraStalled, Time: time.Now()})
	cancel()
	next("camera.stalled")
	next("stopped")
	group.Wait()
	ears.Disconnect(0)
}

// TestTheBrokersWordOfARival: with MQTT 5 the agent hears at once that another client took its id, says so, and leaves it.
func TestTheBrokersWordOfARival(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0"})
	at := mqtt.Connection{Broker: b.URL(), Version: 5}
	client, err := mqtt.New(mqtt.Options{Connection: at, Agent: "box", Service: still{}, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { _ = client.Run(ctx) })
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain: %s: %v", what, client.Ready())
			}
		}
	}
	until("connected", func() bool { return client.Ready() == nil })
	at.ClientID = "segedge-box"
	other, err := mqtt.Dial(ctx, at, nil, false, func(m mqtt.Message) { m.Done() })
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(100 * time.Millisecond)
	until("it says who has the id", func() bool {
		err := client.Ready()
		return err != nil && strings.Contains(err.Error(), `the client id "segedge-box" is taken by another client`)
	})
	if other.Err() != nil || client.Stats().Sessions != 1 {
		t.Errorf("it was fought over: %v after %d sessions", other.Err(), client.Stats().Sessions)
	}
}
