package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/webhook"
)

// buildWebhooks makes a client for each address, with a journal of its own in the state folder.
func (b *builder) buildWebhooks() error {
	for i := range b.cfg.Webhooks {
		w := &b.cfg.Webhooks[i]
		name := sha256.Sum256([]byte(w.URL))
		o := webhook.Options{
			URL: w.URL, Token: w.Token, CA: w.CA, Cert: w.Cert, Key: w.Key, Agent: b.cfg.Agent.Name,
			Dir: filepath.Join(b.state, "webhooks", hex.EncodeToString(name[:8])), Logger: b.log,
			Size: func(camera string) (w, h int) {
				st, _ := b.agent.State(camera)
				return st.Width, st.Height
			},
		}
		for _, e := range w.Events {
			o.Events = append(o.Events, seg.EventType(e))
		}
		c, err := webhook.New(o)
		if err != nil {
			return fmt.Errorf("webhooks.%d: %w", i, err)
		}
		b.webhooks = append(b.webhooks, c)
	}
	return nil
}

// post hands an event to every webhook.
func (b *builder) post(e seg.Event, lost uint64) {
	for _, w := range b.webhooks {
		w.Publish(e, lost)
	}
}
