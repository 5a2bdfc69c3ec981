package broker

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// hello is a CONNECT packet of a version (3, 4 or 5).
func hello(version byte) []byte {
	name, properties := "MQTT", []byte(nil)
	switch version {
	case 3:
		name = "MQIsdp"
	case 5:
		properties = []byte{0}
	}
	body := append([]byte{0, byte(len(name))}, name...)
	body = append(append(body, version, 2, 0, 60), properties...)
	return framed(0x10, append(body, 0, 1, 'f'))
}

// framed is a packet with its length.
func framed(head byte, body []byte) []byte {
	out, n := []byte{head}, len(body)
	for {
		digit := byte(n % 128)
		if n /= 128; n > 0 {
			out = append(out, digit|128)
			continue
		}
		return append(append(out, digit), body...)
	}
}

// FuzzBroker: whatever a client sends, before it is let in and after, costs its own connection at most: the broker lives in the agent.
func FuzzBroker(f *testing.F) {
	b := serve(f, Options{Listen: "127.0.0.1:0"})
	f.Add(byte(4), byte(0x32), []byte("\x00\x01a\x00\x07hello"))
	f.Add(byte(5), byte(0x32), []byte("\x00\x01a\x00\x07\x03\x23\x00\x05hello"))
	f.Add(byte(5), byte(0x82), []byte("\x00\x01\x02\x0b\x01\x00\x03a/#\x01"))
	f.Add(byte(4), byte(0x82), []byte("\x00\x01\x00\x0a$share/g/a\x01"))
	f.Add(byte(5), byte(0xA2), []byte("\x00\x01\x00\x00\x03a/#"))
	f.Add(byte(5), byte(0x62), []byte("\x00\x01\x00"))
	f.Add(byte(5), byte(0xE0), []byte("\x04\x05\x11\x00\x00\x00\x00"))
	f.Add(byte(5), byte(0xF0), []byte("\x00\x00"))
	f.Add(byte(0), byte(0x10), hello(5)[2:])
	f.Add(byte(0), byte(0x10), []byte("\x00\x04MQTT\x05\xee\x00\x3c\x05\x11\x00\x00\x00\x01\x00\x01f\x02\x01\x01\x00\x01w\x00\x01x\x00\x01u\x00\x01p"))
	f.Fuzz(func(t *testing.T, version, head byte, body []byte) {
		c, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.(*net.TCPConn).SetLinger(0) // ports are few where connections are many
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		packet := framed(head, body)
		if 3 <= version && version <= 5 {
			packet = append(hello(version), packet...)
		}
		packet = append(packet, 0xE0, 0) // goodbye, so that there is no wait where it was taken
		if _, err := io.Copy(c, bytes.NewReader(packet)); err == nil {
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}
	})
}
