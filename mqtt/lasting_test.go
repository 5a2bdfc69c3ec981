package mqtt

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// What docs/reliability.md shows at length, and CI in short.

// TestBrokerAway: a broker that is away for SEGEDGE_TEST_AWAY (a second) while 50 events a second happen costs none of them.
func TestBrokerAway(t *testing.T) {
	away, err := time.ParseDuration(cmp.Or(os.Getenv("SEGEDGE_TEST_AWAY"), "1s"))
	if err != nil {
		t.Fatal(err)
	}
	m := startMosquitto(t, lossless)
	c, _ := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Ready() == nil })
	m.kill()
	n := 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(away); time.Now().Before(end); n++ {
		<-tick.C
		c.Publish(happened(n))
	}
	m.start()
	back := time.Now()
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	until(t, "connected again", func() bool { return c.Ready() == nil })
	reconnected := time.Since(back)
	arrive(t, "events that are heard", n, func() int { return ears.different(t, n) })
	all := time.Since(back)
	d := complete(t, ears.events(t), n)
	t.Logf("the broker away for %s at 50 events/s: 0 of %d lost, in order, %d duplicates; connected %s after it was back, all heard after %s",
		away, n, d, reconnected.Round(time.Millisecond), all.Round(time.Millisecond))
}

// TestReconnecting: after each of as many outages of up to three seconds as kills says there is one new session, and how soon is said. How
// soon it has to be is held of the pauses, which no other work on the machine lengthens.
func TestReconnecting(t *testing.T) {
	m := startMosquitto(t, "")
	c, _ := start(t, testOptions(t, m.url(), &agent{}))
	var took []time.Duration
	for i := range kills(t) {
		until(t, "connected", func() bool { return c.Ready() == nil })
		sessions := c.Stats().Sessions
		m.kill()
		until(t, "the loss is noticed", func() bool { return c.Ready() != nil })
		time.Sleep(time.Duration(i%4) * time.Second) // the outage: what is measured is how long the pauses have become
		m.start()
		back := time.Now()
		until(t, "connected again", func() bool { return c.Ready() == nil })
		took = append(took, time.Since(back))
		if n := c.Stats().Sessions - sessions; n != 1 {
			t.Errorf("%d sessions after outage %d", n, i)
		}
	}
	slices.Sort(took)
	t.Logf("back %d times: median %s, longest %s after the broker", len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	for n := range 100 {
		if backoff(n, 0) > 2*time.Second {
			t.Errorf("the pause after %d failures is %s", n, backoff(n, 0))
		}
	}
}

// TestMalformedCommands: SEGEDGE_TEST_FLOOD (300) commands that cannot be read, at 1,000 a second, are each answered or counted, and cost an
// event a second.
func TestMalformedCommands(t *testing.T) {
	count, err := strconv.Atoi(cmp.Or(os.Getenv("SEGEDGE_TEST_FLOOD"), "300"))
	if err != nil {
		t.Fatal(err)
	}
	m := startMosquitto(t, "")
	c, _ := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Ready() == nil })
	ears := listen(t, m.url(), "ears", "segedge/box/+/events", "segedge/box/+/reply/#")
	began := time.Now()
	var tokens []Token
	for i := range count {
		body := text(`{"id":"%d","reply":"me","points":[{"x":7}`+"%s", i, []string{"", "]}", `],"y":1}`}[i%3])
		tokens = append(tokens, ears.link.Send(context.Background(), Packet{Topic: c.topics.Command("cam", "prompt"), QoS: 1, Payload: body}))
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Millisecond)))
	}
	for _, token := range tokens {
		if err := ears.link.Await(context.Background(), token); err != nil {
			t.Fatal(err)
		}
	}
	sent := time.Since(began)
	until(t, "all are taken", func() bool { return c.Stats().Refused == uint64(count) && c.commands.waiting() == 0 })
	until(t, "all answers are heard", func() bool {
		return uint64(len(ears.all("/reply/me")))+unanswerable(count)+c.Stats().Replies >= uint64(count)
	})
	t.Logf("%d malformed commands in %s: %d refused, %d answered, %d without an address that could be read, %d answers lost and counted; %d events, %d syncs",
		count, sent.Round(time.Millisecond), c.Stats().Refused, len(ears.all("/reply/me")), unanswerable(count), c.Stats().Replies, len(ears.all("/events")), c.Stats().Outbox.Syncs)
}

// unanswerable are those of TestMalformedCommands whose JSON is broken: nobody knows from whom they are.
func unanswerable(count int) uint64 { return uint64((count + 2) / 3) }
