package broker

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/segedge/segedge/testkit"
)

// works fails unless a client can come in, subscribe and hear itself.
func works(t *testing.T, b *Broker, id string) {
	t.Helper()
	c, err := connect(b.URL(), id, "", "")
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	defer c.Disconnect(0)
	heard := make(chan struct{}, 1)
	c.Subscribe("x/"+id, 1, func(paho.Client, paho.Message) { heard <- struct{}{} }).Wait()
	c.Publish("x/"+id, 1, false, "y").Wait()
	select {
	case <-heard:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s hears nothing", id)
	}
}

func dial(t *testing.T, b *Broker) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ends fails unless the broker ends a connection.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := io.Copy(io.Discard, c)
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Fatal("the connection stays")
	}
}

// TestPacketsThatCannotBeRead: one over which the decoders stumble costs its sender the connection and the session, and nobody else anything.
func TestPacketsThatCannotBeRead(t *testing.T) {
	said := &testkit.Buffer{}
	b := serve(t, Options{Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(said, nil))})
	for range 3 {
		c := dial(t, b)
		packet := append(hello(5), framed(0x82, []byte("\x00\x01\x02\v\x01\x00\x03a/#"))...) // a subscription without its options
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		ends(t, c)
	}
	works(t, b, "f") // the sender's own id
	if !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("said %q", said)
	}
}

// TestSilentConnections: whoever opens connections and says nothing keeps nobody out.
func TestSilentConnections(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0"})
	first := dial(t, b)
	for range 3 * maxBefore {
		dial(t, b)
	}
	works(t, b, "agent")
	ends(t, first)
}

// TestTheFirstPacketIsShort: no room is made for what a stranger announces.
func TestTheFirstPacketIsShort(t *testing.T) {
	b := serve(t, Options{Listen: "127.0.0.1:0"})
	for _, head := range []string{"\x10\xff\xff\xff\x7f", "\x10\xff\xff\x7f", "\x10\x81\x80\x08"} {
		c := dial(t, b)
		for i := range head { // one by one, as it may come
			if _, err := c.Write([]byte{head[i]}); err != nil {
				break
			}
		}
		ends(t, c)
	}
	works(t, b, "agent")
}

// exhausted is a listener that fails for a while, as it does where no descriptors are left.
type exhausted struct {
	net.Listener
	left int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.left--; e.left >= 0 {
		return nil, syscall.EMFILE
	}
	return e.Listener.Accept()
}

// TestAcceptsThatFail: the broker is there when descriptors are.
func TestAcceptsThatFail(t *testing.T) {
	said := &testkit.Buffer{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{id: "tcp", listener: &exhausted{l, 3}, log: slog.New(slog.NewTextHandler(said, nil))}
	came := make(chan struct{}, 1)
	served := make(chan struct{})
	go func() {
		defer close(served)
		g.Serve(func(_ string, c net.Conn) error { came <- struct{}{}; return c.Close() })
	}()
	c, err := net.Dial("tcp", g.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-came
	g.Close(func(string) {})
	<-served
	g.inside.Wait()
	if n := strings.Count(said.String(), "cannot be taken"); n != 1 {
		t.Errorf("said %d times: %s", n, said)
	}
}
