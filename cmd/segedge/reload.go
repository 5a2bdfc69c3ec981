package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/segedge/segedge/inference"
)

// reloadTime bounds the loading of another model.
const reloadTime = 2 * time.Minute

// reload reads the configuration again on SIGHUP (systemctl reload) and changes to the model that it names, without losing the objects.
// What else has changed needs a restart; a configuration that is wrong changes nothing.
// Without a file there is nothing to read again, and SIGHUP ends the agent as a closing terminal expects.
func (b *builder) reload(ctx context.Context) error {
	if b.run.Config == "" {
		<-ctx.Done()
		return nil
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
		}
		cfg, err := b.run.configure()
		switch {
		case err != nil:
			b.log.Error("the configuration is read again, but is wrong; nothing changes", "err", err)
			continue
		case cfg.Model == *b.newest.Load():
			b.log.Info("the configuration is read again; the model is the same, and what else has changed needs a restart")
			continue
		}
		opening, cancel := context.WithTimeout(ctx, reloadTime)
		err = b.agent.Replace(opening, func(ctx context.Context) (inference.Segmenter, error) {
			return b.openBeside(ctx, cfg.Model)
		})
		cancel()
		if err != nil {
			b.log.Error("the configured model is not changed to", "model", cfg.Model.Name, "err", err)
			continue
		}
		b.log.Info("the model was changed", "model", b.agent.Info().Model)
	}
}
