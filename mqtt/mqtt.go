// Package mqtt joins an agent to a broker: events out through a durable outbox, the retained description of what is,
// commands in and their replies out (docs/mqtt.md). It works on any api.Service and decides nothing itself. A broker
// that is away, slow or lossy never blocks a camera; it shows in Ready and in the counters.
package mqtt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/mqtt/outbox"
	"github.com/segedge/segedge/seg"
)

// Options of a client. Zero values are the defaults named.
type Options struct {
	Connection
	Agent    string // the agent's name: letters, digits, '_', '.', '-'
	Prefix   string // of every topic; segedge/<agent>
	StateDir string // of the journal; empty keeps it in memory, which is said in the log
	Service  api.Service
	// Commands does what comes over the broker, and is shared with the other doors. Nil makes one of its own.
	Commands *dispatch.Dispatcher
	// BrokerName names the broker in the journal, which belongs to one agent and broker; empty is the broker's address.
	// An embedded broker whose port may change needs one.
	BrokerName string

	// UpdateInterval is the least time between two object.updated of one object; 0 sends every change.
	UpdateInterval time.Duration
	MasksInterval  time.Duration // between two messages of <camera>/masks; 0 sends none
	MaskPolygons   bool          // outlines instead of COCO RLE in <camera>/masks
	Group          bool          // take commands for all agents too, on <above the prefix>/all/<camera or all>/cmd/<verb>
	Confined       bool          // answer only on <camera>/reply/<client>: the broker lets others write less than the agent
	Discovery      string        // Home Assistant's discovery prefix, usually "homeassistant"; empty sends none
	PageURL        func() string // of the agent's page, for Home Assistant's link; nil, and "", for none
	// Picture is a JPEG of what a camera shows; with it the newest is retained on <camera>/image, and crops of named objects below. Nil
	// sends none.
	Picture func(ctx context.Context, camera string) ([]byte, error)

	// Also hears of every event as it is journalled, in order, or how many of a camera were given up before this place. It must not block;
	// nil is nobody.
	Also func(e seg.Event, lost uint64)

	HearTimeout     time.Duration // 8 s: how long the client's own status may take to come back from the broker
	StandBack       time.Duration // 30 s: how long the client id is left to another client that has it; up to eight times that, if it stays
	StateInterval   time.Duration // 1 s
	ObjectsInterval time.Duration // 250 ms: the retained list is sent on change, at most so often
	StopTimeout     time.Duration // 1.5 s: how long a stopping client goes on delivering
	SyncInterval    time.Duration // 20 ms: the least time between two group commits of the journal
	MaxJournal      int64         // bytes of the journal; 64 MiB
	Handover        int           // events between the cameras and the journal; 1024
	InFlight        int           // events sent and not acknowledged; 16
}

// Client is an agent's side of MQTT.
type Client struct {
	o         Options
	topics    Topics
	log       *slog.Logger
	intake    *intake
	outbox    *outbox.Outbox
	newest    uint64        // index of the newest event that was sent; deliver's alone
	taken     taken         // deliver's alone
	again     atomic.Uint64 // events sent again
	commands  *commands
	suspects  *suspects
	rival     rivalry // Run's alone
	announced *announced
	tally     *tally
	images    *images
	heard     chan struct{} // signalled when the agent's own "online" has come back
	gainsaid  chan struct{} // signalled when its status was said to be another
	reborn    chan struct{} // signalled when Home Assistant has started

	turned atomic.Pointer[time.Time] // when the journal's goroutine last came round; nil while it does not run

	mu        sync.Mutex
	connected bool
	lastErr   error
	deaf      error // why nobody hears the agent although it is connected
	sessions  uint64
	ran       bool
}

func (o *Options) defaults() error {
	o.Connection.defaults()
	if !api.ValidName(o.Agent) {
		return fmt.Errorf("the agent's name %q cannot be part of a topic: use letters, digits, '_', '.' and '-'", o.Agent)
	}
	if o.Service == nil {
		return errors.New("an MQTT client needs a service")
	}
	if o.Prefix == "" {
		o.Prefix = "segedge/" + o.Agent
	}
	if err := validPrefix(o.Prefix); err != nil {
		return err
	}
	if !mayBeCalled(o.Agent, o.Prefix) {
		return fmt.Errorf("the agent %q with the topics %s: %q is the name of all agents, none may be called so", o.Agent, o.Prefix, everyone)
	}
	if o.ClientID == "" {
		o.ClientID = "segedge-" + o.Agent
	}
	set := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	if o.Also == nil {
		o.Also = func(seg.Event, uint64) {}
	}
	set(&o.HearTimeout, 8*time.Second)
	set(&o.StandBack, 30*time.Second)
	set(&o.StateInterval, time.Second)
	set(&o.ObjectsInterval, 250*time.Millisecond)
	set(&o.StopTimeout, 1500*time.Millisecond)
	set(&o.SyncInterval, 20*time.Millisecond)
	if o.Handover <= 0 {
		o.Handover = 1024
	}
	if o.InFlight <= 0 {
		o.InFlight = 16
	}
	return o.check()
}

// New checks the options and opens the journal; it connects to nothing. Run does.
func New(o Options) (*Client, error) {
	if err := o.defaults(); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	c := &Client{
		o: o, topics: Topics{Prefix: o.Prefix, Confined: o.Confined}, log: o.Logger, intake: newIntake(o.Handover), suspects: newSuspects(),
		heard: make(chan struct{}, 1), gainsaid: make(chan struct{}, 1), reborn: make(chan struct{}, 1), tally: newTally(), images: newImages(),
	}
	box := outbox.Options{
		Identity: o.Prefix + " at " + cmp.Or(o.BrokerName, redact(o.Broker)), Explain: explain, MaxBytes: o.MaxJournal, Logger: o.Logger,
	}
	remember := ""
	if o.StateDir != "" {
		box.Dir, remember = filepath.Join(o.StateDir, "outbox"), filepath.Join(o.StateDir, "announced.json")
	}
	c.announced = loadAnnounced(remember, cmp.Or(o.BrokerName, redact(o.Broker)), o.Logger)
	var err error
	if c.outbox, err = outbox.Open(box); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	if o.Commands == nil {
		o.Commands = dispatch.New(dispatch.Options{Service: o.Service, Logger: o.Logger})
	}
	c.commands = newCommands(c, o.Commands)
	return c, nil
}

// explain writes the event that accounts for numbers that will never come.
func explain(camera, stream string, seq, from, to uint64) ([]byte, error) {
	e := seg.Event{Camera: camera, Type: seg.EventsDropped, Time: time.Now(), Details: map[string]any{"from": from, "to": to}}
	return api.EncodeEvent(e, stream, seq, 0, 0)
}

// Publish hands an event over and never blocks. The event and what it points to must not change afterwards.
func (c *Client) Publish(e seg.Event) {
	c.tally.note(e)
	c.intake.put(e)
}

// Topics are the client's topics.
func (c *Client) Topics() Topics { return c.topics }

// LastSeq is the number of the camera's newest event in the journal.
func (c *Client) LastSeq(camera string) uint64 { return c.outbox.Last(camera) }

// Stats are a client's counters.
type Stats struct {
	Connected bool
	Sessions  uint64 // connections so far
	Lost      uint64 // events that found the hand-over full, each explained by events.dropped
	Commands  uint64 // commands taken
	Refused   uint64 // commands refused
	Replies   uint64 // replies lost: commands came by without the broker's window
	Again     uint64 // events sent again, since a connection ended before they were acknowledged
	Outbox    outbox.Stats
}

// Stats reads the counters.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	s := Stats{Connected: c.connected, Sessions: c.sessions}
	c.mu.Unlock()
	s.Lost, s.Outbox = c.intake.dropped(), c.outbox.Stats()
	s.Commands, s.Refused = c.commands.counts()
	_, s.Replies = c.commands.replies.first(0)
	s.Again = c.again.Load()
	return s
}

// Ready is nil while the client is connected and its events are durable; else it says what is wrong. A client without
// a StateDir is ready without being durable.
func (c *Client) Ready() error {
	c.mu.Lock()
	connected, lastErr, deaf := c.connected, c.lastErr, c.deaf
	c.mu.Unlock()
	if !connected {
		if lastErr != nil {
			return lastErr
		}
		return errors.New("not connected to the broker yet")
	}
	if deaf != nil {
		return deaf
	}
	if err := c.outbox.Stats().Disk; err != nil && !errors.Is(err, outbox.ErrNoFolder) {
		return fmt.Errorf("events are not durable: %w", err)
	}
	return nil
}

// Stuck is an error when the journal's goroutine has not come round for so long: its disk hangs. A broker that is away
// is no reason; it is for Ready.
func (c *Client) Stuck(within time.Duration) error {
	turned := c.turned.Load()
	if turned == nil {
		return nil
	}
	if age := time.Since(*turned); age > within {
		return fmt.Errorf("the event journal has hung for %s", age.Round(time.Millisecond))
	}
	return nil
}

// Run joins the broker again and again until ctx ends, then delivers what it can within StopTimeout, says stopped and
// leaves. Everything it started has ended when it returns. It runs once.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	again := c.ran
	c.ran = true
	c.mu.Unlock()
	if again {
		return errors.New("mqtt: a client runs once")
	}
	defer c.outbox.Close()
	var journal, work sync.WaitGroup
	drained := make(chan struct{})
	journal.Go(func() {
		c.keepJournal(ctx)
		close(drained)
	})
	work.Go(func() { c.commands.run(ctx) })
	c.connectForever(ctx, drained)
	work.Wait()
	journal.Wait()
	return nil
}
