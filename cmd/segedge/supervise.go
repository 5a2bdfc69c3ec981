package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/systemd"
	"github.com/segedge/segedge/web"
)

// supervise runs the agent until ctx ends, its sources have ended, or a part fails for good.
func (b *builder) supervise(ctx context.Context) error {
	b.parts = supervise.NewGroup(context.WithoutCancel(ctx))
	doors := []supervise.Part{{Name: "model", Run: b.model.Run}, {Name: "reload", Run: b.reload}}
	if b.broker != nil {
		doors = append(doors, supervise.Part{Name: "mqtt broker", Run: b.broker.Run})
	}
	doors = append(doors, supervise.Part{Name: "mqtt", Run: b.client.Run}, supervise.Part{Name: "stream", Run: supervise.Keep("stream", b.stream.Run, b.log)})
	for name, s := range b.sinks {
		doors = append(doors, supervise.Part{Name: "video of " + name, Run: s.Run})
	}
	doors = append(doors, supervise.Part{Name: "records", Run: b.records.Run})
	if b.web != nil {
		doors = append(doors, supervise.Part{Name: "web", Run: supervise.Keep("web", b.serve, b.log)})
	}
	unit := systemd.Reporter{Status: b.status, Progress: b.progress, Logger: b.log}
	p := supervise.Process{Doors: doors, Main: b.agent.Run, Beside: []supervise.Part{{Name: "systemd", Run: unit.Run}}}
	b.welcome()
	return p.RunIn(ctx, b.parts)
}

// serve is the page's door. The first time its address was taken by build.
func (b *builder) serve(ctx context.Context) error {
	l := b.listener.Swap(nil)
	if l == nil {
		again, err := net.Listen("tcp", b.address.String())
		if err != nil {
			return err
		}
		l = &again
	}
	return web.Serve(ctx, *l, b.web)
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
	if b.address == nil {
		return
	}
	for _, a := range addresses(b.address, b.cfg.HTTP.Token) {
		fmt.Fprintf(b.out, "  page: %s\n", a)
	}
	fmt.Fprintln(b.out, "open the page and click on something; Ctrl-C stops")
}

// stuckAfter is how long a running camera may go without a processed frame, and the model without an answer.
const stuckAfter = 20 * time.Second

// progress is nil while frames are processed, the model answers and the outbox drains.
func (b *builder) progress() error {
	return errors.Join(b.agent.Stuck(stuckAfter), b.client.Stuck(stuckAfter))
}

// status is what systemctl status shows.
func (b *builder) status() string {
	var s string
	for _, name := range b.agent.Cameras() {
		st, _ := b.agent.State(name)
		s += fmt.Sprintf("%s: %s, %.1f fps, %d object(s). ", name, st.State, st.FPS, st.Objects)
	}
	return s
}
