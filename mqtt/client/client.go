// Package client is a person's or a program's side of an agent over MQTT: it sends commands and awaits their replies,
// and hears what happens. It holds one connection and does not come back by itself when that breaks.
package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/secret"
)

// Options of a client.
type Options struct {
	mqtt.Connection        // an empty ClientID gets a random one
	Agent           string // the agent's name, where Prefix is empty
	Prefix          string // segedge/<agent>
	Buffer          int    // messages that may wait for Watch's function; 0 is 256
}

// Reply is the answer to a command, its result still encoded.
type Reply struct {
	ID     string          `json:"id"`
	OK     bool            `json:"ok"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *api.Error      `json:"error,omitempty"`
}

// Message is something the agent said: Kind is the last part of its topic (status, info, state, objects, events,
// masks, snapshot), Camera is empty for status and info.
type Message struct {
	Kind     string
	Camera   string
	Retained bool
	Payload  []byte
}

// Client is one connection to the broker. Safe for concurrent use.
type Client struct {
	o      Options
	topics mqtt.Topics
	link   *mqtt.Link
	next   atomic.Uint64

	mu      sync.Mutex
	waiting map[string]chan Reply
	heard   chan Message
	missed  uint64
}

// ErrTooSlow means that Watch's function did not keep up with the agent.
var ErrTooSlow = errors.New("messages came faster than they were taken")

// Dial connects to the agent's broker.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Prefix == "" {
		if !api.ValidName(o.Agent) {
			return nil, fmt.Errorf("the agent's name %q cannot be part of a topic: use letters, digits, '_', '.' and '-'", o.Agent)
		}
		o.Prefix = "segedge/" + o.Agent
	}
	if o.ClientID == "" {
		var b [6]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		o.ClientID = "segedge-cli-" + hex.EncodeToString(b[:])
	}
	if o.Buffer <= 0 {
		o.Buffer = 256
	}
	c := &Client{o: o, topics: mqtt.Topics{Prefix: o.Prefix}, waiting: map[string]chan Reply{}}
	link, err := mqtt.Dial(ctx, o.Connection, nil, false, c.receive)
	if err != nil {
		return nil, err
	}
	c.link = link
	if err := link.Subscribe(ctx, c.topics.Reply("+", o.ClientID)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Broker is the broker's address as it may be shown: without secrets.
func (c *Client) Broker() string { return secret.MaskValue(c.o.Broker) }

// Prefix is what the agent's topics begin with.
func (c *Client) Prefix() string { return c.o.Prefix }

// Close leaves the broker.
func (c *Client) Close() { c.link.Close(250 * time.Millisecond) }

// receive is the link's handler; it never blocks.
func (c *Client) receive(m mqtt.Message) {
	defer m.Done()
	rest, ok := strings.CutPrefix(m.Topic, c.o.Prefix+"/")
	if !ok {
		return
	}
	parts := strings.Split(rest, "/")
	if len(parts) == 3 && parts[1] == "reply" {
		c.answered(m.Payload)
		return
	}
	msg := Message{Kind: parts[len(parts)-1], Retained: m.Retained, Payload: m.Payload}
	if len(parts) == 2 {
		msg.Camera = parts[0]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.heard == nil || len(parts) > 2 {
		return
	}
	select {
	case c.heard <- msg:
	default:
		c.missed++
	}
}

func (c *Client) answered(payload []byte) {
	var r Reply
	if json.Unmarshal(payload, &r) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.waiting[r.ID]; w != nil {
		delete(c.waiting, r.ID)
		w <- r // has room for the one reply that an id gets
	}
}

// Do sends a command and waits for its reply. body is what the verb takes (api.Prompt, …) or nil; id and reply are
// added. The error is about getting an answer; a refusal is a Reply with its Error.
func (c *Client) Do(ctx context.Context, camera, verb string, body any) (Reply, error) {
	id := c.o.ClientID + "-" + strconv.FormatUint(c.next.Add(1), 10)
	payload, err := envelope(body, id, c.o.ClientID)
	if err != nil {
		return Reply{}, fmt.Errorf("command %s: %w", verb, err)
	}
	answer := make(chan Reply, 1)
	c.mu.Lock()
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	if err := c.link.Publish(ctx, c.topics.Command(camera, verb), 1, false, payload); err != nil {
		return Reply{}, fmt.Errorf("command %s at the broker %s: %w", verb, c.Broker(), err)
	}
	select {
	case r := <-answer:
		return r, nil
	case <-c.link.Lost():
		return Reply{}, fmt.Errorf("command %s at the broker %s: %w", verb, c.Broker(), c.link.Err())
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("command %s: no answer from %s, camera %s, at the broker %s: is the agent running, "+
			"and are those the names? (%w)", verb, c.o.Prefix, camera, c.Broker(), ctx.Err())
	}
}

// envelope adds id and reply to a body.
func envelope(body any, id, client string) ([]byte, error) {
	fields := map[string]any{}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &fields); err != nil {
			return nil, fmt.Errorf("the body is not a JSON object: %w", err)
		}
	}
	fields["id"], fields["reply"] = id, client
	return json.Marshal(fields)
}

// Watch calls f with what the agent says of one camera, or of all for "" or "+", until ctx ends, the connection breaks
// or f fails. kinds are status, info, state, objects, events, masks, snapshot; none means all. One Watch at a time.
func (c *Client) Watch(ctx context.Context, camera string, kinds []string, f func(Message) error) error {
	return c.WatchFrom(ctx, camera, kinds, nil, f)
}

// WatchFrom is Watch that closes ready once nothing that is said from then on is missed. ready may be nil.
func (c *Client) WatchFrom(ctx context.Context, camera string, kinds []string, ready chan<- struct{}, f func(Message) error) error {
	if camera == "" {
		camera = "+"
	}
	heard := make(chan Message, c.o.Buffer)
	c.mu.Lock()
	busy := c.heard != nil
	if !busy {
		c.heard, c.missed = heard, 0
	}
	c.mu.Unlock()
	if busy {
		return errors.New("watch: this client is watching already")
	}
	defer func() {
		c.mu.Lock()
		c.heard = nil
		c.mu.Unlock()
	}()
	if err := c.link.Subscribe(ctx, c.filters(camera, kinds)...); err != nil {
		return err
	}
	if ready != nil {
		close(ready)
	}
	for {
		select {
		case m := <-heard:
			if err := f(m); err != nil {
				return err
			}
			if err := c.tooSlow(); err != nil {
				return err
			}
		case <-c.link.Lost():
			return fmt.Errorf("watching %s at the broker %s: %w", c.o.Prefix, c.Broker(), c.link.Err())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Client) tooSlow() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.missed > 0 {
		return fmt.Errorf("watch: %d %w", c.missed, ErrTooSlow)
	}
	return nil
}

func (c *Client) filters(camera string, kinds []string) []string {
	if len(kinds) == 0 {
		kinds = []string{"status", "info", "state", "objects", "events", "masks", "snapshot"}
	}
	var out []string
	for _, k := range kinds {
		switch k {
		case "status":
			out = append(out, c.topics.Status())
		case "info":
			out = append(out, c.topics.Info())
		default:
			out = append(out, c.topics.Camera(camera, k))
		}
	}
	return out
}
