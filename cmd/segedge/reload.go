package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
)

// reloadTime bounds one change, the loading of another model included.
const reloadTime = 2 * time.Minute

// lookEvery is how often the file is looked at. It is polled: a file that an editor or a mount replaces is no longer the one watched.
const lookEvery = 2 * time.Second

// reload reads the configuration again on SIGHUP (systemctl reload), when its file has changed, and by the command config, and makes it
// so. A configuration that is wrong changes nothing. Without a file there is nothing to read again, and SIGHUP ends the agent as a
// closing terminal expects.
func (b *builder) reload(ctx context.Context) error {
	if b.run.Config == "" {
		<-ctx.Done()
		return nil
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	seen := stamp(b.run.Config)
	for {
		select {
		case <-ctx.Done():
			return nil
		case name := <-b.failed:
			b.remakeFailed(ctx, name)
			continue
		case <-hangups:
		case <-ticker.C:
			now := stamp(b.run.Config)
			if now == seen || now == "" { // an editor may take it away for a moment
				continue
			}
			seen = now
		}
		if b.readAgain(ctx) {
			seen = "" // at the next look
		}
	}
}

// stamp is what a file looks like; empty where there is none.
func stamp(file string) string {
	st, err := os.Stat(file)
	if err != nil {
		return ""
	}
	return fmt.Sprint(st.ModTime().UnixNano(), st.Size())
}

// readAgain makes the file's present content so, and says in the log what came of it. It is to be done once more where another model was
// being loaded all the while.
func (b *builder) readAgain(ctx context.Context) (again bool) {
	cfg, err := b.run.configure()
	if err != nil {
		b.log.Error("the configuration is read again, but is wrong; nothing changes", "err", err)
		return false
	}
	got, err := b.apply(ctx, cfg)
	if err != nil {
		b.log.Error("a part of the configuration is not changed to", "err", err)
	}
	switch {
	case len(got.Changed) == 0 && len(got.Restart) == 0 && err == nil:
		b.log.Info("the configuration is read again; nothing in it is new")
	case len(got.Changed) > 0:
		b.log.Info("the configuration was changed", "changed", strings.Join(got.Changed, ", "))
	}
	if len(got.Restart) > 0 {
		b.log.Warn("these settings need a restart to become true", "settings", strings.Join(got.Restart, ", "))
	}
	return busy(err)
}

// remakeFailed makes a camera again that has failed for good while the others go on.
func (b *builder) remakeFailed(ctx context.Context, name string) {
	b.applying.Lock()
	defer b.applying.Unlock()
	c := b.live.Camera(name)
	if st, ok := b.agent.State(name); c == nil || ok && st.State != api.Stopped { // a change was quicker
		return
	}
	if err := b.remake(ctx, c, c); err != nil {
		b.log.Error("the camera that failed cannot be made again", "camera", name, "err", err)
		return
	}
	b.log.Info("the camera that failed was made again", "camera", name)
}

// apply makes a configuration true as far as that goes while the agent runs.
func (b *builder) apply(ctx context.Context, cfg config.Config) (api.ConfigResult, error) {
	b.applying.Lock()
	defer b.applying.Unlock()
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	c := change{b: b, ctx: ctx, next: cfg, got: api.ConfigResult{Changed: []string{}, Restart: []string{}}}
	c.settings()
	c.cameras()
	b.stream.SetPlaces(b.live.HTTP.MaxViewers * len(b.live.Cameras))
	return c.got, c.err()
}
