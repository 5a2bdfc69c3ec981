package mqtt

import (
	"errors"
	"net"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// TestWhatABrokerSaidBeforeItsEndIsRead: a connection that is reset still gives what lay in it, whatever was written meanwhile.
func TestWhatABrokerSaidBeforeItsEndIsRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	plain, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	puback := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	puback.MessageID = 7
	if err := puback.Write(other); err != nil {
		t.Fatal(err)
	}
	_ = other.(*net.TCPConn).SetLinger(0) // as a process that is killed with bytes that it has not read
	_ = other.Close()
	conn := &steady{Conn: plain}
	until(t, "the end is met", func() bool {
		if _, err := conn.Write([]byte("event")); err != nil {
			t.Fatalf("a write failed: %v", err)
		}
		return conn.gone.Load()
	})
	got, err := packets.ReadPacket(conn)
	if err != nil || got.Details().MessageID != 7 {
		t.Fatalf("read %v, %v", got, err)
	}
	if _, err := packets.ReadPacket(conn); err == nil {
		t.Error("the reader does not come to the end")
	}
}

// TestWhatElseFailsFails: only the other side's end is left to the reader.
func TestWhatElseFailsFails(t *testing.T) {
	here, there := net.Pipe()
	_ = there.Close()
	_ = here.Close()
	if _, err := (&steady{Conn: here}).Write([]byte("event")); err == nil || errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}
