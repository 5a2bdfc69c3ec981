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
	r, err := h.c.Do(ctx, camera, verb, body)
	if err == nil && r.Error != nil && r.Error.Code == api.Unauthorised {
		err = refusedBy(r.Error)
	}
	return r, err
}

// refusedBy is an answer of the page's door, with what to type where the token is missing or wrong.
func refusedBy(err error) error {
	if e, ok := errors.AsType[*api.Error](err); ok && e.Code == api.Unauthorised {
		return errors.New("the page asks for its token: give it with --token TOKEN, or as SEGEDGE_HTTP_TOKEN in the environment")
	}
	return err
}

func (h overHTTP) get(ctx context.Context, camera, what string) ([]byte, error) {
	doc, err := h.c.Get(ctx, camera, what)
	return doc, refusedBy(err)
}

func (h overHTTP) snapshot(ctx context.Context, camera string, what api.Shot) ([]byte, error) {
	shot, err := askSnapshot(ctx, h, camera, what)
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
		return nil, fmt.Errorf("nothing is known of camera %s of %s at the broker %s: is the agent running, and are those the names?",
			camera, m.c.Prefix(), m.c.Broker())
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return doc, err
}

// snapshot listens for the picture before it asks for it: it comes before the reply.
func (m overMQTT) snapshot(ctx context.Context, camera string, what api.Shot) ([]byte, error) {
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
	if _, err := askSnapshot(ctx, m, camera, what); err != nil {
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
func askSnapshot(ctx context.Context, d door, camera string, what api.Shot) (api.Snapshot, error) {
	var shot api.Snapshot
	r, err := d.do(ctx, camera, "snapshot", what)
	if err == nil && !r.OK {
		err = r.Error
	}
	if err == nil {
		err = json.Unmarshal(r.Result, &shot)
	}
	return shot, err
}
