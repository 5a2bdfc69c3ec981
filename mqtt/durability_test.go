package mqtt

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
)

// complete checks that every event 0..n-1 came, in order once duplicates are discarded, with numbers without a hole. It returns the number of duplicates.
func complete(t *testing.T, events []api.Event, n int) int {
	t.Helper()
	if lost := missing(t, events, n); len(lost) > 0 || unique(events) != n {
		t.Fatalf("%d of %d events came; lost: %v", unique(events), n, lost)
	}
	if last := events[len(events)-1].Seq; last != uint64(n) {
		t.Fatalf("the last of %d events has the number %d", n, last)
	}
	return len(events) - n
}

func unique(events []api.Event) int {
	ids := map[string]bool{}
	for _, e := range events {
		ids[e.EventID] = true
	}
	return len(ids)
}

// kills is how often the broker, or the agent, is killed: 4 times, or SEGEDGE_TEST_KILLS.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("SEGEDGE_TEST_KILLS"), "4"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// underLoad publishes 200 events a second, as in the field notes, while mosquitto is killed again and again. It returns
// what the consumer heard, how many events there were, and how many the broker had acknowledged at each kill.
func underLoad(t *testing.T, settings string) (ears *listener, c *Client, n int, acknowledged []int) {
	t.Helper()
	m := startMosquitto(t, settings)
	ears = listen(t, m.url(), "ears", "segedge/box/+/events")
	c, _ = start(t, testOptions(t, m.url(), &agent{}))
	stop, published := make(chan struct{}), make(chan int, 1)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				c.Publish(happened(n))
			case <-stop:
				published <- n
				return
			}
		}
	}()
	for range kills(t) {
		before := len(ears.all("/events"))
		until(t, "events flow", func() bool { return len(ears.all("/events")) > before+150 })
		m.kill()
		until(t, "the loss is noticed", func() bool { return c.Ready() != nil })
		acknowledged = append(acknowledged, int(c.Stats().Outbox.Sent))
		m.start()
		ears.link.Close(0)
		ears.connect(t, Connection{Broker: m.url(), ClientID: "ears"}, "segedge/box/+/events")
	}
	close(stop)
	n = <-published
	arrive(t, "events that are delivered", n, func() int { return int(c.Stats().Outbox.Sent) })
	return ears, c, n, acknowledged
}

// arrive waits until n have come, however long that takes a broker that saves each, as long as they come.
func arrive(t *testing.T, what string, n int, count func() int) {
	t.Helper()
	for have := count(); have < n; {
		until(t, fmt.Sprintf("%s: more than %d of %d", what, have, n), func() bool { return count() > have })
		have = count()
	}
}

// TestBrokerKilledUnderLoad: nothing is lost that the broker has not acknowledged, and mosquitto saves what it acknowledges in the same turn
// of its loop, shortly after; what it had no time to save is told.
func TestBrokerKilledUnderLoad(t *testing.T) {
	all, c, n, acknowledged := heardUnderLoad(t, lossless)
	forgotten := missing(t, all, n)
	for _, k := range forgotten {
		if !slices.ContainsFunc(acknowledged, func(a int) bool { return a-64 <= k && k < a }) {
			t.Errorf("event %d is lost, and the broker was not killed after acknowledging it: it had at its deaths %v", k, acknowledged)
		}
	}
	d := len(all) - unique(all)
	t.Logf("mosquitto (%q) killed %d times under 200 events/s: %d of %d lost, all of them acknowledged just before a kill, in order; "+
		"%d that it had not acknowledged were sent again, %d heard twice (%.2f %%)",
		lossless, kills(t), len(forgotten), n, c.Stats().Again, d, 100*float64(d)/float64(n))
}

// TestBrokerThatForgets prints, when asked for, what mosquitto's default persistence loses after acknowledging it.
func TestBrokerThatForgets(t *testing.T) {
	if os.Getenv("SEGEDGE_TEST_KILLS") == "" {
		t.Skip("SKIPPED: a comparison, not a test; set SEGEDGE_TEST_KILLS to see it")
	}
	all, _, n, _ := heardUnderLoad(t, "persistence true\n")
	t.Logf("mosquitto with default persistence killed %d times under 200 events/s: %d of %d lost, %d duplicates",
		kills(t), len(missing(t, all, n)), n, len(all)-unique(all))
}

// heardUnderLoad is what was heard under load until the last event had come, from whom, how many there were, and underLoad's acknowledgements.
func heardUnderLoad(t *testing.T, settings string) (all []api.Event, c *Client, n int, acknowledged []int) {
	ears, c, n, acknowledged := underLoad(t, settings)
	c.Publish(happened(n)) // whatever comes comes before this
	until(t, "the last event is heard", func() bool {
		m := ears.all("/events")
		return bytes.Contains(m[len(m)-1].Payload, text(`"n":%d`, n))
	})
	return ears.events(t), c, n + 1, acknowledged
}

// missing are the events of 0..n-1 that did not come. What came has to be in order once duplicates are discarded by their event_id.
func missing(t *testing.T, all []api.Event, n int) []int {
	t.Helper()
	came, last, at := map[string]bool{}, uint64(0), -1
	var out []int
	for _, e := range all {
		if came[e.EventID] {
			continue
		}
		came[e.EventID] = true
		k := int(e.Details["n"].(float64))
		if e.Seq <= last || k <= at {
			t.Fatalf("event %d (seq %d) after %d (%d)", k, e.Seq, at, last)
		}
		for lost := at + 1; lost < k; lost++ {
			out = append(out, lost)
		}
		last, at = e.Seq, k
	}
	for lost := at + 1; lost < n; lost++ {
		out = append(out, lost)
	}
	return out
}

func TestEventsWaitForABroker(t *testing.T) {
	m := startMosquitto(t, "")
	m.kill()
	c, stop := start(t, testOptions(t, m.url(), &agent{}))
	for n := range 50 {
		c.Publish(happened(n))
	}
	until(t, "the journal has them", func() bool { return c.Stats().Outbox.Pending == 50 })
	if c.Ready() == nil {
		t.Error("ready without a broker")
	}
	m.start()
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	until(t, "the events come", func() bool { return unique(ears.events(t)) == 50 })
	complete(t, ears.events(t), 50)
	if err := c.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	stop()
}

func TestEventsSurviveARestartWithoutABroker(t *testing.T) {
	m := startMosquitto(t, "")
	m.kill()
	o := testOptions(t, m.url(), &agent{})
	c, stop := start(t, o)
	for n := range 20 {
		c.Publish(happened(n))
	}
	stop()
	if err := c.Run(context.Background()); err == nil {
		t.Error("a client ran twice")
	}
	m.start()
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	c, _ = start(t, o)
	for n := 20; n < 40; n++ {
		c.Publish(happened(n))
	}
	until(t, "all events come", func() bool { return unique(ears.events(t)) == 40 })
	complete(t, ears.events(t), 40)
}

// childBroker makes this test program an agent that publishes until it is killed.
const childBroker = "SEGEDGE_TEST_AGENT_BROKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(childBroker); url != "" {
		runChild(url, os.Getenv("SEGEDGE_TEST_AGENT_STATE"))
		return
	}
	os.Exit(m.Run())
}

func runChild(url, dir string) {
	c, err := New(Options{Connection: Connection{Broker: url}, Agent: "box", Service: &agent{}, StateDir: dir})
	if err != nil {
		os.Exit(3)
	}
	go func() {
		first, _ := strconv.Atoi(os.Getenv("SEGEDGE_TEST_AGENT_FIRST"))
		for n := first; ; n++ {
			c.Publish(happened(n))
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_ = c.Run(context.Background())
}

// TestAgentKilled kills the agent with SIGKILL under 200 events a second, every half second to two and a half: its last will comes, and the
// next one goes on where the journal ends.
func TestAgentKilled(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/#")
	dir := t.TempDir()
	for first := range kills(t) {
		child := exec.Command(os.Args[0])
		child.Env = append(
			os.Environ(),
			childBroker+"="+m.url(),
			"SEGEDGE_TEST_AGENT_STATE="+dir,
			"SEGEDGE_TEST_AGENT_FIRST="+strconv.Itoa(first*1_000_000),
		)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(ears.all("/events"))
		until(t, "the agent is online", func() bool { return ears.last("/status") == StatusOnline })
		until(t, "events flow", func() bool { return len(ears.all("/events")) > before+100 })
		time.Sleep(rand.N(2 * time.Second)) // anywhere between two syncs
		_ = child.Process.Kill()
		_ = child.Wait()
		until(t, "the last will", func() bool { return ears.last("/status") == StatusOffline })
	}
	ids, last, jumps := map[string]bool{}, uint64(0), 0
	for _, e := range ears.events(t) {
		if ids[e.EventID] {
			continue
		}
		ids[e.EventID] = true
		if e.Seq != last+1 {
			t.Fatalf("seq %d after %d", e.Seq, last)
		}
		if n := e.Details["n"].(float64); n > 0 && int(n)%1_000_000 == 0 {
			jumps++
		}
		last = e.Seq
	}
	if jumps != kills(t)-1 {
		t.Errorf("%d of %d restarts go on with the numbers", jumps, kills(t)-1)
	}
	all := len(ears.events(t))
	t.Logf("the agent killed %d times under load: 0 of %d lost, in order, %d duplicates (%.2f %%)", kills(t), len(ids), all-len(ids),
		100*float64(all-len(ids))/float64(len(ids)))
}
