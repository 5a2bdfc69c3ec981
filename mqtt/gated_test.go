package mqtt

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// firstPacket is a connection that hands out what it is given at once, and then the end.
type firstPacket struct {
	net.Conn
	r io.Reader
}

func (f *firstPacket) Read(b []byte) (int, error) { return f.r.Read(b) }

func TestGatedShowsTheFirstPacketOnly(t *testing.T) {
	long := "\x20\x80\x01" + strings.Repeat("x", 128)
	for name, first := range map[string]string{"no properties": "\x20\x03\x00\x00\x00", "empty": "\x20\x00", "two bytes of length": long} {
		g := &gated{Conn: &firstPacket{r: strings.NewReader(first + "\xe0\x01\x8e")}, open: make(chan struct{})}
		got := make([]byte, len(first))
		if _, err := io.ReadFull(g, got); err != nil || string(got) != first {
			t.Fatalf("%s: read %q, %v", name, got, err)
		}
		rest := make(chan string)
		go func() {
			b, _ := io.ReadAll(g)
			rest <- string(b)
		}()
		select {
		case b := <-rest:
			t.Fatalf("%s: %q was shown before the connection was open", name, b)
		case <-time.After(10 * time.Millisecond):
		}
		close(g.open)
		if b := <-rest; b != "\xe0\x01\x8e" {
			t.Errorf("%s: then %q", name, b)
		}
	}
}
