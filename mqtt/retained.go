package mqtt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// keeper keeps the retained topics of one link up to date, one message at a time: a slow broker gets fewer, never a
// queue.
type keeper struct {
	mu    sync.Mutex // held while sending
	c     *Client
	l     *Link
	sent  map[string][]byte // what was last sent to a topic, as far as a change of it counts
	masks map[string]uint64 // the frame of the last masks message
	beat  time.Time         // when the states were last sent whether they changed or not
	left  map[string]bool   // topics of what the broker does not take
	found discovery
}

func newKeeper(c *Client, l *Link) *keeper {
	return &keeper{
		c: c, l: l, beat: time.Now(), sent: map[string][]byte{}, masks: map[string]uint64{}, left: map[string]bool{},
		found: newDiscovery(c.announced.Devices),
	}
}

// all sends everything that is retained, beside the status.
func (k *keeper) all(ctx context.Context) error {
	forget := func(context.Context) error { clear(k.sent); return nil }
	return k.step(ctx, []func(context.Context) error{forget, k.tidy, k.info, k.states, k.objects, k.presence, k.discover})
}

// run sends what changes until ctx ends.
func (k *keeper) run(ctx context.Context) error {
	states, objects := time.NewTicker(k.c.o.StateInterval), time.NewTicker(k.c.o.ObjectsInterval)
	defer states.Stop()
	defer objects.Stop()
	var masks <-chan time.Time
	if k.c.o.MasksInterval > 0 {
		t := time.NewTicker(k.c.o.MasksInterval)
		defer t.Stop()
		masks = t.C
	}
	var again <-chan time.Time
	for {
		var steps []func(context.Context) error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-states.C:
			steps = []func(context.Context) error{k.tidy, k.info, k.states, k.presence, k.discover}
		case <-objects.C:
			steps = []func(context.Context) error{k.objects}
		case <-k.c.reborn:
			again = time.After(rand.N(reintroduce)) // #nosec G404 -- it only spreads the agents
		case <-again:
			again, steps = nil, []func(context.Context) error{k.discoverAnew}
		case <-masks:
			steps = []func(context.Context) error{k.sendMasks}
		}
		if err := k.step(ctx, steps); err != nil {
			return err
		}
	}
}

func (k *keeper) step(ctx context.Context, steps []func(context.Context) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range steps {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}

// send publishes a retained document if what counts of it has changed.
func (k *keeper) send(ctx context.Context, topic string, doc any, counts []byte) error {
	payload, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("write %s: %w", topic, err)
	}
	if counts == nil {
		counts = payload
	}
	if have, ok := k.sent[topic]; ok && bytes.Equal(have, counts) {
		return nil
	}
	if err := k.sendFitting(ctx, outgoing{key: topic, topic: topic, qos: 1, retained: true, payload: payload}); err != nil {
		return err
	}
	k.sent[topic] = counts
	return nil
}

// sendFitting publishes a document unless the broker would not take it, which is said once.
func (k *keeper) sendFitting(ctx context.Context, m outgoing) error {
	if k.c.fits(m) && !k.c.suspects.isCondemned(m.key) {
		delete(k.left, m.topic)
		if m.retained {
			k.c.announced.topic(m.topic)
		}
		return k.c.publish(ctx, k.l, m)
	}
	k.c.suspects.acquit(m.key)
	if !k.left[m.topic] {
		k.left[m.topic] = true
		k.c.log.Warn("a document that the broker does not take is left out", "topic", m.topic, "bytes", len(m.payload))
	}
	return nil
}

func (k *keeper) info(ctx context.Context) error {
	return k.send(ctx, k.c.topics.Info(), k.c.o.Service.Info(), nil)
}

func (k *keeper) states(ctx context.Context) error {
	for _, camera := range k.c.o.Service.Cameras() {
		s, ok := k.c.o.Service.State(camera)
		if !ok {
			continue
		}
		s.Schema, s.Camera = api.Schema, camera
		if err := k.send(ctx, k.c.topics.Camera(camera, "state"), s, nil); err != nil {
			return err
		}
	}
	if time.Since(k.beat) > heartbeat { // what does not change is sent again: who hears nothing of an agent may take it for gone
		k.beat = time.Now()
		for _, camera := range k.c.o.Service.Cameras() {
			delete(k.sent, k.c.topics.Camera(camera, "state"))
		}
	}
	return nil
}

// objects sends the lists that changed. The sequence number is read first: the list then includes at least the events
// up to it.
func (k *keeper) objects(ctx context.Context) error {
	for _, camera := range k.c.o.Service.Cameras() {
		seq := k.c.outbox.Last(camera)
		list, ok := k.c.o.Service.Objects(camera)
		if !ok {
			continue
		}
		list.Camera, list.AsOfSeq = camera, seq
		counts, err := json.Marshal(timeless(list))
		if err != nil {
			return fmt.Errorf("write the objects of camera %s: %w", camera, err)
		}
		if err := k.send(ctx, k.c.topics.Camera(camera, "objects"), list, counts); err != nil {
			return err
		}
	}
	return nil
}

// timeless is the list without what changes with every frame.
func timeless(list api.Objects) api.Objects {
	list.Frame = seg.FrameRef{}
	list.Objects = slices.Clone(list.Objects)
	for i := range list.Objects {
		list.Objects[i].Age, list.Objects[i].MaskAge = 0, 0
	}
	return list
}

// discover sends Home Assistant's description when the cameras or objects changed.
func (k *keeper) discover(ctx context.Context) error {
	changed, err := k.found.update(k.c.o.Discovery, k.c.devices())
	if err != nil {
		return fmt.Errorf("describe the agent to Home Assistant: %w", err)
	}
	for _, d := range changed {
		k.c.announced.described(d.topic, d.before)
		if err := k.sendFitting(ctx, outgoing{key: d.topic, topic: d.topic, qos: 1, retained: true, payload: d.payload}); err != nil {
			return err
		}
		k.c.announced.described(d.topic, d.after)
	}
	return nil
}

// discoverAnew describes everything again: Home Assistant has started.
func (k *keeper) discoverAnew(ctx context.Context) error {
	k.found.forget()
	return k.discover(ctx)
}

// presence sends who is where.
func (k *keeper) presence(ctx context.Context) error {
	cameras := k.c.o.Service.Cameras()
	k.c.tally.retain(cameras)
	for _, camera := range cameras {
		p, ok := k.c.presence(camera)
		if !ok {
			continue
		}
		if err := k.send(ctx, k.c.topics.Camera(camera, "presence"), p, nil); err != nil {
			return err
		}
	}
	return nil
}

// reintroduce is how long agents take, each by chance, to describe themselves to a Home Assistant that has started.
const reintroduce = 3 * time.Second

// tidy takes back what an earlier run, another configuration or a camera that has gone left with the broker: an empty retained message
// removes what was retained (MQTT 3.1.1, section 3.3.1.3), and for Home Assistant the device.
func (k *keeper) tidy(ctx context.Context) error {
	t := k.c.topics
	wanted := map[string]bool{t.Status(): true, t.Info(): true}
	for _, camera := range k.c.o.Service.Cameras() {
		for _, what := range []string{"state", "objects", "presence"} {
			wanted[t.Camera(camera, what)] = true
		}
		p, _ := k.c.presence(camera)
		for _, topic := range k.c.imageTopics(camera, slices.Sorted(maps.Keys(p.Names))) {
			wanted[topic] = true
		}
	}
	for _, d := range k.c.devices() {
		wanted[k.c.o.Discovery+"/"+d.Topic] = true
	}
	for _, topic := range k.c.announced.stale(wanted) {
		if err := k.takeBack(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// takeBack clears a topic. One that the broker does not let be cleared is told and passed over until the next start.
func (k *keeper) takeBack(ctx context.Context, topic string) error {
	const sentence = "what is no longer true stays with the broker until the next start: it does not let this client take it back"
	if k.c.suspects.isCondemned(topic) {
		k.c.suspects.acquit(topic)
		k.c.announced.stays(topic)
		k.c.log.Error(sentence, "topic", topic)
		return nil
	}
	err := k.c.publish(ctx, k.l, outgoing{key: topic, topic: topic, qos: 1, retained: true})
	if refused(err) {
		k.c.suspects.through(topic, false)
		k.c.announced.stays(topic)
		k.c.log.Error(sentence, "topic", topic, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	k.c.announced.cleared(topic)
	delete(k.sent, topic)
	delete(k.found.known, topic)
	delete(k.found.told, topic)
	k.c.log.Info("what is no longer true was taken back from the broker", "topic", topic)
	return nil
}
