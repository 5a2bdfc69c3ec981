package mqtt

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/segedge/segedge/api"
)

// stream is a connection of which only the reading is used.
type stream struct {
	net.Conn
	io.Reader
}

func (s stream) Read(b []byte) (int, error) { return s.Reader.Read(b) }

func packet(first byte, body []byte) []byte {
	return append(appendLength([]byte{first}, len(body)), body...)
}

// TestFrames: what is short comes through as it is, however it comes; a message that is too long is cut, and what is behind it comes.
func TestFrames(t *testing.T) {
	long := bytes.Repeat([]byte("x"), maxPacket+300)
	in := bytes.Join([][]byte{packet(0x32, []byte("hello")), packet(0xD0, nil), packet(0x32, long), packet(0x40, []byte{0, 1})}, nil)
	want := bytes.Join([][]byte{packet(0x32, []byte("hello")), packet(0xD0, nil), packet(0x32, long[:maxPacket]), packet(0x40, []byte{0, 1})}, nil)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(in), "halved": iotest.HalfReader(bytes.NewReader(in)), "byte by byte": iotest.OneByteReader(bytes.NewReader(in)),
	} {
		got, err := io.ReadAll(newFrames(stream{Reader: r}))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for text, says := range map[string]string{
		"\x40\xff\xff\xff\x7f": "packet of type 4 with 268435455 bytes", "\x32\xff\xff\xff\xff\x01": "length is none", "\x32\xff": "unexpected EOF",
	} {
		if _, err := io.ReadAll(newFrames(stream{Reader: strings.NewReader(text)})); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestACommandOfManyMegabytes: it is refused like any that is too long, costs the agent no memory to speak of, and what comes after is done.
func TestACommandOfManyMegabytes(t *testing.T) {
	m := startMosquitto(t, "")
	for name, version := range map[string]int{"3.1.1": 0, "5": 5} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t, m.url(), &agent{})
			o.Version = version
			c, stop := start(t, o)
			defer stop()
			until(t, "connected", func() bool { return c.Ready() == nil })
			heard := make(chan api.Reply, 1)
			l, err := Dial(context.Background(), Connection{Broker: m.url(), ClientID: "giant", WriteTimeout: time.Minute, AckTimeout: time.Minute}, nil, false, func(m Message) {
				var r api.Reply
				_ = json.Unmarshal(m.Payload, &r)
				m.Done()
				heard <- r
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close(time.Second)
			if err := l.Subscribe(context.Background(), "segedge/box/cam/reply/giant"); err != nil {
				t.Fatal(err)
			}
			topic := "segedge/box/cam/cmd/clear"
			for _, body := range [][]byte{
				append([]byte(`{"id":"`), bytes.Repeat([]byte("x"), 40<<20)...), text(`{"id":"after","reply":"giant"}`),
			} {
				if err := l.Publish(context.Background(), topic, 1, false, body); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case r := <-heard:
				if !r.OK || r.ID != "after" {
					t.Errorf("%+v", r)
				}
			case <-time.After(60 * time.Second):
				t.Error("what came after is not answered")
			}
		})
	}
}
