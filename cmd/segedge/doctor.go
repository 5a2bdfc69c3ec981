package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/provider"
	"github.com/segedge/segedge/mqtt/client"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/web"
)

// doctorCmd checks that what the configuration names works here.
type doctorCmd struct {
	settings
	Source  string        `help:"Check this source instead of the configured cameras." placeholder:"SOURCE"`
	JSON    bool          `name:"json" help:"Print the result as JSON."`
	Timeout time.Duration `help:"For each check." default:"15s"`
}

// finding is one check's result: fine, or what to do.
type finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

func (d *doctorCmd) Run(e *env) error {
	cfg, err := d.load()
	if err != nil {
		return err
	}
	var unread config.Problems
	if readTokens(&cfg, &unread); unread != nil {
		return configFault{unread}
	}
	if d.Source != "" {
		cfg.Cameras = []config.Camera{{Name: "camera", Source: d.Source}}
	}
	var all []finding
	check := func(name string, do func(context.Context) (string, error)) {
		ctx, cancel := context.WithTimeout(e.ctx, d.Timeout)
		defer cancel()
		text, err := do(ctx)
		if err != nil {
			text = err.Error()
		}
		all = append(all, finding{name, err == nil, secret.Mask(text)})
	}
	for i := range cfg.Cameras {
		check("camera "+cfg.Cameras[i].Name, func(ctx context.Context) (string, error) { return checkCamera(ctx, &cfg.Cameras[i]) })
	}
	check("model", func(ctx context.Context) (string, error) { return checkModel(ctx, cfg) })
	check("broker", func(ctx context.Context) (string, error) { return checkBroker(ctx, cfg) })
	check("encoder", func(ctx context.Context) (string, error) { return checkEncoder(ctx, cfg.Video) })
	check("page", func(context.Context) (string, error) { return checkPage(cfg.HTTP) })
	return d.print(e.stdout, all)
}

func (d *doctorCmd) print(w io.Writer, all []finding) error {
	ok := true
	for _, f := range all {
		ok = ok && f.OK
	}
	if d.JSON {
		if err := json.NewEncoder(w).Encode(map[string]any{"ok": ok, "checks": all}); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			mark := "OK  "
			if !f.OK {
				mark = "FAIL"
			}
			fmt.Fprintf(w, "%s  %-16s %s\n", mark, f.Name, f.Text)
		}
	}
	if !ok {
		return exitError(1)
	}
	return nil
}

// checkCamera opens the source and reads a frame.
func checkCamera(ctx context.Context, c *config.Camera) (string, error) {
	spec, err := sourceSpec(c)
	if err != nil {
		return "", err
	}
	source, err := openSource(c, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	w, h, err := capture.Probe(ctx, source.Open)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s gives frames of %d×%d", spec, w, h), nil
}

// checkModel loads the model and runs it once.
func checkModel(ctx context.Context, c config.Config) (_ string, err error) {
	m, err := openModel(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	start := time.Now()
	emb, err := m.Embed(ctx, frame.New(640, 360))
	if err != nil {
		return "", err
	}
	took := time.Since(start)
	info := m.Info()
	if info.Away != "" {
		return "", errors.Join(fmt.Errorf("the inference server is away: %s; the built-in model serves here meanwhile", info.Away), emb.Close())
	}
	if line := degraded(c.Model.Provider, info.Provider, info.Why); line != "" && !strings.Contains(info.Why, provider.NotBuilt) {
		return "", errors.Join(errors.New(line), emb.Close())
	}
	return fmt.Sprintf("%s (family %s) on %s, first encode %.0f ms, ONNX Runtime %s; %s", info.Name, info.Family, info.Provider,
		took.Seconds()*1000, m.runtime.Version(), info.Why), emb.Close()
}

// checkBroker connects to the configured broker.
func checkBroker(ctx context.Context, cfg config.Config) (string, error) {
	if cfg.MQTT.Broker == "" {
		return "embedded, on " + cmp.Or(cfg.MQTT.Embedded, "127.0.0.1:1883 or a free port"), nil
	}
	c, err := client.Dial(ctx, client.Options{Agent: cfg.Agent.Name, Connection: connection(&cfg.MQTT)})
	if err != nil {
		return "", err
	}
	c.Close()
	return "connected to " + capture.Mask(cfg.MQTT.Broker), nil
}

// checkPage takes the page's address for a moment.
func checkPage(c config.HTTP) (string, error) {
	if c.Listen == "" {
		return "none is wanted", nil
	}
	token := c.Token
	if token == "" && len(c.Tokens) > 0 {
		token = c.Tokens[0].Token
	}
	if err := web.CheckListen(c.Listen, token); err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return "", fmt.Errorf("%w; is the agent running already?", err)
	}
	return "can listen on " + c.Listen, l.Close()
}
