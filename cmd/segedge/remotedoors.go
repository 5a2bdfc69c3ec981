package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt/client"
	web "github.com/segedge/segedge/web/client"
)

// overHTTP is the way through the page's door.
type overHTTP struct{ c *web.Client }

func (h overHTTP) do(ctx context.Context, camera, verb string, body any) (web.Reply, error) {
	return h.c.Do(ctx, camera, verb, body)
}

func (h overHTTP) get(ctx context.Context, camera, what string) ([]byte, error) {
	return h.c.Get(ctx, camera, what)
}

func (h overHTTP) snapshot(ctx context.Context, camera string) ([]byte, error) {
	shot, err := askSnapshot(ctx, h, camera)
	return shot.JPEG, err
}

func (overHTTP) close() {}

// overMQTT is the way through the broker.
type overMQTT struct{ c *client.Client }

func (m overMQTT) do(ctx context.Context, camera, verb string, body any) (web.Reply, error) {
	r, err := m.c.Do(ctx, camera, verb, body)
	return web.Reply(r), err
}

// errEnough ends a watch that has heard what it wanted.
var errEnough = errors.New("enough")

// get waits for the retained document.
func (m overMQTT) get(ctx context.Context, camera, what string) (doc []byte, err error) {
	err = m.c.Watch(ctx, camera, []string{what}, func(msg client.Message) error {
		doc = msg.Payload
		return errEnough
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("nothing is known of camera %s: is the agent running, and is that its name?", camera)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return doc, err
}

// snapshot listens for the picture before it asks for it: it comes before the reply.
func (m overMQTT) snapshot(ctx context.Context, camera string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, picture, ended := make(chan struct{}), make(chan []byte, 1), make(chan error, 1)
	go func() {
		ended <- m.c.WatchFrom(ctx, camera, []string{"snapshot"}, ready, func(msg client.Message) error {
			select {
			case picture <- msg.Payload:
			default:
			}
			return nil
		})
	}()
	defer func() { cancel(); <-ended }()
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		return nil, err
	}
	if _, err := askSnapshot(ctx, m, camera); err != nil {
		return nil, err
	}
	select {
	case jpeg := <-picture:
		return jpeg, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the picture did not arrive: %w", ctx.Err())
	}
}

func (m overMQTT) close() { m.c.Close() }

// askSnapshot sends the command and reads its result.
func askSnapshot(ctx context.Context, d door, camera string) (api.Snapshot, error) {
	var shot api.Snapshot
	r, err := d.do(ctx, camera, "snapshot", nil)
	if err == nil && !r.OK {
		err = r.Error
	}
	if err == nil {
		err = json.Unmarshal(r.Result, &shot)
	}
	return shot, err
}
