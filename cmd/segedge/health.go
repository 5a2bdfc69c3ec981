package main

import (
	"cmp"
	"fmt"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/thermal"
	"github.com/segedge/segedge/web"
)

// health are the checks of /readyz.
func (b *builder) health() []web.Check {
	var out []web.Check
	for _, name := range b.agent.Cameras() {
		s, _ := b.agent.State(name)
		out = append(
			out,
			web.Check{Name: "camera " + name, OK: s.State == api.Running || s.State == api.Paused, Reason: cmp.Or(s.Reason, s.State)},
		)
		if sink := b.pictures.sink(name); sink == nil {
			continue
		} else if err := sink.Fault(); err != nil {
			out = append(out, web.Check{Name: "video of " + name, Reason: err.Error()})
		}
	}
	info := b.agent.Info()
	out = append(out, web.Check{Name: "model", OK: true, Reason: fmt.Sprintf("%s on %s", info.Model, info.Provider)})
	err := b.client.Ready()
	check := web.Check{Name: "broker", OK: err == nil, Reason: "connected to " + secret.MaskValue(b.cfg.MQTT.Broker)}
	if err != nil {
		check.Reason = err.Error()
	}
	return append(out, check)
}

// vitals are the numbers of /metrics that no camera's state holds.
func (b *builder) vitals() web.Vitals {
	s, m := b.client.Stats(), b.agent.Model()
	v := web.Vitals{Model: web.ModelVitals{Waiting: m.Waiting, Turns: m.Turns}, Cameras: map[string]web.CameraVitals{}}
	if i := b.agent.Segmenter().Info(); i.LoadTime > 0 {
		v.Model.Provider, v.Model.LoadSeconds, v.Model.LoadBytes = i.Provider, i.LoadTime.Seconds(), i.LoadMemory
	}
	v.Broker = web.BrokerVitals{
		Connected: s.Connected, Sessions: s.Sessions, Pending: s.Outbox.Pending, Bytes: s.Outbox.Bytes, Sent: s.Outbox.Sent,
		Dropped: s.Outbox.Dropped + s.Lost, Commands: s.Commands, Refused: s.Refused, Unheard: s.Replies,
	}
	if e := b.elsewhere.Load(); e != nil {
		t := e.server.Traffic()
		v.Model.Sent, v.Model.Received, v.Model.Calls, v.Model.Failed, v.Model.Falls = t.Sent, t.Received, t.Calls, t.Failed, e.Falls()
	}
	heat, level := b.heat.Last()
	v.Machine = machineVitals(heat, level)
	for _, name := range b.agent.Cameras() {
		n, _ := b.agent.Counters(name)
		v.Cameras[name] = web.CameraVitals{
			Stalls: n.Capture.Stalls, Reopens: n.Capture.Reopens, Abandoned: n.Capture.Abandoned,
			Prompts: n.Pipeline.Waiting, Lanes: web.Lanes(n.Pipeline.Busy),
			Late: n.Capture.Dropped - min(n.Capture.Dropped, n.Capture.Discarded), Held: n.Capture.Discarded, ModelBusy: n.Embed.Seconds(),
		}
	}
	if c := b.data.collector; c != nil {
		n := web.DataVitals(c.Counts())
		v.Data = &n
	}
	return v
}

// machineVitals are how hot the machine is and how fast it runs.
func machineVitals(r thermal.Reading, l thermal.Level) web.MachineVitals {
	m := web.MachineVitals{Throttled: r.Throttled != "", Back: int(l), Celsius: map[string]float64{}, Hertz: map[string]float64{}}
	for _, z := range r.Zones {
		m.Celsius[z.Name] = z.Celsius
	}
	for _, c := range r.Clocks {
		m.Hertz[c.Name] = c.Hz
	}
	return m
}
