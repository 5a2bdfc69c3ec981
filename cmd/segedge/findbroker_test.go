package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/mqtt/client"
)

// idleBroker is a broker without an agent.
func idleBroker(t *testing.T) string {
	t.Helper()
	b, err := broker.Listen(broker.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return b.URL()
}

// nowhere is an address at which nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

// A command finds the broker where the agent noted it, wherever its port is, and past brokers that have no agent or are gone.
func TestTheEmbeddedBrokerIsFound(t *testing.T) {
	_, ways, _ := newObedient(t)
	agents := ways["MQTT"][1]
	for name, noted := range map[string]string{"the noted one": agents, "past one without an agent": idleBroker(t), "past one that is gone": nowhere(t)} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, brokerFile), []byte(noted+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"pause", "objects"} {
			line := []string{verb, "--agent", "box", "--state", folder, "--set", "mqtt.embedded=" + strings.TrimPrefix(agents, "tcp://")}
			if code, stdout, stderr := command(t, line...); code != 0 || stdout == "" {
				t.Errorf("%s, %v: %d %s%s", name, verb, code, stdout, stderr)
			}
		}
	}
}

func TestLikelyBrokers(t *testing.T) {
	folder := t.TempDir()
	noteBroker(folder, "tcp://127.0.0.1:11885", nil)
	cfg := config.Default()
	cfg.Agent.State = folder
	if got := likelyBrokers(&cfg); got[0] != "tcp://127.0.0.1:11885" || got[1] != "tcp://127.0.0.1:1883" || len(got) != 11 {
		t.Errorf("%v", got)
	}
	if err := forgetBroker(folder); err != nil {
		t.Fatal(err)
	}
	cfg.MQTT.Embedded, cfg.MQTT.Cert = ":8883", "c.pem"
	if got := likelyBrokers(&cfg); got[0] != "tls://127.0.0.1:8883" {
		t.Errorf("%v", got)
	}
	if err := forgetBroker(folder); err != nil {
		t.Errorf("twice: %v", err)
	}
}

// Where no agent is found, what was asked is named.
func TestTheBrokerThatWasAskedIsNamed(t *testing.T) {
	gone, idle := nowhere(t), idleBroker(t)
	if _, err := findAgent(t.Context(), client.Options{Agent: "box"}, []string{gone}); err == nil || !strings.Contains(err.Error(), gone) ||
		!strings.Contains(err.Error(), "--broker") {
		t.Errorf("%v", err)
	}
	for _, line := range [][]string{
		{"pause", "--broker", idle, "--timeout", "300ms"}, {"objects", "--broker", idle, "--timeout", "300ms"},
		{"pause", "--broker", gone}, {"watch", "--broker", gone},
	} {
		if code, _, stderr := command(t, append(line, "--agent", "box")...); code != 1 || !strings.Contains(stderr, line[2]) {
			t.Errorf("%v: %d %s", line, code, stderr)
		}
	}
	if code, _, stderr := command(t, "pause", "--url", "http"+strings.TrimPrefix(gone, "tcp")); code != 1 || !strings.Contains(stderr, strings.TrimPrefix(gone, "tcp")) {
		t.Errorf("%d %s", code, stderr)
	}
	if code, _, stderr := command(t, "watch", "--broker", "tcp://u:geheim@"+strings.TrimPrefix(gone, "tcp://")); code != 1 || strings.Contains(stderr, "geheim") {
		t.Errorf("%d %s", code, stderr)
	}
}

// An agent notes where its broker is while it runs.
func TestAnAgentNotesItsBroker(t *testing.T) {
	folder := t.TempDir()
	t.Run("while it runs", func(t *testing.T) {
		l := startAgent(t, "cameras:\n- {name: cam, source: synthetic, width: 160, height: 120, fps: 8}\n", "--state", folder, "--set", "agent.name=box")
		code, stdout, stderr := command(t, "state", "--camera", "cam", "--agent", "box", "--state", folder)
		if code != 0 || !strings.Contains(stdout, `"camera":"cam"`) {
			t.Errorf("%d %s%s%s", code, stdout, stderr, l.out.String())
		}
	})
	if _, err := os.Stat(filepath.Join(folder, brokerFile)); err == nil {
		t.Error("it is noted after the end")
	}
}

// watch goes over HTTP too, with what the page can be asked for.
func TestWatchOverHTTP(t *testing.T) {
	_, ways, _ := newObedient(t)
	for _, line := range []string{"objects state", "info", "status", "--table", "--camera camera objects"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		out := &firstWords{cancel: cancel}
		code := execute(ctx, append(append([]string{"watch"}, strings.Fields(line)...), ways["HTTP"]...), out, out)
		cancel()
		if code != 0 || out.text == "" || strings.Contains(out.text, "segedge:") {
			t.Errorf("watch %s: %d %s", line, code, out.text)
		}
	}
	for line, want := range map[string]string{
		"": "events come over MQTT only", "masks": "--broker", "objects --camera none": "no camera", "objects --token wrong-wrong-wrong-wrong": "SEGEDGE_HTTP_TOKEN",
	} {
		code, _, stderr := command(t, append(append([]string{"watch"}, ways["HTTP"]...), strings.Fields(line)...)...)
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("watch %s: %d %s", line, code, stderr)
		}
	}
	if code, _, stderr := command(t, "pause", "--url", ways["HTTP"][1]); code != 1 || !strings.Contains(stderr, "--token TOKEN") {
		t.Errorf("without a token: %d %s", code, stderr)
	}
}

// firstWords ends a command once it has said something.
type firstWords struct {
	text   string
	cancel context.CancelFunc
}

func (f *firstWords) Write(p []byte) (int, error) {
	f.text += string(p)
	f.cancel()
	return len(p), nil
}
