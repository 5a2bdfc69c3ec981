package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/client"
	web "github.com/segedge/segedge/web/client"
)

// remote are the flags of a command that speaks to a running agent.
type remote struct {
	settings
	Broker string `help:"The agent's broker; by default the configured one, else the embedded one of this machine, whatever port it took." placeholder:"tcp://HOST:1883"`
	Agent  string `help:"The agent's name; by default this machine's." placeholder:"NAME"`
	URL    string `name:"url" help:"Speak HTTP to the page's address instead of MQTT." placeholder:"http://HOST:8080"`
	Token  string `help:"The page's token, with --url." env:"SEGEDGE_HTTP_TOKEN"`
	State  string `help:"The state folder of an agent on this machine that was started with another one." type:"path" placeholder:"DIR"`
}

func (r *remote) dial(ctx context.Context) (*client.Client, error) {
	cfg, err := r.load()
	if err != nil {
		return nil, err
	}
	o := client.Options{Agent: cfg.Agent.Name, Prefix: cfg.MQTT.Prefix, Connection: connection(&cfg.MQTT)}
	if r.Agent != "" {
		o.Agent, o.Prefix = r.Agent, ""
	}
	if o.Broker = cmp.Or(r.Broker, o.Broker); o.Broker != "" {
		return client.Dial(ctx, o)
	}
	cfg.Agent.State = cmp.Or(r.State, cfg.Agent.State)
	return findAgent(ctx, o, likelyBrokers(&cfg))
}

// asking are the flags of a command that is one of the agent's.
type asking struct {
	remote
	Camera  string        `help:"The camera." default:"camera"`
	Timeout time.Duration `help:"How long to wait for the answer." default:"25s"`
	JSON    bool          `name:"json" help:"Print the answer as JSON on a terminal too, as it is elsewhere."`
}

// door is a way to a running agent.
type door interface {
	// do sends a command and returns its reply.
	do(ctx context.Context, camera, verb string, body any) (web.Reply, error)
	// get is a camera's document, state or objects, as it is now.
	get(ctx context.Context, camera, what string) ([]byte, error)
	// snapshot is a JPEG of what the camera shows now.
	snapshot(ctx context.Context, camera string, what api.Shot) ([]byte, error)
	close()
}

// with opens the way to the agent for the time of the command.
func (c *asking) with(e *env, use func(context.Context, door) error) error {
	ctx, cancel := context.WithTimeout(e.ctx, c.Timeout)
	defer cancel()
	if c.URL != "" {
		return use(ctx, overHTTP{&web.Client{URL: c.URL, Token: c.Token}})
	}
	m, err := c.dial(ctx)
	if err != nil {
		return err
	}
	d := overMQTT{m}
	defer d.close()
	return use(ctx, d)
}

// send has the agent do something, prints the reply and fails with it.
func (c *asking) send(e *env, verb string, body any) error {
	return c.with(e, func(ctx context.Context, d door) error {
		reply, err := d.do(ctx, c.Camera, verb, body)
		if err != nil {
			return err
		}
		if c.readable(e) {
			return printReply(e.stdout, reply)
		}
		if err := json.NewEncoder(e.stdout).Encode(reply); err != nil {
			return err
		}
		if !reply.OK {
			return exitError(1)
		}
		return nil
	})
}

// readable reports whether the answer is for a person's eyes: masks as numbers would fill a terminal.
func (c *asking) readable(e *env) bool { return !c.JSON && isTerminal(e.stdout) }

// show prints a camera's document.
func (c *asking) show(e *env, what string) error {
	return c.with(e, func(ctx context.Context, d door) error {
		data, err := d.get(ctx, c.Camera, what)
		if err != nil {
			return err
		}
		if c.readable(e) {
			return printDocument(e.stdout, what, data)
		}
		_, err = fmt.Fprintf(e.stdout, "%s\n", data)
		return err
	})
}

// connection is how a configuration says that its broker is reached.
func connection(c *config.MQTT) mqtt.Connection {
	return mqtt.Connection{
		Broker: c.Broker, Version: c.Version, Username: c.Username, Password: c.Password, PasswordFile: c.PasswordFile,
		TLS: mqtt.TLS{CA: c.CA, Cert: c.Cert, Key: c.Key},
	}
}
