package mqtt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
)

// maxPacket is the most bytes of a packet that are read: commands are much shorter, and no message of the agent's is longer.
const maxPacket = 8 << 20

// frames is a connection on which no packet is longer than maxPacket. Brokers pass on messages of 256 MiB, for which the client libraries
// make room at once: whoever may give commands would end an agent on a small box, and again at every start, since what was not
// acknowledged comes again. So a message that is too long is cut short, and refused as any command of its length; another packet ends
// the connection.
type frames struct {
	net.Conn
	in   *bufio.Reader
	head []byte // of a packet, yet to be given
	pass int    // bytes of it that follow
	skip int    // bytes of it that do not
}

func newFrames(c net.Conn) *frames { return &frames{Conn: c, in: bufio.NewReader(c)} }

func (f *frames) Read(b []byte) (int, error) {
	for {
		switch {
		case len(b) == 0:
			return 0, nil
		case len(f.head) > 0:
			n := copy(b, f.head)
			f.head = f.head[n:]
			return n, nil
		case f.pass > 0:
			n, err := f.in.Read(b[:min(len(b), f.pass)])
			f.pass -= n
			return n, err
		case f.skip > 0:
			n, err := f.in.Discard(f.skip)
			f.skip -= n
			if err != nil {
				return 0, err
			}
		default:
			if err := f.next(); err != nil {
				return 0, err
			}
		}
	}
}

// next reads what a packet begins with (MQTT 3.1.1, section 2.2; MQTT 5 has the same).
func (f *frames) next() error {
	first, err := f.in.ReadByte()
	if err != nil {
		return err
	}
	length, digit := 0, byte(128)
	for shift := 0; digit >= 128; shift += 7 {
		if shift > 21 {
			return errors.New("the broker sends a packet whose length is none")
		}
		if digit, err = f.in.ReadByte(); err != nil {
			return unexpected(err)
		}
		length |= int(digit&127) << shift
	}
	const publish = 3
	if length > maxPacket && first>>4 != publish {
		return fmt.Errorf("the broker sends a packet of type %d with %d bytes", first>>4, length)
	}
	f.pass, f.skip = min(length, maxPacket), max(0, length-maxPacket)
	f.head = appendLength(append(f.head[:0], first), f.pass)
	return nil
}

func appendLength(b []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(b, byte(n))
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
