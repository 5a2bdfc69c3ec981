package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/web"
)

// runCmd is the agent.
type runCmd struct {
	settings
	Source   string        `help:"synthetic, /dev/video0, a video file, a folder of images, rtsp://…, 'gst: …', csi:0. Replaces the configured cameras." placeholder:"SOURCE"`
	Loop     bool          `help:"Start a file again at its end."`
	Prompt   []string      `help:"Follow this from the first frame on: point:x,y[,label], box:x0,y0,x1,y1 or text:PHRASE, coordinates within 0..1 (repeatable)." sep:"none"`
	Listen   string        `help:"Address of the page. Off loopback, a token is made, kept in the state folder and printed." placeholder:"HOST:PORT"`
	Token    string        `help:"Token that the page then asks everybody for, at least 16 characters; better as SEGEDGE_HTTP_TOKEN in the environment, which others do not see." placeholder:"TOKEN"`
	State    string        `help:"Folder for what outlives a run." type:"path" placeholder:"DIR"`
	Duration time.Duration `help:"Stop after this time."`
	Summary  string        `help:"Write a summary as JSON at the end; overlay and encoder then always run." type:"path" placeholder:"FILE"`
	Out      string        `help:"Write the overlay as .mp4 (of the first camera)." type:"path" placeholder:"FILE"`
	Offline  bool          `help:"Follow every frame of a recording, as fast as the machine can, without doors: the files of --out, --masks and --summary are what is left."`
	Require  providerName  `name:"require-provider" help:"End with exit code 69 where the model runs on nothing as good as this: cpu, cuda, tensorrt; without it, the best that works here will do." placeholder:"PROVIDER"`
	Masks    string        `help:"Write every frame's masks as JSON lines (of the first camera)." type:"path" placeholder:"FILE"`

	madeToken bool // the agent made its token itself
}

// collectAt is how much garbage, in percent of what is in use, the agent lets gather before it collects, where GOGC says nothing. An agent
// makes a few megabytes a second and holds about 150: with Go's 100 it collects every 40 s or so and keeps as much again for garbage,
// with 40 every quarter of a minute, for a few milliseconds, and leaves the rest to the box.
const collectAt = 40

// demoPrompts are asked of the built-in scene, so that there is something to see.
var demoPrompts = []string{"point:0.2,0.5", "point:0.4,0.5", "point:0.6,0.5", "point:0.8,0.5"}

func (r *runCmd) Run(e *env) (err error) {
	cfg, err := r.configure()
	if err != nil {
		return err
	}
	if err := writable(output{"--out", r.Out, asMovie}, output{"--masks", r.Masks, nil}, output{"--summary", r.Summary, nil}); err != nil {
		return err
	}
	if r.Offline {
		return r.offline(e, cfg)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	level := new(slog.LevelVar)
	level.Set(logLevel(cfg.Log.Level))
	log := newLogger(e.stderr, cfg.Log.Format, level)
	dir, err := stateDir(cfg.Agent.State)
	if err != nil {
		return err
	}
	lock, err := lockState(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := r.openToTheNetwork(&cfg, dir); err != nil {
		return err
	}
	b := &builder{cfg: cfg, log: log, level: level, state: dir, run: r, out: e.stdout}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.build(e.ctx); err != nil {
		return err
	}
	ctx := e.ctx
	if r.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Duration)
		defer cancel()
	}
	err = b.supervise(ctx)
	return errors.Join(err, b.summarise(r.Summary))
}

// configure is the configuration with the flags on top, checked.
func (r *runCmd) configure() (config.Config, error) {
	l, err := r.read()
	if err != nil {
		return config.Config{}, err
	}
	r.applyFlags(l)
	if err := problems(l, checks{token: r.Listen == ""}).Err(); err != nil {
		return l.Config, configFault{err}
	}
	return l.Config, nil
}

// applyFlags puts the flags over the settings.
func (r *runCmd) applyFlags(l *config.Loaded) {
	if r.Source != "" {
		l.Cameras = []config.Camera{{Name: "camera", Source: r.Source, Loop: r.Loop}}
		l.Override("cameras", "--source")
	}
	if len(r.Prompt) > 0 && len(l.Cameras) > 0 {
		l.Cameras[0].Prompts = r.Prompt
		l.Override("cameras.0.prompts", "--prompt")
	} else if len(l.Cameras) > 0 && strings.HasPrefix(l.Cameras[0].Source, "synthetic") && len(l.Cameras[0].Prompts) == 0 {
		l.Cameras[0].Prompts = demoPrompts
	}
	if r.Listen != "" {
		l.HTTP.Listen = r.Listen
		l.Override("http.listen", "--listen")
	}
	if r.Token != "" {
		l.HTTP.Token, l.HTTP.TokenFile = r.Token, ""
		l.Override("http.token", "--token")
	}
	if r.State != "" {
		l.Agent.State = r.State
		l.Override("agent.state", "--state")
	}
}

// openToTheNetwork makes a token where a person at the terminal asked for an address off loopback; without it the configuration has to
// bring one.
func (r *runCmd) openToTheNetwork(cfg *config.Config, dir string) error {
	if r.Listen == "" || cfg.HTTP.Token != "" || len(cfg.HTTP.Tokens) > 0 || loopback(cfg.HTTP.Listen) {
		return nil
	}
	token, err := keptToken(dir)
	if err != nil {
		return err
	}
	cfg.HTTP.Token, r.madeToken = token, true
	return nil
}

// loopback reports whether an address is reachable from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// addresses are the page's addresses as a person would type them, with the token where one is given.
func addresses(scheme string, listen net.Addr, token string) []string {
	tcp, ok := listen.(*net.TCPAddr)
	if !ok {
		return []string{listen.String()}
	}
	hosts := []string{tcp.IP.String()}
	if tcp.IP.IsUnspecified() {
		hosts = append([]string{"localhost"}, interfaceHosts()...)
	}
	suffix := "/"
	if token != "" {
		suffix += "?token=" + token
	}
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = scheme + "://" + net.JoinHostPort(h, fmt.Sprint(tcp.Port)) + suffix
	}
	return out
}

// tokens are the configured tokens as the page's door takes them.
func tokens(list []config.Token) []web.Token {
	out := make([]web.Token, len(list))
	for i, t := range list {
		out[i] = web.Token{Name: t.Name, Role: api.Role(t.Role), Token: t.Token}
	}
	return out
}

// users are the configured users as the embedded broker takes them.
func users(list []config.User) []broker.User {
	out := make([]broker.User, len(list))
	for i, u := range list {
		out[i] = broker.User{Name: u.Name, Role: api.Role(u.Role), Password: u.Password}
	}
	return out
}

// interfaceHosts are this machine's IPv4 addresses that others may reach.
func interfaceHosts() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// newLogger writes text or JSON lines, with secrets masked.
func newLogger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(secret.NewHandler(slog.NewJSONHandler(w, o)))
	}
	return slog.New(secret.NewHandler(slog.NewTextHandler(w, o)))
}

func logLevel(name string) slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(name)) != nil {
		return slog.LevelInfo
	}
	return l
}
