package mqtt

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzWire: whatever a broker sends once it has taken a connection, the agent hears of it or loses that connection.
func FuzzWire(f *testing.F) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	f.Add(true, []byte("\x32\x0b\x00\x01a\x00\x07\x03\x23\x00\x05hi"))
	f.Add(true, []byte("\x40\x04\x00\x01\x10\x00"))
	f.Add(true, []byte("\xe0\x02\x8e\x00"))
	f.Add(true, []byte("\x90\x04\x00\x01\x00\x01"))
	f.Add(true, []byte("\x50\x02\x00\x01\x62\x02\x00\x01\x70\x02\x00\x01\xb0\x02\x00\x01\xd0\x00\xf0\x00"))
	f.Add(false, []byte("\x32\x07\x00\x01a\x00\x07hi"))
	f.Add(false, []byte("\x90\x03\x00\x01\x01\x40\x02\x00\x01"))
	f.Add(false, []byte("\x34\x05\x00\x01a\x00\x07\x62\x02\x00\x07"))
	f.Fuzz(func(t *testing.T, five bool, says []byte) {
		served := make(chan struct{})
		go func() {
			defer close(served)
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := c.Read(make([]byte, 512)); err != nil {
				return
			}
			ack := "\x20\x02\x00\x00"
			if five {
				ack = "\x20\x03\x00\x00\x00"
			}
			_, _ = c.Write(append([]byte(ack), says...))
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}()
		o := Connection{Broker: "tcp://" + l.Addr().String(), ClientID: "c", ConnectTimeout: 5 * time.Second}
		if five {
			o.Version = 5
		}
		link, err := Dial(context.Background(), o, nil, false, func(m Message) { m.Done() })
		if err == nil {
			select {
			case <-link.Lost():
			case <-time.After(10 * time.Second):
				t.Error("the connection is not lost")
			}
			link.Close(0)
		}
		<-served
	})
}
