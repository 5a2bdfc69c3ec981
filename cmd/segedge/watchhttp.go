package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/mqtt/client"
	web "github.com/segedge/segedge/web/client"
)

// overPage are the kinds that the page's door can be asked for, again and again; the others are only ever told, over MQTT.
var overPage = []string{"objects", "state", "info", "status"}

// lookAtPage is how often a watch over HTTP asks.
const lookAtPage = time.Second

// answerOfPage is how long it waits for the answers.
const answerOfPage = 10 * time.Second

// checkURL is check for a watch over HTTP.
func (w *watchCmd) checkURL() error {
	for _, k := range w.Kinds {
		if !slices.Contains(overPage, k) {
			return errors.New(k + " come over MQTT only: leave --url out and name the broker with --broker, or watch " +
				strings.Join(overPage, ", ") + " or --table, which are asked for over HTTP once a second")
		}
	}
	return nil
}

// poll asks the page for what is watched, again and again, and hands on what has changed, as it comes over MQTT.
func (w *watchCmd) poll(ctx context.Context, take func(client.Message) error) error {
	c := &web.Client{URL: w.URL, Token: w.Token}
	last := map[string][]byte{}
	tick := time.NewTicker(lookAtPage)
	defer tick.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, answerOfPage)
		all, err := w.ask(one, c)
		cancel()
		if err != nil {
			return err
		}
		for _, m := range all {
			key := m.Kind + "/" + m.Camera
			if bytes.Equal(last[key], m.Payload) {
				continue
			}
			last[key] = m.Payload
			if err := take(m); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ask asks once for everything that is watched. That an agent answers is its status.
func (w *watchCmd) ask(ctx context.Context, c *web.Client) ([]client.Message, error) {
	cameras, err := c.Cameras(ctx)
	if err != nil {
		return nil, refusedBy(err)
	}
	if w.Camera != "" {
		if !slices.Contains(cameras, w.Camera) {
			return nil, errors.New(noCamera(w.Camera, cameras))
		}
		cameras = []string{w.Camera}
	}
	var all []client.Message
	for _, kind := range w.Kinds {
		switch kind {
		case "status":
			all = append(all, client.Message{Kind: kind, Payload: []byte("online")})
		case "info":
			doc, err := c.Info(ctx)
			if err != nil {
				return nil, refusedBy(err)
			}
			all = append(all, client.Message{Kind: kind, Payload: doc})
		default:
			for _, camera := range cameras {
				doc, err := c.Get(ctx, camera, kind)
				if err != nil {
					return nil, refusedBy(err)
				}
				all = append(all, client.Message{Kind: kind, Camera: camera, Payload: doc})
			}
		}
	}
	return all, nil
}
