package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
)

// A segment is a sequence of records. A record is two magic bytes, its kind, the length of its payload (32 bits, big
// endian), a checksum of these (16 bits), the CRC-32C of kind, length and payload, and the payload. The magic lets a
// reader go on behind a damaged place; the checksums decide whether what it found there is a record, and tell a record
// that was never written whole from one whose length was damaged.

type kind byte

const (
	kindHeader    kind = 'H' // JSON: what the journal knew when the segment began
	kindEvent     kind = 'E' // one event
	kindDelivered kind = 'D' // uvarint: every event with a lower index has been delivered
)

const (
	magic0, magic1 = 0xE5, 0x9E
	frameSize      = 13
	maxPayload     = 8 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errTorn   = errors.New("the record ends before its length")
	errDamage = errors.New("the record does not match its checksum")
)

// stream is one camera's numbering.
type stream struct {
	ID   string `json:"id"`
	Last uint64 `json:"last"` // the last sequence number given
	Sent uint64 `json:"sent"` // the last that was delivered or given up, as far as is known; what is between waits in older segments
}

// version is of the header.
const version = 2

// header begins a segment.
type header struct {
	Version   int               `json:"version"`  // 2; in 1 the streams do not say what was sent
	Identity  string            `json:"identity"` // the agent and the broker that the journal belongs to
	Next      uint64            `json:"next"`     // the index of the segment's first event
	Delivered uint64            `json:"delivered"`
	Cameras   map[string]stream `json:"cameras"`
}

// span is a closed range of one camera's sequence numbers; the zero span is empty.
type span struct{ From, To uint64 }

// event is a journalled event. Index counts all cameras' events in the order of the journal.
type event struct {
	Index  uint64
	Camera string
	Stream string
	Seq    uint64
	Lost   span // what this event explains, if it is events.dropped
	Body   []byte
}

// first is the lowest number that an event, whose own is seq, accounts for: what it explains may end right before it.
func (s span) first(seq uint64) uint64 {
	if s.From > 0 && s.To == seq-1 {
		return s.From
	}
	return seq
}

func (e event) first() uint64 { return e.Lost.first(e.Seq) }

// without takes an event out of what a header knows, and all behind it: it lies in no segment yet.
func (h *header) without(camera string, index, first uint64) {
	s := h.Cameras[camera]
	s.Last = min(s.Last, first-1)
	s.Sent = min(s.Sent, s.Last)
	h.Cameras[camera], h.Next = s, min(h.Next, index)
}

// appendRecord frames a payload.
func appendRecord(buf []byte, k kind, payload []byte) []byte {
	buf = append(buf, magic0, magic1, byte(k))
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(payload)))
	sum := crc32.Checksum(buf[len(buf)-5:], castagnoli)
	buf = binary.BigEndian.AppendUint16(buf, uint16(sum))
	buf = binary.BigEndian.AppendUint32(buf, crc32.Update(sum, castagnoli, payload))
	return append(buf, payload...)
}

// readRecord reads the record at the start of data and says how long it is.
func readRecord(data []byte) (kind, []byte, int, error) {
	if len(data) < frameSize {
		return 0, nil, 0, errTorn
	}
	if data[0] != magic0 || data[1] != magic1 {
		return 0, nil, 0, errDamage
	}
	n, sum := int(binary.BigEndian.Uint32(data[3:])), crc32.Checksum(data[2:7], castagnoli)
	if n > maxPayload || uint16(sum) != binary.BigEndian.Uint16(data[7:]) {
		return 0, nil, 0, errDamage
	}
	if len(data) < frameSize+n {
		return 0, nil, 0, errTorn
	}
	payload := data[frameSize : frameSize+n]
	if crc32.Update(sum, castagnoli, payload) != binary.BigEndian.Uint32(data[9:]) {
		return 0, nil, 0, errDamage
	}
	return kind(data[2]), payload, frameSize + n, nil
}

func appendHeader(buf []byte, h header) ([]byte, error) { //nolint:unparam // it appends as its siblings do
	payload, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return appendRecord(buf, kindHeader, payload), nil
}

func appendDelivered(buf []byte, before uint64) []byte {
	return appendRecord(buf, kindDelivered, binary.AppendUvarint(nil, before))
}

func appendEvent(buf []byte, e event) []byte {
	var p []byte
	for _, v := range []uint64{e.Index, e.Seq, e.Lost.From, e.Lost.To} {
		p = binary.AppendUvarint(p, v)
	}
	for _, s := range []string{e.Camera, e.Stream} {
		p = append(binary.AppendUvarint(p, uint64(len(s))), s...)
	}
	return appendRecord(buf, kindEvent, append(p, e.Body...))
}

// parseEvent reads the payload of an event; Body aliases it.
func parseEvent(p []byte) (event, error) {
	var e event
	for _, v := range []*uint64{&e.Index, &e.Seq, &e.Lost.From, &e.Lost.To} {
		n := 0
		if *v, n = binary.Uvarint(p); n <= 0 {
			return e, errDamage
		}
		p = p[n:]
	}
	for _, s := range []*string{&e.Camera, &e.Stream} {
		size, n := binary.Uvarint(p)
		if n <= 0 || size > uint64(len(p)-n) {
			return e, errDamage
		}
		*s, p = string(p[n:n+int(size)]), p[n+int(size):]
	}
	e.Body = p
	return e, nil
}

// record is one record that scan found, with its place in the segment.
type record struct {
	kind      kind
	payload   []byte
	off, size int
}

// condition is what a segment has been through.
type condition int

const (
	whole   condition = iota // every byte belongs to a record
	torn                     // it ends in a record that was never written whole, and so never sent
	damaged                  // bytes that may once have been records are none
)

// scan finds the whole records of a segment, also behind damage.
func scan(data []byte) ([]record, condition) {
	var out []record
	state, lost := whole, false
	for off := 0; off < len(data); {
		k, payload, n, err := readRecord(data[off:])
		if err == nil {
			if state == torn {
				state = damaged // a record follows, so this was not the end
			}
			out = append(out, record{k, payload, off, n})
			off, lost = off+n, false
			continue
		}
		if !lost && state == whole && (errors.Is(err, errTorn) || zero(data[off:])) {
			state = torn
		} else if !lost {
			state = damaged
		}
		lost = true
		off++
		for off < len(data) && data[off] != magic0 {
			off++
		}
	}
	return out, state
}

// zero reports whether a file system left a hole where the data should have been.
func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
