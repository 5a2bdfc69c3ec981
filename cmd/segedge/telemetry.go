package main

import (
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/telemetry"
)

// buildTelemetry makes what sends traces, where a collector is set.
func (b *builder) buildTelemetry() {
	b.traces = telemetry.New(telemetry.Options{
		Endpoint: b.cfg.Telemetry.OTLP, Every: b.cfg.Telemetry.Every, Agent: b.cfg.Agent.Name, Version: version, Logger: b.log,
	})
}

// traced are the parts that send traces; none where no collector is set.
func (b *builder) traced() []supervise.Part {
	if b.traces == nil {
		return nil
	}
	return []supervise.Part{{Name: "traces", Run: supervise.Keep("traces", b.traces.Run, b.log)}}
}

// commandEnded makes the trace of a command.
func (b *builder) commandEnded(o dispatch.Outcome) {
	b.traces.Command(telemetry.Command{
		Door: o.Door, Camera: o.Camera, Verb: o.Verb, ID: o.ID, Code: string(o.Code), Began: o.Began, Took: o.Took,
	})
}
