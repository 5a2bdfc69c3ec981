package mqtt

import (
	"encoding/json"
	"hash/fnv"
	"time"

	"github.com/segedge/segedge/api"
)

const (
	// remember is how long a command's id is known; the interface promises ten minutes.
	remember = 10 * time.Minute
	// maxRemembered bounds the ids; beyond it new commands are refused as overload rather than old ids forgotten.
	maxRemembered = 8192
	// maxReplyBytes bounds the replies kept for repetition; the oldest lose their results first.
	maxReplyBytes = 8 << 20
)

// remembered is a command that was begun within the last ten minutes.
type remembered struct {
	Client string     `json:"client"`
	ID     string     `json:"id"`
	Hash   uint64     `json:"hash"` // of camera, verb and body
	At     time.Time  `json:"at"`
	Reply  *api.Reply `json:"reply,omitempty"` // nil while it is being done
	Forget bool       `json:"forget,omitempty"`
	bytes  int
}

// commandKey names a command: an id is unique per client.
type commandKey struct{ client, id string }

// memory knows the commands of the last ten minutes. No IO and no clock; not safe for concurrent use.
type memory struct {
	entries map[commandKey]*remembered
	order   []*remembered // by the time they were begun
	bytes   int
}

func newMemory() *memory { return &memory{entries: map[commandKey]*remembered{}} }

// hashCommand tells a repetition from another command under the same id.
func hashCommand(camera, verb string, body []byte) uint64 {
	h := fnv.New64a()
	for _, part := range [][]byte{[]byte(camera), {0}, []byte(verb), {0}, body} {
		_, _ = h.Write(part)
	}
	return h.Sum64()
}

// begin notes a new command, or returns what is known of one with its id; false when there is no room.
func (m *memory) begin(client, id string, hash uint64, now time.Time) (known *remembered, ok bool) {
	m.expire(now)
	if r := m.entries[commandKey{client, id}]; r != nil {
		return r, true
	}
	if len(m.entries) >= maxRemembered {
		return nil, false
	}
	m.put(&remembered{Client: client, ID: id, Hash: hash, At: now})
	return nil, true
}

// put adds or replaces what is known of a command.
func (m *memory) put(r *remembered) {
	key := commandKey{r.Client, r.ID}
	if old := m.entries[key]; old != nil {
		m.bytes -= old.bytes
		old.Forget = true
	}
	m.entries[key] = r
	m.order = append(m.order, r)
}

// finish keeps a command's reply. data is the reply as it was sent.
func (m *memory) finish(client, id string, reply api.Reply, data []byte) *remembered {
	r := m.entries[commandKey{client, id}]
	if r == nil {
		return nil
	}
	reply.Result = json.RawMessage(resultOf(data))
	if len(reply.Result.(json.RawMessage)) == 0 {
		reply.Result = nil
	}
	r.Reply, r.bytes = &reply, len(data)
	m.bytes += len(data)
	for _, old := range m.order {
		if m.bytes <= maxReplyBytes {
			break
		}
		if old.Reply != nil && old.Reply.Result != nil && !old.Forget {
			m.bytes -= old.bytes
			old.Reply.Result, old.bytes = nil, 0
		}
	}
	return r
}

// resultOf is the result of an encoded reply.
func resultOf(data []byte) []byte {
	var in struct {
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(data, &in) != nil {
		return nil
	}
	return in.Result
}

// forget lets a command be sent again under its id: it was not done.
func (m *memory) forget(client, id string) *remembered {
	key := commandKey{client, id}
	r := m.entries[key]
	if r == nil {
		return nil
	}
	delete(m.entries, key)
	m.bytes -= r.bytes
	r.Forget = true
	return r
}

// expire drops what is older than ten minutes. A clock that was set back keeps ids longer, never shorter.
func (m *memory) expire(now time.Time) {
	for len(m.order) > 0 && (m.order[0].Forget || now.Sub(m.order[0].At) > remember) {
		r := m.order[0]
		m.order[0] = nil
		m.order = m.order[1:]
		if key := (commandKey{r.Client, r.ID}); m.entries[key] == r {
			delete(m.entries, key)
			m.bytes -= r.bytes
		}
	}
}
