package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/malloc"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/state"
	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/systemd"
	"github.com/segedge/segedge/thermal"
	"github.com/segedge/segedge/web"
)

// supervise runs the agent until ctx ends, its sources have ended, or a part fails for good.
func (b *builder) supervise(ctx context.Context) error {
	b.parts = supervise.NewGroup(context.WithoutCancel(ctx))
	keeper := state.Keeper{
		File:     b.known,
		Revision: b.agent.Revision,
		Collect:  func(ctx context.Context) (any, error) { return b.agent.Known(ctx) },
		Kept: func(value any) {
			if known, ok := value.([]agent.Known); ok {
				b.agent.Kept(known)
			}
		},
	}
	b.heat = thermal.Watch{Root: os.DirFS("/"), Logger: b.log, Ease: func(l thermal.Level) {
		b.agent.Spend(ctx, l.Keyframes())
		b.pictures.spare(l.SparesVideo())
	}}
	doors := []supervise.Part{
		{Name: "temperature", Run: b.heat.Run},
		{Name: "state", Run: keeper.Run},
		{Name: "model", Run: b.model.Run},
		{Name: "reload", Run: b.reload},
	}
	doors = append(doors, b.traced()...)
	if b.broker != nil {
		doors = append(doors, supervise.Part{Name: "mqtt broker", Run: b.broker.Run})
	}
	for _, w := range b.webhooks { // before what hands them events
		doors = append(doors, supervise.Part{Name: "webhook", Run: w.Run})
	}
	doors = append(
		doors,
		supervise.Part{Name: "mqtt", Run: b.client.Run},
		supervise.Part{Name: "stream", Run: supervise.Keep("stream", b.stream.Run, b.log)},
	)
	doors = append(
		doors,
		supervise.Part{Name: "clips", Run: b.clips.Run},
		supervise.Part{Name: "records", Run: b.records.Run},
		supervise.Part{Name: "video", Run: b.pictures.run},
	)
	if b.web != nil {
		doors = append(doors, supervise.Part{Name: "web", Run: supervise.Keep("web", b.serve, b.log)})
	}
	if b.rtsp != nil {
		doors = append(doors, supervise.Part{Name: "rtsp", Run: supervise.Keep("rtsp", b.rtsp.Run, b.log)})
	}
	if b.cfg.Debug.Listen != "" {
		doors = append(doors, supervise.Part{Name: "profiles", Run: supervise.Keep("profiles", b.profile, b.log)})
	}
	if b.data.collector != nil {
		doors = append(doors, supervise.Part{Name: "data", Run: b.data.collector.Run})
		if every := b.cfg.Data.Propose; every > 0 {
			propose := func(ctx context.Context) error { return b.agent.Propose(ctx, every) }
			doors = append(doors, supervise.Part{Name: "proposals", Run: supervise.Keep("proposals", propose, b.log)})
		}
	}
	doors = append(doors, supervise.Part{Name: "memory", Run: malloc.Trim})
	unit := systemd.Reporter{Status: b.status, Progress: b.progress, Logger: b.log}
	p := supervise.Process{Doors: doors, Main: b.agent.Run, Beside: []supervise.Part{{Name: "systemd", Run: unit.Run}}}
	b.welcome()
	return p.RunIn(ctx, b.parts)
}

// serve is the page's door. The first time its address was taken by build.
func (b *builder) serve(ctx context.Context) error {
	l := b.listener.Swap(nil)
	if l == nil {
		again, err := b.listen(b.address.String())
		if err != nil {
			return err
		}
		l = &again
	}
	if b.certificate != nil {
		return web.Serve(ctx, tls.NewListener(*l, b.certificate.Config()), b.web)
	}
	return web.Serve(ctx, *l, b.web)
}

// profile serves Go's profiles to who looks for a fault on this machine.
func (b *builder) profile(ctx context.Context) error {
	l, err := net.Listen("tcp", b.cfg.Debug.Listen)
	if err != nil {
		return fmt.Errorf("debug.listen: %w", err)
	}
	b.log.Info("profiles are served", "address", "http://"+l.Addr().String()+"/debug/pprof/")
	return web.Serve(ctx, l, web.Profiles())
}

// welcome prints where to look and what is going on.
func (b *builder) welcome() {
	info := b.agent.Info()
	fmt.Fprintf(b.out, "segedge %s: %s on %s; segedge doctor says why not on something faster\n", version, info.Model, info.Provider)
	if line := degraded(b.cfg.Model.Provider, info.Provider, info.Why); line != "" && info.Away == "" {
		fmt.Fprintf(b.out, "  %s\n", line)
	}
	if info.Away != "" {
		fmt.Fprintf(b.out, "  THE INFERENCE SERVER IS AWAY, the built-in model serves: %s\n", info.Away)
	}
	for i := range b.cfg.Cameras {
		c := &b.cfg.Cameras[i]
		fmt.Fprintf(b.out, "  camera %s: %s, %d prompt(s) from the start\n", c.Name, shownSource(c.Source), len(c.Prompts))
	}
	fmt.Fprintf(b.out, "  mqtt: %s, topics %s/…\n", secret.MaskValue(b.cfg.MQTT.Broker), b.client.Topics().Prefix)
	if b.data.collector != nil {
		fmt.Fprintf(b.out, "  data: what people confirm, refine and reject is kept in %s\n", dataFolder(&b.cfg, b.state))
	}
	if b.address == nil {
		return
	}
	for _, a := range addresses(b.scheme(), b.address, b.shownToken()) {
		fmt.Fprintf(b.out, "  page: %s\n", a)
	}
	switch {
	case b.run.madeToken && b.shownToken() == "":
		fmt.Fprintf(b.out, "  the page asks for the token in %s\n", filepath.Join(b.state, "token"))
	case b.shownToken() == "" && (b.cfg.HTTP.Token != "" || len(b.cfg.HTTP.Tokens) > 0):
		fmt.Fprintln(b.out, "  the page asks for a token of the configuration (http.token, http.tokens)")
	}
	fmt.Fprintln(b.out, "open the page and click on something; Ctrl-C stops")
}

func (b *builder) scheme() string {
	if b.certificate != nil {
		return "https"
	}
	return "http"
}

// pageForOthers is the page's address as somebody on another machine reaches it, without a token; "" where nobody does.
func (b *builder) pageForOthers() string {
	if b.address == nil {
		return ""
	}
	return reachable(addresses(b.scheme(), b.address, ""))
}

// reachable is the first of some addresses that is not this machine's alone; "" for none.
func reachable(pages []string) string {
	for _, page := range pages {
		if u, err := url.Parse(page); err == nil && !loopback(u.Host) {
			return page
		}
	}
	return ""
}

// stuckAfter is how long a running camera may go without a processed frame, and the model without an answer.
const stuckAfter = 20 * time.Second

// progress is nil while frames are processed, the model answers and the outbox drains.
func (b *builder) progress() error {
	return errors.Join(b.agent.Stuck(stuckAfter), b.client.Stuck(stuckAfter))
}

// status is what systemctl status shows.
func (b *builder) status() string {
	var s strings.Builder
	for _, name := range b.agent.Cameras() {
		st, _ := b.agent.State(name)
		s.WriteString(fmt.Sprintf("%s: %s, %.1f fps, %d object(s). ", name, st.State, st.FPS, st.Objects))
	}
	return s.String()
}

// shownToken is the token as the lines at start show it: one that was made for the person who typed the address, and never into a
// journal, which many may read. One that was configured is known to whom it concerns.
func (b *builder) shownToken() string {
	if b.run.madeToken && !toJournal(b.out) {
		return b.cfg.HTTP.Token
	}
	return ""
}
