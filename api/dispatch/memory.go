package dispatch

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"slices"
	"time"

	"github.com/segedge/segedge/api"
)

const (
	// keep is how long a command's id is known; the interface promises ten minutes.
	keep = 10 * time.Minute
	// maxPerClient bounds the ids of one client; beyond it its new commands are refused rather than its old ids forgotten.
	maxPerClient = 4096
	// maxRemembered bounds all ids; beyond it who has the most loses the oldest, and nobody is refused for another's sake.
	maxRemembered = 8 * maxPerClient
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
	done   chan struct{} // closed when answer is there
	answer api.Reply
}

// tell gives the answer to those who sent the command again while it was being done.
func (r *remembered) tell(answer api.Reply) {
	if r.done != nil {
		r.answer = answer
		close(r.done)
	}
}

// commandKey names a command: an id is unique per client.
type commandKey struct{ client, id string }

// memory knows the commands of the last ten minutes. No IO and no clock; not safe for concurrent use.
type memory struct {
	entries map[commandKey]*remembered
	clients map[string]int // how many entries each has
	order   []*remembered  // by the time they were begun
	bytes   int
}

func newMemory() *memory {
	return &memory{entries: map[commandKey]*remembered{}, clients: map[string]int{}}
}

// sumOf tells a repetition from another command under the same id.
func sumOf(camera string, command uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(camera), command))
	return h.Sum64()
}

// begin notes a new command, or returns what is known of one with its id; nil when its client has no room left.
func (m *memory) begin(client, id string, sum uint64, now time.Time) (r *remembered, fresh bool) {
	m.expire(now)
	if r := m.entries[commandKey{client, id}]; r != nil {
		return r, false
	}
	if m.clients[client] >= maxPerClient {
		return nil, false
	}
	for len(m.entries) >= maxRemembered {
		m.evict()
	}
	r = &remembered{Client: client, ID: id, Hash: sum, At: now, done: make(chan struct{})}
	m.put(r)
	return r, true
}

// put adds or replaces what is known of a command.
func (m *memory) put(r *remembered) {
	key := commandKey{r.Client, r.ID}
	if old := m.entries[key]; old != nil {
		m.forget(old)
	}
	m.entries[key] = r
	m.clients[r.Client]++
	m.bytes += r.bytes
	m.order = append(m.order, r)
}

// finish keeps a command's reply.
func (m *memory) finish(r *remembered, reply api.Reply) {
	r.tell(reply)
	data, err := json.Marshal(reply.Result)
	if err != nil || reply.Result == nil {
		data = nil
	}
	kept := reply
	kept.Result = nil
	if data != nil {
		kept.Result = json.RawMessage(data)
	}
	r.Reply = &kept
	if r.Forget {
		return // evicted while it was being done
	}
	r.bytes = len(data)
	m.bytes += len(data)
	for _, old := range m.order {
		if m.bytes <= maxReplyBytes {
			break
		}
		if old.Reply != nil && old.Reply.Result != nil && !old.Forget {
			m.bytes -= old.bytes
			bare := *old.Reply // its readers keep theirs
			bare.Result = nil
			old.Reply, old.bytes = &bare, 0
		}
	}
}

// forget lets a command be sent again under its id.
func (m *memory) forget(r *remembered) {
	if r.Forget {
		return
	}
	r.Forget = true
	delete(m.entries, commandKey{r.Client, r.ID})
	m.bytes -= r.bytes
	if m.clients[r.Client]--; m.clients[r.Client] == 0 {
		delete(m.clients, r.Client)
	}
	if len(m.order) > 2*len(m.entries)+64 {
		m.order = slices.DeleteFunc(m.order, func(r *remembered) bool { return r.Forget })
	}
}

// evict forgets the oldest sixteenth of the client that has the most.
func (m *memory) evict() {
	most := ""
	for client, n := range m.clients {
		if n > m.clients[most] {
			most = client
		}
	}
	left := m.clients[most]/16 + 1
	for _, r := range slices.Clone(m.order) {
		if r.Client == most && !r.Forget && left > 0 {
			m.forget(r)
			left--
		}
	}
}

// expire drops what is older than ten minutes. Within a run the ages are the monotonic clock's; load sees to the others.
func (m *memory) expire(now time.Time) {
	for len(m.order) > 0 && (m.order[0].Forget || now.Sub(m.order[0].At) > keep) {
		r := m.order[0]
		m.order[0] = nil
		m.order = m.order[1:]
		m.forget(r)
	}
}

// rebase gives what an earlier run remembered ages on this run's clock. What seems to come from the future, because the
// clock was wrong then or is now, counts as new.
func (m *memory) rebase(now time.Time) {
	for _, r := range m.order {
		age := now.Round(0).Sub(r.At)
		r.At = now.Add(-max(0, age))
	}
	slices.SortStableFunc(m.order, func(a, b *remembered) int { return a.At.Compare(b.At) })
	m.expire(now)
}
