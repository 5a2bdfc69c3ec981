package mqtt

import "net"

// gated is a connection that shows its first packet, which is the CONNACK, and what follows once it is open. paho's Connect counts its
// workers after the CONNACK; a broker that ends the connection together with it would have them waited for while they are being
// counted, for which sync.WaitGroup panics. It is read by one goroutine at a time.
type gated struct {
	net.Conn
	open   chan struct{}
	header int  // bytes of the fixed header that were read
	body   int  // bytes behind the fixed header that are still to come
	sized  bool // the fixed header is read
}

func (g *gated) Read(b []byte) (int, error) {
	if g.sized && g.body == 0 {
		<-g.open
		return g.Conn.Read(b)
	}
	most := 1 // nothing behind the fixed header may be read with it
	if g.sized {
		most = g.body
	}
	n, err := g.Conn.Read(b[:min(most, len(b))])
	if g.sized {
		g.body -= n
	} else if n > 0 {
		g.measure(b[0])
	}
	return n, err
}

// measure takes a byte of the fixed header: the type, then the length, seven bits a byte and the least first (MQTT 5, 1.5.5).
func (g *gated) measure(b byte) {
	if g.header > 0 {
		g.body |= int(b&0x7f) << (7 * (g.header - 1))
		g.sized = b < 0x80 || g.header == 4
	}
	g.header++
}
