// Package outbox is a journal of events on their way to a broker: it numbers them, makes them durable before anyone
// sends them, and forgets them when they have been delivered. It knows no broker and starts no goroutine.
//
// A disk that refuses (full, read-only, broken) never stops it: events are then kept in memory under a new stream id,
// loudly, until the disk takes them again. Everything is bounded; what had to be given up is explained by an event.
package outbox

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Options of an outbox.
type Options struct {
	// Dir is the journal's own folder; empty keeps everything in memory.
	Dir string
	// Identity names the agent and the broker; the journal of another pair is set aside as "<Dir>.previous".
	Identity string
	// Explain encodes the event that says that the numbers from to to of a camera will never come.
	Explain func(camera, stream string, seq, from, to uint64) ([]byte, error)

	MaxBytes     int64         // of all segments on disk; 0 is 64 MiB. The oldest events go first
	SegmentBytes int64         // of one segment; 0 is MaxBytes/64, at least 64 KiB
	MemoryBytes  int64         // of events while the disk refuses; 0 is 8 MiB
	MaxEvents    int           // undelivered; 0 is 100,000
	Retry        time.Duration // between attempts to use a disk that refused; 0 is 2 s

	Logger *slog.Logger
	Now    func() time.Time // nil is time.Now

	fault func(op string) error
	newID func() string
}

// Entry is an event to journal.
type Entry struct {
	Camera string
	// Encode writes the event under the number that it got; it may be called twice.
	Encode func(stream string, seq uint64) ([]byte, error)
	// Lost counts events of the camera that were given up before this place in the order; an Entry with Lost has no Encode.
	Lost uint64
}

// Message is an event to send. Index grows with the order in which events are to be sent.
type Message struct {
	Index  uint64
	Camera string
	Seq    uint64
	Body   []byte
}

// Stats are an outbox's counters.
type Stats struct {
	Pending  int    // events to deliver
	Bytes    int64  // on disk
	Memory   int64  // bytes of events that are only in memory
	Appended uint64 // events taken
	Sent     uint64 // events delivered
	Dropped  uint64 // events given up, each explained
	SetAside uint64 // of those, the ones that the broker would not take
	Syncs    uint64 // group commits
	Disk     error  // why events are not durable now; nil when they are
}

// Outbox is safe for concurrent use.
type Outbox struct {
	o    Options
	wr   sync.Mutex // held while appending or flushing; the files belong to its holder
	disk *disk

	mu       sync.Mutex // the fields below
	cameras  map[string]*stream
	queue    queue
	lost     losses
	next     uint64
	done     uint64 // every event below has been delivered, or given up
	owed     bool   // something was given up that the journal does not explain yet
	settled  uint64 // done, when last nothing was owed
	noted    uint64 // settled, as the journal knows it
	marker   marker // where done is noted at once
	stats    Stats
	retry    time.Time
	changed  chan struct{}
	reported bool
}

// ErrNoFolder is the reason why an outbox without a folder is not durable.
var ErrNoFolder = errors.New("no state folder is configured, so events do not survive a restart")

func (o *Options) defaults() {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.MaxBytes, 64<<20)
	set(&o.SegmentBytes, max(o.MaxBytes/64, 64<<10))
	set(&o.MemoryBytes, 8<<20)
	if o.MaxEvents <= 0 {
		o.MaxEvents = 100_000
	}
	if o.Retry <= 0 {
		o.Retry = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.newID == nil {
		o.newID = randomID
	}
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Open reads the journal back. It fails only where another agent uses the folder; a folder that cannot be read or
// written gives an outbox in memory, with the reason in Stats.
func Open(o Options) (*Outbox, error) {
	o.defaults()
	if o.Explain == nil {
		return nil, errors.New("an outbox needs Explain, or dropped events would go unexplained")
	}
	b := &Outbox{o: o, cameras: map[string]*stream{}, next: 1, done: 1, settled: 1, noted: 1, changed: make(chan struct{}, 1)}
	if o.Dir == "" {
		b.stats.Disk = ErrNoFolder
		return b, nil
	}
	err := b.load()
	if errors.Is(err, errLocked) {
		return nil, err
	}
	if err == nil {
		err = b.begin()
	}
	if err != nil {
		b.refuse(err)
	}
	return b, nil
}

// load recovers the folder's journal.
func (b *Outbox) load() error {
	r, err := b.read()
	if err == nil && r.identity != b.o.Identity {
		if r, err = b.change(r); err == nil && r.records == 0 && len(b.disk.sizes) == 0 {
			return nil
		}
	}
	if err != nil {
		return err
	}
	b.cameras, b.next, b.done, b.noted = r.streams(b.o.newID), r.next, max(r.delivered, 1), r.delivered
	b.lost, b.owed, b.settled = r.losses, len(r.losses) > 0, b.done
	b.stats.Dropped = r.losses.events()
	for _, it := range r.items {
		b.queue.push(it)
	}
	if b.owed {
		b.o.Logger.Warn("events are missing in the journal, and are lost; events.dropped will say which",
			"folder", b.o.Dir, "events", b.stats.Dropped, "first_of", r.losses[0].camera, "from", r.losses[0].From)
	}
	switch {
	case r.damaged:
		b.o.Logger.Warn("the event journal is damaged: events may be lost, and the streams begin anew", "folder", b.o.Dir)
	case r.records == 0 && len(b.disk.sizes) > 0:
		b.o.Logger.Warn("the event journal cannot be read: undelivered events are lost, and the streams begin anew", "folder", b.o.Dir)
	case len(r.items) > 0:
		b.o.Logger.Info("undelivered events were found in the journal", "events", len(r.items))
	}
	return nil
}

// read takes the folder and reads what is in it.
func (b *Outbox) read() (recovered, error) {
	d, err := openDisk(b.o.Dir, b.o.fault)
	b.disk = d
	if err != nil {
		return recovered{}, err
	}
	if err := d.acquire(); err != nil {
		return recovered{}, err
	}
	return recoverFrom(d)
}

// Changed is signalled, at least once, after events came in.
func (b *Outbox) Changed() <-chan struct{} { return b.changed }

func (b *Outbox) signal() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Stats reads the counters.
func (b *Outbox) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Pending, s.Memory = b.queue.len(), b.queue.mem
	return s
}

// Last is the number of the camera's newest event that was journalled; 0 before the first.
func (b *Outbox) Last(camera string) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.cameras[camera]; s != nil {
		return s.Last
	}
	return 0
}

// Close makes what was delivered durable and lets the folder go. The outbox must not be used afterwards.
func (b *Outbox) Close() {
	b.Flush()
	b.wr.Lock()
	defer b.wr.Unlock()
	if b.disk == nil {
		return
	}
	if b.disk.active != nil {
		_ = b.disk.active.Sync() // only saves duplicates
	}
	b.disk.close()
}
