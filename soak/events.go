package soak

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// maxMissing bounds how many numbers are remembered as missing; what is beyond it stays counted as lost.
const maxMissing = 1 << 16

// numbered is one event's place: its stream, its camera and its number.
type numbered struct {
	stream, camera string
	seq            uint64
}

// ledger holds the agent's events against their numbers: those of a camera follow one another in each stream, and a number that does not
// come is accounted for by an events.dropped, before or after.
type ledger struct {
	mu         sync.Mutex
	last       map[numbered]uint64 // seq is 0 in the key
	missing    map[numbered]bool
	beyond     int // missing numbers that were not remembered
	events     int
	duplicates int
	late       int // that came after a later one
	unreadable int
}

func newLedger() *ledger { return &ledger{last: map[numbered]uint64{}, missing: map[numbered]bool{}} }

// note takes an event as it was delivered.
func (l *ledger) note(payload []byte) {
	var e struct {
		EventID string        `json:"event_id"`
		Camera  string        `json:"camera"`
		Type    seg.EventType `json:"type"`
		From    uint64        `json:"from"`
		To      uint64        `json:"to"`
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := json.Unmarshal(payload, &e)
	stream, seq, idErr := api.ParseEventID(e.EventID)
	if err != nil || idErr != nil {
		l.unreadable++
		return
	}
	l.events++
	key := numbered{stream: stream, camera: e.Camera}
	last, seen := l.last[key]
	if late := (numbered{stream, e.Camera, seq}); seen && seq <= last {
		if l.missing[late] {
			delete(l.missing, late)
			l.late++
			return
		}
		l.duplicates++
		return
	}
	if seen {
		l.miss(key, last+1, seq)
	}
	l.last[key] = seq
	if e.Type == seg.EventsDropped {
		for n := e.From; n <= e.To && n > 0; n++ {
			delete(l.missing, numbered{stream, e.Camera, n})
		}
	}
}

// miss remembers the numbers from from up to, but not including, to.
func (l *ledger) miss(key numbered, from, to uint64) {
	for n := from; n < to; n++ {
		if len(l.missing) >= maxMissing {
			l.beyond += int(to - n)
			return
		}
		l.missing[numbered{key.stream, key.camera, n}] = true
	}
}

// named are some of the events that never came, by camera and number.
func (l *ledger) named(most int) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range l.missing {
		if len(out) < most {
			out = append(out, fmt.Sprintf("%s %s %d", n.stream, n.camera, n.seq))
		}
	}
	slices.Sort(out)
	return out
}

// lost is the number of events that never came and that nothing accounts for.
func (l *ledger) lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.missing) + l.beyond + l.unreadable
}
