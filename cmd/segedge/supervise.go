package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segedge/segedge/systemd"
	"github.com/segedge/segedge/web"
)

// group runs parts together: the first that fails stops the others.
type group struct {
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	errs   []error
}

func newGroup(ctx context.Context) *group {
	g := &group{}
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

func (g *group) run(name string, part func(context.Context) error) {
	g.wg.Go(func() {
		if err := part(g.ctx); err != nil && !errors.Is(err, context.Canceled) {
			g.mu.Lock()
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
			g.mu.Unlock()
			g.cancel()
		}
	})
}

// stop ends the parts and joins them.
func (g *group) stop() error {
	g.cancel()
	g.wg.Wait()
	return errors.Join(g.errs...)
}

// supervise runs the agent until ctx ends, its sources have ended, or a part fails for good. Sinks start first and stop
// last, so that the last words of the cameras still find their way.
func (b *builder) supervise(ctx context.Context) error {
	sinks := newGroup(context.WithoutCancel(ctx))
	b.parts = sinks
	sinks.run("model", b.model.Run)
	sinks.run("reload", b.reload)
	if b.broker != nil {
		sinks.run("mqtt broker", b.broker.Run)
	}
	sinks.run("mqtt", b.client.Run)
	sinks.run("stream", b.stream.Run)
	for name, s := range b.sinks {
		sinks.run("video of "+name, s.Run)
	}
	sinks.run("records", b.records.run)
	if b.web != nil {
		sinks.run("web", func(ctx context.Context) error { return web.Serve(ctx, b.listener, b.web) })
	}
	b.welcome()
	cameras := newGroup(ctx)
	done := make(chan struct{})
	cameras.run("agent", func(ctx context.Context) error {
		defer close(done)
		return b.agent.Run(ctx)
	})
	unit := newGroup(context.WithoutCancel(ctx))
	unit.run("systemd", func(ctx context.Context) error { return b.notify(ctx) })
	select {
	case <-done:
	case <-sinks.ctx.Done():
	}
	err := cameras.stop()
	err = errors.Join(err, unit.stop())
	return errors.Join(err, sinks.stop())
}

// welcome prints where to look and what is going on.
func (b *builder) welcome() {
	info := b.agent.Info()
	fmt.Fprintf(b.out, "segedge %s: %s on %s; segedge doctor says why not on something faster\n", version, info.Model, info.Provider)
	for i := range b.cfg.Cameras {
		c := &b.cfg.Cameras[i]
		fmt.Fprintf(b.out, "  camera %s: %s, %d prompt(s) from the start\n", c.Name, shownSource(c.Source), len(c.Prompts))
	}
	fmt.Fprintf(b.out, "  mqtt: %s, topics %s/…\n", b.cfg.MQTT.Broker, b.client.Topics().Prefix)
	if b.listener == nil {
		return
	}
	for _, a := range addresses(b.listener.Addr(), b.cfg.HTTP.Token) {
		fmt.Fprintf(b.out, "  page: %s\n", a)
	}
	fmt.Fprintln(b.out, "open the page and click on something; Ctrl-C stops")
}

// notify tells systemd how it goes, if it listens: ready once every part runs, alive while frames are processed and the model
// answers.
func (b *builder) notify(ctx context.Context) error {
	var n systemd.Notifier
	if err := n.Ready(b.status()); err != nil {
		return err
	}
	dog := newGroup(ctx)
	dog.run("watchdog", systemd.NewWatchdog(func() error { return errors.Join(b.agent.Stuck(stuckAfter), b.client.Stuck(stuckAfter)) }, b.log).Run)
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := n.Status(b.status()); err != nil {
				b.log.Warn("telling systemd the status", "err", err)
			}
		case <-ctx.Done():
			return errors.Join(n.Stopping("stopping"), dog.stop())
		}
	}
}

// stuckAfter is how long a running camera may go without a processed frame, and the model without an answer.
const stuckAfter = 20 * time.Second

// status is what systemctl status shows.
func (b *builder) status() string {
	var s string
	for _, name := range b.agent.Cameras() {
		st, _ := b.agent.State(name)
		s += fmt.Sprintf("%s: %s, %.1f fps, %d object(s). ", name, st.State, st.FPS, st.Objects)
	}
	return s
}
