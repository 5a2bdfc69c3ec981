package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
)

// options5 are testOptions for MQTT 5.
func options5(t *testing.T, url string, a *agent) Options {
	o := testOptions(t, url, a)
	o.Version = 5
	return o
}

// TestMQTT5 does over MQTT 5 what an agent does: say what is, deliver events in order, do commands, and leave with a word.
func TestMQTT5(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	ears := listen(t, m.url(), "ears", "segedge/box/#")
	c, stop := start(t, options5(t, m.url(), a))
	until(t, "connected", func() bool { return c.Ready() == nil })
	const n = 300 // more than mosquitto's window of 20
	for i := range n {
		c.Publish(happened(i))
	}
	ears.send(t, "segedge/box/cam/cmd/rename", `{"id":"1","reply":"me","object":"cam-1","name":"dog"}`)
	until(t, "everything is delivered", func() bool { return unique(ears.events(t)) == n && c.Stats().Outbox.Pending == 0 })
	if d := complete(t, ears.events(t), n); d != 0 {
		t.Errorf("%d duplicates", d)
	}
	until(t, "the reply", func() bool { return strings.Contains(ears.last("/reply/me"), `"ok":true`) })
	stop()
	if got := ears.last("/status"); got != StatusStopped {
		t.Errorf("the last word is %q", got)
	}
	if s := c.Stats(); s.Sessions != 1 {
		t.Errorf("%d sessions", s.Sessions)
	}
}

// TestAnswersGoWhereAClientWants: a response topic needs no name, and serves also where the body cannot be read.
func TestAnswersGoWhereAClientWants(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	c, _ := start(t, options5(t, m.url(), a))
	until(t, "connected", func() bool { return c.Ready() == nil })
	answers := make(chan Message, 16)
	five := Connection{Broker: m.url(), ClientID: "five", Version: 5}
	l, err := Dial(t.Context(), five, nil, false, func(m Message) { m.Done(); answers <- m })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(100 * time.Millisecond)
	if err := l.Subscribe(t.Context(), "my/answers"); err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct {
		body string
		code api.Code
	}{{`{"id":"1"}`, ""}, {`{"id":`, api.BadJSON}, {`{"id":"2","id":"3"}`, api.BadJSON}} {
		p := Packet{Topic: "segedge/box/cam/cmd/clear", QoS: 1, Payload: []byte(q.body), ResponseTopic: "my/answers", Correlation: []byte(q.body)}
		if err := l.Await(t.Context(), l.Send(t.Context(), p)); err != nil {
			t.Fatal(err)
		}
		got := <-answers
		var r api.Reply
		if err := json.Unmarshal(got.Payload, &r); err != nil {
			t.Fatal(err)
		}
		if got.Expiry <= 0 || got.Expiry > replyExpiry {
			t.Errorf("an answer is good for %s", got.Expiry)
		}
		if string(got.Correlation) != q.body || r.OK != (q.code == "") || q.code != "" && r.Error.Code != q.code {
			t.Errorf("%s: %+v, correlation %s", q.body, r, got.Correlation)
		}
	}
	// Not where it would be a command.
	p := Packet{Topic: "segedge/box/cam/cmd/clear", QoS: 1, Payload: []byte(`{"id":"9"}`), ResponseTopic: "segedge/box/cam/cmd/pause"}
	if err := l.Await(t.Context(), l.Send(t.Context(), p)); err != nil {
		t.Fatal(err)
	}
	until(t, "it is done", func() bool { return len(a.commands()) == 2 })
	until(t, "and answered nowhere", func() bool { return c.commands.waiting() == 0 })
	if got := a.commands(); got[0].Verb != "clear" || got[1].Verb != "clear" {
		t.Errorf("done %+v", got)
	}
}

// With the agent's rights, a topic of answers must not be one of commands; where others have fewer rights than it, not one of anybody's.
func TestWhereAnswersMayGo(t *testing.T) {
	for topic, may := range map[string]struct{ free, confined bool }{
		"my/answers": {true, false}, "segedge/box2/x": {true, false}, "homeassistant/status": {true, false}, "zigbee2mqtt/lamp/set": {true, false},
		"segedge/box/cam/reply/me": {true, true}, "segedge/box/cam/reply/me/x": {}, "segedge/box2/cam/reply/me": {true, false},
		"segedge/box/cam/cmd/clear": {}, "segedge/all/all/cmd/pause": {}, "segedge/box2/cam/cmd/pause": {}, "all/all/cmd/pause": {},
		"segedge/box": {true, false}, "segedge/box/status": {}, "$SYS/x": {}, "a/+": {}, "a\x01": {}, "": {},
	} {
		free, confined := Topics{Prefix: "segedge/box"}.mayAnswer(topic), Topics{Prefix: "segedge/box", Confined: true}.mayAnswer(topic)
		if free != may.free || confined != may.confined {
			t.Errorf("%q: %t, confined %t", topic, free, confined)
		}
	}
}

// TestMissingRightsAreToldByMQTT5: at once, in words, and what cannot be said waits.
func TestMissingRightsAreToldByMQTT5(t *testing.T) {
	m := forbidding(t, "topic readwrite segedge/box/#\ntopic deny segedge/box/cam/events\n")
	c, _ := start(t, options5(t, m.url(), &agent{}))
	c.Publish(happened(0))
	until(t, "it is told", func() bool {
		err := c.Ready()
		return err != nil && strings.Contains(err.Error(), "does not let this client write to segedge/box/cam/events")
	})
	if s := c.Stats().Outbox; s.Pending != 1 || s.SetAside != 0 {
		t.Errorf("%+v", s)
	}
}

// TestTheBrokersLimitIsKept: told at the beginning, it costs no connection.
func TestTheBrokersLimitIsKept(t *testing.T) {
	m := limited(t, "3600")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	o := options5(t, m.url(), &agent{})
	o.Service = wide{&agent{}}
	c, _ := start(t, o)
	for i := range 5 {
		c.Publish(ragged(i, 400, 300))
	}
	until(t, "the events", func() bool { return len(ears.events(t)) == 5 })
	for _, e := range ears.events(t) {
		if e.Details["mask_reduced"] != maskOutline {
			t.Errorf("%v", e.Details)
		}
	}
	if s := c.Stats(); s.Sessions != 1 || s.Outbox.SetAside != 0 {
		t.Errorf("%+v", s)
	}
}

// TestTakenOver: with MQTT 5 the broker says so, and the later agent stands back at once.
func TestTakenOver(t *testing.T) {
	m := startMosquitto(t, "")
	first, _ := start(t, options5(t, m.url(), &agent{}))
	until(t, "the first is connected", func() bool { return first.Ready() == nil })
	o := options5(t, m.url(), &agent{})
	o.Service = late{&agent{}}
	second, _ := start(t, o)
	until(t, "the second says why it waits", func() bool {
		err := second.Ready()
		return err != nil && strings.Contains(err.Error(), "give one of them another agent.name")
	})
	until(t, "the first is back", func() bool { return first.Ready() == nil })
	if s := second.Stats(); s.Sessions > 3 {
		t.Errorf("the second tried %d times", s.Sessions)
	}
}

func TestMQTT5EndsWhateverTheBrokerDoes(t *testing.T) {
	m := startMosquitto(t, "")
	a := &agent{}
	c, stop := start(t, options5(t, m.url(), a))
	until(t, "connected", func() bool { return c.Ready() == nil })
	if err := m.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	a.set(cup(1))
	for i := range 100 { // more than the window: sending waits
		c.Publish(happened(i))
	}
	until(t, "the events wait for the broker", func() bool { return c.Stats().Outbox.Pending == 100 })
	stop() // fails the test where it does not end
}

func TestMQTT5RefusalsAreTold(t *testing.T) {
	m := startMosquitto(t, "allow_anonymous false\n")
	_, err := Dial(t.Context(), Connection{Broker: m.url(), ClientID: "x", Version: 5}, nil, false, func(Message) {})
	if err == nil || !strings.Contains(err.Error(), "the broker refuses: this client is not authorised") {
		t.Errorf("got %v", err)
	}
	ws := Connection{Broker: strings.Replace(m.url(), "tcp", "ws", 1), ClientID: "x", Version: 5}
	_, err = Dial(t.Context(), ws, nil, false, func(Message) {})
	if err == nil || !strings.Contains(err.Error(), "WebSockets") {
		t.Errorf("got %v", err)
	}
}

// TestMQTT5LeavesNothingRunning over connections that break at any moment.
func TestMQTT5LeavesNothingRunning(t *testing.T) {
	m := startMosquitto(t, "")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c := Connection{Broker: m.url(), ClientID: t.Name(), Version: 5}
			l, err := Dial(context.Background(), c, nil, false, func(m Message) { m.Done() })
			if err != nil {
				return // thrown out by the next, while it came in
			}
			for range 50 {
				_ = l.Publish(context.Background(), "x", 1, false, []byte("y"))
			}
			l.Close(0)
		})
	}
	wg.Wait()
}

// forbidding is a broker with an access list. Without a bound on its queues mosquitto 2.0.11 ends the connection after a refusal.
func forbidding(t *testing.T, list string, more ...string) *mosquitto {
	t.Helper()
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	return startMosquitto(t, "max_queued_messages 1000\nacl_file "+acl+"\n"+strings.Join(more, ""))
}

// TestAReplyThatIsRefusedHoldsNothingUp: a client may name a response topic that the agent may not write.
func TestAReplyThatIsRefusedHoldsNothingUp(t *testing.T) {
	m := forbidding(t, "topic readwrite segedge/#\ntopic write nobody/asked\n")
	ears := listen(t, m.url(), "ears", "segedge/box/cam/reply/me")
	c, _ := start(t, options5(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Ready() == nil })
	for _, a := range []answer{{id: "1", topic: "my/answers"}, {id: "2", topic: "segedge/box/cam/reply/me"}, {id: "3", topic: "other/answers"}} {
		a.qos, a.payload = 1, text(`{"schema":1,"id":%q,"ok":true}`, a.id)
		c.commands.put(a)
	}
	until(t, "all are through", func() bool { return c.commands.waiting() == 0 })
	until(t, "the reply that may go", func() bool { return strings.Contains(ears.last("/reply/me"), `"id":"2"`) })
	if s := c.Stats(); s.Sessions != 1 || c.Ready() != nil {
		t.Errorf("%d sessions: %v", s.Sessions, c.Ready())
	}
}

// TestATopicThatMayNotBeClearedHoldsNothingUp: it is passed over, and kept for the next start.
func TestATopicThatMayNotBeClearedHoldsNothingUp(t *testing.T) {
	m := forbidding(t, "topic readwrite segedge/box/#\n")
	c, err := New(options5(t, m.url(), &agent{}))
	if err != nil {
		t.Fatal(err)
	}
	c.announced.topic("segedge/older/status")
	c.announced.topic("segedge/box/attic/state")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	until(t, "connected", func() bool { return c.Ready() == nil })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if k := c.announced.Topics; !k["segedge/older/status"] || k["segedge/box/attic/state"] || c.Stats().Sessions != 1 {
		t.Errorf("left are %v after %d sessions", k, c.Stats().Sessions)
	}
}

func TestAFullQuotaIsNoRefusal(t *testing.T) {
	for code, want := range map[byte]bool{reasonNotAuthorised: true, 0x90: true, reasonQuota: false} {
		if err := fmt.Errorf("publish: %w", refusal{reasonError{code: code}}); refused(err) != want {
			t.Errorf("%v: refused is %t", err, !want)
		}
	}
	if refused(nil) || refused(errUnanswered) {
		t.Error("what the broker did not answer is refused")
	}
}
