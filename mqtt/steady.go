package mqtt

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// readOut is how long what a broker said before it went may take to be read.
const readOut = time.Second

// steady is a connection that is over when its reading is. A client that meets the other side's end while it writes would leave unread what
// had come before it: acknowledgements, without which everything under way is sent once more, and messages that the broker, which may have
// saved nothing, believes delivered. So such a write is taken, and the reader comes to the end by itself.
type steady struct {
	net.Conn
	gone atomic.Bool
}

func (s *steady) Write(b []byte) (int, error) {
	if s.gone.Load() {
		return len(b), nil
	}
	n, err := s.Conn.Write(b)
	if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		return n, err
	}
	s.gone.Store(true)
	return len(b), s.SetReadDeadline(time.Now().Add(readOut))
}
