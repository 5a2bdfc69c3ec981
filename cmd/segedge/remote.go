package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/client"
	"github.com/segedge/segedge/seg"
)

// remote are the flags of a command that speaks to a running agent.
type remote struct {
	settings
	Broker string `help:"The agent's broker; by default the configured one, else the embedded one of this machine." placeholder:"tcp://HOST:1883"`
	Agent  string `help:"The agent's name; by default this machine's."`
	Camera string `help:"The camera." default:"camera"`
}

func (r *remote) dial(ctx context.Context) (*client.Client, error) {
	cfg, err := r.load()
	if err != nil {
		return nil, err
	}
	o := client.Options{Agent: cfg.Agent.Name, Prefix: cfg.MQTT.Prefix, Connection: mqtt.Connection{
		Broker: cfg.MQTT.Broker, Username: cfg.MQTT.Username, Password: cfg.MQTT.Password, PasswordFile: cfg.MQTT.PasswordFile,
		TLS: mqtt.TLS{CA: cfg.MQTT.CA, Cert: cfg.MQTT.Cert, Key: cfg.MQTT.Key},
	}}
	if r.Agent != "" {
		o.Agent, o.Prefix = r.Agent, ""
	}
	switch {
	case r.Broker != "":
		o.Broker = r.Broker
	case o.Broker == "":
		o.Broker = "tcp://127.0.0.1:1883"
	}
	return client.Dial(ctx, o)
}

// promptCmd prompts a running agent.
type promptCmd struct {
	remote
	Prompt  string        `arg:"" help:"point:x,y[,label], box:x0,y0,x1,y1 or text:PHRASE, coordinates within 0..1."`
	Object  string        `help:"Refine this object instead of making a new one, such as camera-1."`
	Name    string        `help:"Name of the new object."`
	Timeout time.Duration `help:"How long to wait for the answer." default:"20s"`
}

func (p *promptCmd) Run(e *env) error {
	req, err := parsePrompt(p.Prompt)
	if err != nil && (p.Object == "" || !errors.Is(err, seg.ErrNegativeOnly)) { // alone, a negative point refines well
		return fmt.Errorf("prompt %q: %w", p.Prompt, err)
	}
	body := api.Prompt{Object: p.Object, Name: p.Name, Points: req.Prompt.Clicks, Text: req.Prompt.Text}
	if b := req.Prompt.Box; b != nil {
		body.Box = &[4]float64{b.X0, b.Y0, b.X1, b.Y1}
	}
	ctx, cancel := context.WithTimeout(e.ctx, p.Timeout)
	defer cancel()
	c, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.Do(ctx, p.Camera, "prompt", body)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(e.stdout).Encode(reply); err != nil {
		return err
	}
	if !reply.OK {
		return exitError(1)
	}
	return nil
}

// watchCmd prints what a running agent says.
type watchCmd struct {
	remote
	Kinds []string `arg:"" optional:"" help:"What to print: events (the default), objects, state, info, status, masks."`
}

func (w *watchCmd) Run(e *env) error {
	if len(w.Kinds) == 0 {
		w.Kinds = []string{"events"}
	}
	c, err := w.dial(e.ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.Watch(e.ctx, "", w.Kinds, func(m client.Message) error {
		_, err := fmt.Fprintf(e.stdout, "%s\n", m.Payload)
		return err
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
