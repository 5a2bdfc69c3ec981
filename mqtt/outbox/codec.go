package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
)

// A segment is a sequence of records. A record is two magic bytes, its kind, the length of its payload (32 bits, big
// endian), the CRC-32C of kind, length and payload, and the payload. The magic lets a reader go on behind a damaged
// place; the checksum decides whether what it found there is a record.

type kind byte

const (
	kindHeader    kind = 'H' // JSON: what the journal knew when the segment began
	kindEvent     kind = 'E' // one event
	kindDelivered kind = 'D' // uvarint: every event with a lower index has been delivered
)

const (
	magic0, magic1 = 0xE5, 0x9E
	frameSize      = 11
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

	sent uint64 // the last sequence number delivered, as far as this process knows
}

// header begins a segment.
type header struct {
	Version   int               `json:"version"`
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

// appendRecord frames a payload.
func appendRecord(buf []byte, k kind, payload []byte) []byte {
	buf = append(buf, magic0, magic1, byte(k))
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(payload)))
	sum := crc32.Update(0, castagnoli, buf[len(buf)-5:])
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
	n := int(binary.BigEndian.Uint32(data[3:]))
	if n > maxPayload {
		return 0, nil, 0, errDamage
	}
	if len(data) < frameSize+n {
		return 0, nil, 0, errTorn
	}
	payload := data[frameSize : frameSize+n]
	sum := crc32.Update(crc32.Update(0, castagnoli, data[2:7]), castagnoli, payload)
	if sum != binary.BigEndian.Uint32(data[7:]) {
		return 0, nil, 0, errDamage
	}
	return kind(data[2]), payload, frameSize + n, nil
}

func appendHeader(buf []byte, h header) ([]byte, error) {
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

// tail says how a segment ended.
type tail int

const (
	tailClean   tail = iota // on a record's end
	tailTorn                // in a record that was never written whole: it was never sent either
	tailDamaged             // in bytes that may once have been whole records
)

// scan finds the whole records of a segment, also behind damage. What was lost between them shows in the indexes.
func scan(data []byte) ([]record, tail) {
	var out []record
	end := tailClean
	for off := 0; off < len(data); {
		k, payload, n, err := readRecord(data[off:])
		if err == nil {
			out = append(out, record{k, payload, off, n})
			off, end = off+n, tailClean
			continue
		}
		if end == tailClean {
			end = tailDamaged
			if errors.Is(err, errTorn) || zero(data[off:]) {
				end = tailTorn
			}
		}
		off++
		for off < len(data) && data[off] != magic0 {
			off++
		}
	}
	return out, end
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
