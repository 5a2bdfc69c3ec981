package inference

import (
	"errors"
	"fmt"
	"io"
)

// message walks the fields of one protocol-buffer message inside a file, without reading what it does not need.
type message struct {
	r       io.ReaderAt
	at, end int64

	field  int   // of the last next
	varint int64 // its value, where it is a number
	from   int64 // its bytes, where it is a string, bytes or a message
	size   int64
	err    error
	parent *message // fails with this one

	buf  [256]byte // of the file at off
	off  int64
	held int
}

const maxText = 1 << 16

// next moves to the following field and reports whether there is one; err says whether the end was a clean one.
func (m *message) next() bool {
	if m.err != nil || m.at >= m.end {
		return false
	}
	key := m.readVarint()
	m.field, m.from, m.size, m.varint = int(key>>3), 0, 0, 0
	if m.err == nil && m.field < 1 {
		m.fail(errors.New("a field without a number"))
	}
	switch key & 7 {
	case 0:
		m.varint = int64(m.readVarint())
	case 1:
		m.at += 8
	case 2:
		m.size = int64(m.readVarint())
		m.from = m.at
		if m.size < 0 || m.size > m.end-m.at {
			m.fail(ErrTruncated)
		}
		m.at += m.size
	case 5:
		m.at += 4
	default:
		m.fail(fmt.Errorf("a field of wire type %d", key&7))
	}
	if m.err == nil && m.at > m.end {
		m.fail(ErrTruncated)
	}
	return m.err == nil
}

// sub is the message in the current field.
func (m *message) sub() *message {
	return &message{r: m.r, at: m.from, end: m.from + m.size, parent: m}
}

// text is the string in the current field.
func (m *message) text() string {
	if m.size > maxText {
		return ""
	}
	b := make([]byte, m.size)
	if _, err := m.r.ReadAt(b, m.from); err != nil && !errors.Is(err, io.EOF) {
		m.fail(err)
	}
	return string(b)
}

func (m *message) readVarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b, ok := m.readByte()
		if !ok {
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	m.fail(errors.New("a number of more than 64 bits"))
	return 0
}

func (m *message) readByte() (byte, bool) {
	if m.err != nil {
		return 0, false
	}
	if m.at >= m.end {
		m.fail(ErrTruncated)
		return 0, false
	}
	if m.at < m.off || m.at >= m.off+int64(m.held) {
		n, err := m.r.ReadAt(m.buf[:], m.at)
		if n == 0 {
			m.fail(err)
			return 0, false
		}
		m.off, m.held = m.at, n
	}
	b := m.buf[m.at-m.off]
	m.at++
	return b, true
}

// fail keeps the first error, here and in the messages around.
func (m *message) fail(err error) {
	for ; m != nil; m = m.parent {
		if m.err == nil {
			m.err = err
		}
	}
}
