package mqtt

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt/outbox"
)

// mortal is a broker that acknowledges so many events on each of its connections, one after the other, and then ends it.
type mortal struct {
	mu   sync.Mutex
	seqs []uint64 // of the events that came, in order
	left int
}

func newMortal(t *testing.T, lives int) (m *mortal, url string) {
	m = &mortal{left: lives}
	url, _ = fakeBroker(t, m.published)
	return m, url
}

func (m *mortal) published(p *packets.PublishPacket) (packets.ControlPacket, bool) {
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = p.MessageID
	if !strings.HasSuffix(p.TopicName, "/events") {
		return ack, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		m.left = -1 // the next one lives on
		return nil, false
	}
	m.left--
	var e api.Event
	if json.Unmarshal(p.Payload, &e) != nil {
		return nil, false
	}
	m.seqs = append(m.seqs, e.Seq)
	return ack, true
}

func (m *mortal) heard() []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]uint64(nil), m.seqs...)
}

// TestTheNewestIsSentOnceMore: a broker that ends right after an acknowledgement may not have saved what it acknowledged.
func TestTheNewestIsSentOnceMore(t *testing.T) {
	broker, url := newMortal(t, 3)
	c, _ := start(t, testOptions(t, url, &agent{}))
	for n := range 3 {
		c.Publish(happened(n))
	}
	until(t, "three are taken", func() bool { return c.Stats().Outbox.Sent == 3 })
	c.Publish(happened(3)) // at which the broker goes
	until(t, "all are taken", func() bool { return c.Stats().Outbox.Sent == 4 })
	if got := broker.heard(); len(got) != 5 || got[2] != 3 || got[3] != 3 || got[4] != 4 {
		t.Errorf("the broker heard %v", got)
	}
}

// TestWhatWasTakenLongAgoIsSaved: it is not sent once more when the connection ends.
func TestWhatWasTakenLongAgoIsSaved(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		index uint64
		age   time.Duration
		want  bool
	}{{0, 0, false}, {7, 0, true}, {7, unsaved, true}, {7, unsaved + 1, false}} {
		if got := (taken{outbox.Message{Index: c.index}, now.Add(-c.age)}).doubtful(now); got != c.want {
			t.Errorf("event %d, taken %s ago: %v", c.index, c.age, got)
		}
	}
}
