package mqtt

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// cutter is a network between a client and its broker that breaks each connection after some bytes, in the middle of
// packets and between a message and its acknowledgement.
type cutter struct {
	listener net.Listener
	target   string
	cuts     atomic.Int64
	healed   atomic.Bool
	rnd      *rand.Rand
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, target: strings.TrimPrefix(target, "tcp://"), rnd: rand.New(rand.NewPCG(1, 2))}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		_ = l.Close()
		c.mu.Lock()
		for _, conn := range c.open {
			_ = conn.Close()
		}
		c.mu.Unlock()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) url() string { return "tcp://" + c.listener.Addr().String() }

func (c *cutter) accept() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", c.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, in, out)
		c.mu.Unlock()
		up, down := int64(1000+c.rnd.IntN(20_000)), int64(50+c.rnd.IntN(400))
		c.wg.Go(func() { c.copy(out, in, up) })
		c.wg.Go(func() { c.copy(in, out, down) })
	}
}

// copy forwards n bytes and then breaks both ends, unless the network is healed.
func (c *cutter) copy(dst, src net.Conn, n int64) {
	_, err := io.CopyN(dst, src, n)
	if err == nil && c.healed.Load() {
		_, _ = io.Copy(dst, src)
	}
	if err == nil {
		c.cuts.Add(1)
	}
	_ = dst.Close()
	_ = src.Close()
}

// TestNetworkThatBreaks loses packets and acknowledgements at every place; no event is lost, none comes out of order.
func TestNetworkThatBreaks(t *testing.T) {
	m := startMosquitto(t, "")
	net := newCutter(t, m.url())
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	c, _ := start(t, testOptions(t, net.url(), &agent{}))
	const n = 400
	for i := range n {
		c.Publish(happened(i))
	}
	until(t, "the network has broken a few times, or everything is through", func() bool {
		return net.cuts.Load() >= 4 || c.Stats().Outbox.Pending == 0 && c.Stats().Outbox.Appended == n
	})
	net.healed.Store(true)
	until(t, "everything is delivered", func() bool { return unique(ears.events(t)) == n && c.Stats().Outbox.Pending == 0 })
	d := complete(t, ears.events(t), n)
	if net.cuts.Load() == 0 {
		t.Error("the network did not break")
	}
	t.Logf("%d connections broken: 0 of %d events lost, %d duplicates", net.cuts.Load(), n, d)
}

// mute is a broker that takes everything and acknowledges nothing but the connection and the subscription.
func mute(t *testing.T) (url string, published *atomic.Int64, connections *atomic.Int64) {
	t.Helper()
	published = &atomic.Int64{}
	url, connections = fakeBroker(t, func(*packets.PublishPacket) (packets.ControlPacket, bool) {
		published.Add(1)
		return nil, true
	})
	return url, published, connections
}

func TestBrokerThatAcknowledgesNothingIsLeft(t *testing.T) {
	url, published, connections := mute(t)
	o := testOptions(t, url, &agent{})
	o.AckTimeout = 50 * time.Millisecond
	c, stop := start(t, o)
	c.Publish(happened(0))
	until(t, "it is called again", func() bool { return connections.Load() >= 2 && published.Load() >= 2 })
	if err := c.Ready(); err == nil {
		t.Error("ready with a broker that acknowledges nothing")
	}
	if c.Stats().Outbox.Sent != 0 {
		t.Error("an event counts as delivered without an acknowledgement")
	}
	stop()
}

func TestLinkThatBreaksWhileWaiting(t *testing.T) {
	url, published, _ := mute(t)
	l, err := Dial(t.Context(), Connection{Broker: url, ClientID: "x"}, nil, false, func(Message) {})
	if err != nil {
		t.Fatal(err)
	}
	if l.Err() != nil {
		t.Errorf("a link that stands: %v", l.Err())
	}
	waited := make(chan error, 1)
	go func() { waited <- l.Publish(context.Background(), "a", 1, false, []byte("x")) }()
	until(t, "the message is out", func() bool { return published.Load() == 1 })
	l.cut()
	if err := <-waited; err == nil {
		t.Error("a message is acknowledged by a link that broke")
	}
	until(t, "the link knows", func() bool { return errors.Is(l.Err(), ErrLinkLost) })
	if err := l.Publish(t.Context(), "a", 1, false, []byte("x")); err == nil {
		t.Error("a broken link takes messages")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Dial(ctx, Connection{Broker: url, ClientID: "x"}, nil, false, func(Message) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	l.Close(0)
}

func TestSubscriptionThatIsRefused(t *testing.T) {
	m := startMosquitto(t, "acl_file /dev/null\n")
	l, err := Dial(t.Context(), Connection{Broker: m.url(), ClientID: "x"}, nil, false, func(Message) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(0)
	if err := l.Subscribe(t.Context(), "$share/a/b/#/c"); err == nil {
		t.Error("an impossible filter is taken")
	}
}
