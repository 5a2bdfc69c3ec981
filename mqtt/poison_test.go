package mqtt

import (
	"context"
	"encoding/json"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// ragged is an event whose mask takes many bytes to write.
func ragged(n, w, h int) seg.Event {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if x > w/8 && x < w-w/8-(y*7919)%(w/2) {
				m.Bits[y*w+x] = 1
			}
		}
	}
	e := happened(n)
	e.After.Mask = m
	return e
}

// wide is a service whose camera has a frame of 400 x 300.
type wide struct{ *agent }

func (w wide) State(camera string) (api.State, bool) {
	s, ok := w.agent.State(camera)
	s.Width, s.Height = 400, 300
	return s, ok
}

func limited(t *testing.T, limit string) *mosquitto {
	return startMosquitto(t, "max_packet_size "+limit+"\n")
}

// TestPacketsAboveTheBrokersLimit: mosquitto ends the connection at a packet above its limit. What can be said in fewer
// bytes is; what cannot is set aside and told; everything behind it comes.
func TestPacketsAboveTheBrokersLimit(t *testing.T) {
	m := limited(t, "3600")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	o := testOptions(t, m.url(), &agent{})
	o.Service = wide{&agent{}}
	c, _ := start(t, o)
	huge := happened(1)
	huge.Details["n"] = 1
	huge.Details["note"] = strings.Repeat("x", 5000)
	const n = 6
	c.Publish(happened(0))
	c.Publish(huge)
	for i := 2; i < n; i++ {
		c.Publish(ragged(i, 400, 300))
	}
	c.Publish(happened(n))
	until(t, "everything is through", func() bool { return c.Stats().Outbox.Pending == 0 && c.Stats().Outbox.Appended >= n+2 })
	var last api.Event
	reduced, dropped := 0, 0
	until(t, "the last event", func() bool {
		reduced, dropped = 0, 0
		for _, e := range ears.events(t) {
			last = e
			switch {
			case e.Type == seg.EventsDropped:
				dropped++
			case e.Details["mask_reduced"] != nil:
				reduced++
				if e.After.Mask != nil || e.Details["mask_reduced"] == maskOutline && len(e.After.Polygons) == 0 {
					t.Fatalf("%s has a mask beside its outline, or none", e.EventID)
				}
			}
		}
		return last.Seq > n
	})
	if reduced == 0 || dropped == 0 || c.Stats().Outbox.SetAside != 1 {
		t.Errorf("%d events with less of a mask, %d explanations, %+v", reduced, dropped, c.Stats().Outbox)
	}
}

// TestRepliesAboveTheBrokersLimit are replaced by a sentence.
func TestRepliesAboveTheBrokersLimit(t *testing.T) {
	m := limited(t, "2000")
	ears := listen(t, m.url(), "ears", "segedge/box/cam/reply/me")
	a := &agent{}
	c, _ := start(t, testOptions(t, m.url(), a))
	c.commands.put(answer{id: "big", topic: "segedge/box/cam/reply/me", qos: 1, payload: []byte(`"` + strings.Repeat("x", 4000) + `"`)})
	until(t, "a reply", func() bool { return len(ears.all("/me")) > 0 })
	var r api.Reply
	if err := json.Unmarshal(ears.all("/me")[0].Payload, &r); err != nil || r.ID != "big" || r.Error == nil || r.Error.Code != api.TooLarge {
		t.Errorf("%v: %+v", err, r)
	}
}

// picky is a broker that ends the connection at an event with a certain text in it, as some do where a rule says so.
type picky struct {
	mu    sync.Mutex
	taken []string
	ends  int
	url   string

	forbidden string // a topic at which it ends the connection too
}

func newPicky(t *testing.T, refuse string) *picky {
	t.Helper()
	p := &picky{}
	p.url, _ = fakeBroker(t, func(in *packets.PublishPacket) (packets.ControlPacket, bool) { return p.take(in, refuse) })
	return p
}

// take is what it does with what is published.
func (p *picky) take(in *packets.PublishPacket, refuse string) (packets.ControlPacket, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	isEvent := strings.HasSuffix(in.TopicName, "/events")
	if in.TopicName == p.forbidden || isEvent && strings.Contains(string(in.Payload), refuse) {
		p.ends++
		return nil, false
	}
	if isEvent {
		p.taken = append(p.taken, string(in.Payload))
	}
	if in.Qos == 0 {
		return nil, true
	}
	ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
	ack.MessageID = in.MessageID
	return ack, true
}

func (p *picky) events() (out []string, ends int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(out, p.taken...), p.ends
}

// TestAMessageThatTheBrokerWillNotHave is set aside after a few connections, told, and holds nothing up.
func TestAMessageThatTheBrokerWillNotHave(t *testing.T) {
	p := newPicky(t, `"n":3,`)
	c, _ := start(t, testOptions(t, p.url, &agent{}))
	for i := range 8 {
		e := happened(i)
		e.Details["z"] = 1
		c.Publish(e)
	}
	until(t, "the others are through", func() bool { return c.Stats().Outbox.Pending == 0 && c.Stats().Outbox.Appended == 9 })
	events, ends := p.events()
	told := events[len(events)-1]
	explained := strings.Contains(told, `"events.dropped"`) && strings.Contains(told, `"from":4,"to":4`)
	if c.Stats().Outbox.SetAside != 1 || ends > careAfter+condemnAfter+1 || !explained {
		t.Errorf("%+v after %d connections: %s", c.Stats().Outbox, ends, told)
	}
}

// TestAClearingThatTheBrokerWillNotHave is passed over after a few connections.
func TestAClearingThatTheBrokerWillNotHave(t *testing.T) {
	p := newPicky(t, "nothing")
	p.forbidden = "segedge/older/status"
	c, err := New(testOptions(t, p.url, &agent{}))
	if err != nil {
		t.Fatal(err)
	}
	c.announced.topic(p.forbidden)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	until(t, "it says online", func() bool { return c.Stats().Connected })
	cancel()
	<-ended
	if _, ends := p.events(); ends != careAfter+condemnAfter || !c.announced.Topics[p.forbidden] {
		t.Errorf("%d connections, %v", ends, c.announced.Topics)
	}
}

// TestABrokerThatWillHaveNoEvents loses none but the first few: then it is not the events.
func TestABrokerThatWillHaveNoEvents(t *testing.T) {
	p := newPicky(t, `"type"`)
	c, _ := start(t, testOptions(t, p.url, &agent{}))
	for i := range 10 {
		c.Publish(happened(i))
	}
	until(t, "it has been tried often", func() bool { _, ends := p.events(); return ends > (careAfter+condemnAfter)*oneByOne })
	if s := c.Stats().Outbox; s.SetAside > oneByOne || s.Pending < 10-oneByOne {
		t.Errorf("%+v", s)
	}
}

func TestTopicsAreValid(t *testing.T) {
	for topic, ok := range map[string]bool{
		"segedge/box/cam/events": true, "Küche/🐕": true, "": false, "a/+": false, "a/#": false,
		"a\x01b": false, "a\x7f": false, "a\u0085": false, "a\uffff": false,
		"a\ufdd0": false, "a\U0001fffe": false, "a\x00": false, "\xff": false, strings.Repeat("a", 65536): false,
	} {
		if err := validTopic(topic); (err == nil) != ok {
			t.Errorf("%.20q: %v", topic, err)
		}
	}
}

func TestWhatAnInvalidTopicCosts(t *testing.T) {
	m := startMosquitto(t, "")
	c, _ := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Stats().Connected })
	c.commands.put(answer{topic: "segedge/box/cam/reply/a\x01b", qos: 1, payload: []byte("{}")})
	until(t, "it is left out", func() bool { return c.commands.replies.len() == 0 })
	c.Publish(happened(0))
	until(t, "events go on", func() bool { return c.Stats().Outbox.Sent == 1 })
	if s := c.Stats(); s.Sessions != 1 {
		t.Errorf("%d connections", s.Sessions)
	}
}

// TestAReplyNameThatIsNoTopic is refused, and the agent stays at the broker.
func TestAReplyNameThatIsNoTopic(t *testing.T) {
	m := startMosquitto(t, "")
	ears := listen(t, m.url(), "ears", "segedge/box/+/events")
	c, _ := start(t, testOptions(t, m.url(), &agent{}))
	until(t, "connected", func() bool { return c.Ready() == nil })
	bad := []string{`a\u0001b`, `\u007f`, `\uffff`, `a/b`, `+`}
	for i, reply := range bad {
		body := text(`{"id":"%d","reply":"%s"}`, i, reply)
		if err := ears.link.Publish(t.Context(), c.topics.Command("cam", "keyframe"), 1, false, body); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "they are refused", func() bool { return c.Stats().Refused == uint64(len(bad)) })
	c.Publish(happened(0))
	until(t, "a refusal and the event are heard", func() bool { return ears.different(t, 0) >= 2 })
	if s := c.Stats(); s.Sessions != 1 || ears.events(t)[0].Type != seg.CommandRejected {
		t.Errorf("%d connections, %+v", s.Sessions, ears.events(t)[0])
	}
}

// TestOnlyConnectionsInARowTell: what gets through once is no suspect any more, and chance ends of a connection condemn
// nobody.
func TestOnlyConnectionsInARowTell(t *testing.T) {
	s := newSuspects()
	for range 20 {
		for _, key := range []string{"a", "b"} {
			if _, err := s.enter(t.Context(), key, 100, true); err != nil {
				t.Fatal(err)
			}
			if s.isCareful() {
				s.release()
			}
		}
		if key, _ := s.ended(true, testTime); key != "" {
			t.Fatalf("%s is condemned, but it was never alone", key)
		}
	}
	s = newSuspects()
	for i := range 20 {
		_, _ = s.enter(t.Context(), "a", 100, true)
		if i%2 == 1 {
			s.through("a", true)
		}
		if key, _ := s.ended(true, testTime); key != "" {
			t.Fatalf("%s is condemned, but it got through", key)
		}
	}
	s = newSuspects()
	for range 20 {
		_, _ = s.enter(t.Context(), "a", 100, true)
		if key, _ := s.ended(false, testTime); key != "" || s.isCareful() {
			t.Fatalf("%s is condemned, but the broker did not end the connection", key)
		}
	}
}

func TestTheLimitIsForgotten(t *testing.T) {
	s := newSuspects()
	for range careAfter + condemnAfter {
		_, _ = s.enter(t.Context(), "a", 5000, true)
		s.ended(true, testTime)
	}
	if room := s.room("", testTime); room != leastLimit {
		t.Errorf("room for %d bytes", room)
	}
	for _, c := range [][2]int{{2000, 2500}, {2400, 2500}, {2600, 2600}} { // half of what did not get through at most, unless more did
		_, _ = s.enter(t.Context(), "b", c[0], true)
		s.through("b", true)
		if room := s.room("", testTime); room != c[1] {
			t.Errorf("room for %d bytes where %d got through, want %d", room, c[0], c[1])
		}
	}
	if room := s.room("", testTime.Add(limitHolds+time.Second)); room != mostBytes {
		t.Errorf("room for %d bytes after an hour", room)
	}
}

func TestReduceEvent(t *testing.T) {
	e := ragged(1, 400, 300)
	before := cup(1)
	before.Mask, e.Before = nil, &before
	body, err := api.EncodeEvent(e, "s", 1, 400, 300)
	if err != nil {
		t.Fatal(err)
	}
	none, ok := reduceEvent(body, 900)
	if !ok {
		t.Fatalf("%d bytes without a mask", len(none))
	}
	for _, c := range []struct {
		most int
		how  string
	}{{len(body) - 1, maskOutline}, {3000, maskOutline}, {len(none), maskNone}, {len(none) - 1, maskBare}} {
		out, ok := reduceEvent(body, c.most)
		var got api.Event
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		outlined := len(got.After.Polygons) > 0
		if !ok || len(out) > c.most || got.Details["mask_reduced"] != c.how || got.After.Mask != nil || outlined != (c.how == maskOutline) {
			t.Errorf("%d bytes of %d at most, %v", len(out), c.most, got.Details)
		}
	}
	if _, ok := reduceEvent(body, 100); ok {
		t.Error("an event of nothing")
	}
	if _, ok := reduceEvent([]byte(`{"after":null}`), 1000); ok {
		t.Error("an event without an object has a mask to lose")
	}
}
