package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// metrics is a registry of its own: nothing global, and nothing kept between scrapes but the command counter. The
// rest is read from the service when Prometheus asks.
type metrics struct {
	registry *prometheus.Registry
	commands *prometheus.CounterVec
}

func newMetrics(o *Options) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "segedge_http_commands_total", Help: "Commands received over HTTP, by verb and error code (ok where there was none).",
		}, []string{"verb", "code"}),
	}
	m.registry.MustRegister(m.commands, newCollector(o.Service, o.Version), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if o.Vitals != nil {
		m.registry.MustRegister(newVitals(o.Vitals))
	}
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// command counts one. A verb that does not exist is counted under one name, so that a stranger cannot fill the memory
// with labels.
func (m *metrics) command(verb string, r api.Reply) {
	code := "ok"
	if r.Error != nil {
		code = string(r.Error.Code)
	}
	if !slices.Contains(api.Verbs(), verb) {
		verb = "unknown"
	}
	m.commands.WithLabelValues(verb, code).Inc()
}

// objectStates are the states counted, so that each has a series from the start.
var objectStates = []seg.State{seg.Tentative, seg.Tracking, seg.Uncertain, seg.Occluded, seg.Lost}

// collector reads a service at scrape time.
type collector struct {
	service api.Service
	version string
	info    *prometheus.Desc
	started *prometheus.Desc
	objects *prometheus.Desc
	stage   *prometheus.Desc
	events  *prometheus.Desc
	state   *prometheus.Desc
	runs    *prometheus.Desc
	builds  *prometheus.Desc
	visits  *prometheus.Desc
	crosses *prometheus.Desc
	fields  []field
}

// field is one number of a camera's state.
type field struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*api.State) float64
}

var runStates = []string{api.Running, api.Stalled, api.Stopped, api.Paused}

func newCollector(s api.Service, version string) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("segedge_"+name, help, labels, nil)
	}
	counter := func(name, help string, read func(*api.State) float64) field {
		return field{desc(name, help, "camera"), prometheus.CounterValue, read}
	}
	gauge := func(name, help string, read func(*api.State) float64) field {
		return field{desc(name, help, "camera"), prometheus.GaugeValue, read}
	}
	return &collector{
		service: s, version: version,
		info:    desc("info", "The agent: always 1.", "agent", "version", "model", "family", "provider"),
		started: desc("start_time_seconds", "When the agent started, in Unix time."),
		objects: desc("objects", "Live objects by state.", "camera", "state"),
		stage:   desc("stage_latency_seconds", "How long a stage takes: quantiles of its recent times, count and sum of all.", "camera", "stage"),
		events:  desc("events_total", "Sequence number of the newest event: counts over restarts.", "camera"),
		state:   desc("camera_state", "1 for the state that the camera is in.", "camera", "state"),
		runs:    desc("model_provider", "1 for the execution provider that the model runs on.", "provider"),
		visits:  desc("zone_visits_total", "Objects that entered or left a zone since it was drawn.", "camera", "zone", "way"),
		crosses: desc("line_crossings_total", "Objects that crossed a line since it was drawn.", "camera", "line", "direction"),
		builds:  desc("model_provider_building", "1 for an execution provider that is made ready in the background.", "provider"),
		fields: []field{
			counter("frames_captured_total", "Frames read from the camera.", func(s *api.State) float64 { return float64(s.Captured) }),
			counter("frames_processed_total", "Frames tracked and drawn.", func(s *api.State) float64 { return float64(s.Processed) }),
			counter("frames_dropped_total", "Frames captured and never processed.", func(s *api.State) float64 { return float64(s.Dropped) }),
			counter("model_errors_total", "Calls of the model that failed.", func(s *api.State) float64 { return float64(s.ModelErrors) }),
			counter(
				"prompts_refused_total",
				"Prompts of a kind that the model cannot take.",
				func(s *api.State) float64 { return float64(s.Refusals) },
			),
			counter("panics_total", "Panics after which following objects started afresh.", func(s *api.State) float64 { return float64(s.Panics) }),
			counter("frames_overheld_total", "Frames that could not be kept for prompts or lent, because others were held for too long.",
				func(s *api.State) float64 { return float64(s.Overheld) }),
			counter("keyframes_total", "Frames that the model answered.", func(s *api.State) float64 { return float64(s.Keyframes) }),
			gauge(
				"keyframe_age_frames",
				"Frames since the newest keyframe that was answered.",
				func(s *api.State) float64 { return float64(s.KeyframeAge) },
			),
			gauge("objects_remembered", "Objects of which a model with memory remembers something.",
				func(s *api.State) float64 { return float64(s.Remembered) }),
			gauge("memory_bytes", "What a model with memory remembers of this camera's objects.",
				func(s *api.State) float64 { return float64(s.MemoryBytes) }),
			gauge("fps", "Frames processed a second.", func(s *api.State) float64 { return s.FPS }),
			gauge("viewers", "People watching over WebRTC.", func(s *api.State) float64 { return float64(s.Viewers) }),
		},
	}
}

// Describe names what Collect gives.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.started, c.objects, c.stage, c.events, c.state, c.runs, c.builds, c.visits, c.crosses} {
		ch <- d
	}
	for _, f := range c.fields {
		ch <- f.desc
	}
}

// Collect reads the service.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	i := c.service.Info()
	version := c.version
	if i.Version != "" {
		version = i.Version
	}
	gauge := prometheus.GaugeValue
	ch <- metric(c.info, gauge, 1, i.Agent, version, i.Model, i.Family, i.Provider)
	if !i.Started.IsZero() {
		ch <- metric(c.started, gauge, float64(i.Started.UnixMilli())/1e3)
	}
	c.collectProviders(ch, &i)
	for _, camera := range c.service.Cameras() {
		if s, ok := c.service.State(camera); ok {
			c.collectState(ch, camera, &s)
		}
		if o, ok := c.service.Objects(camera); ok {
			c.collectObjects(ch, camera, &o)
		}
	}
}

// providers are those counted, so that each has a series from the start.
var providers = []string{"remote", "tensorrt", "cuda", "cpu"}

func (c *collector) collectProviders(ch chan<- prometheus.Metric, i *api.Info) {
	building := ""
	if i.Building != nil {
		building = i.Building.Provider
	}
	all := providers
	if !slices.Contains(all, i.Provider) {
		all = append(slices.Clone(all), i.Provider)
	}
	for _, p := range all {
		ch <- metric(c.runs, prometheus.GaugeValue, one(p == i.Provider), p)
		ch <- metric(c.builds, prometheus.GaugeValue, one(p == building), p)
	}
}

func (c *collector) collectState(ch chan<- prometheus.Metric, camera string, s *api.State) {
	for _, f := range c.fields {
		ch <- metric(f.desc, f.kind, f.read(s), camera)
	}
	for _, name := range runStates {
		ch <- metric(c.state, prometheus.GaugeValue, one(name == s.State), camera, name)
	}
	c.collectCounts(ch, camera, s)
	for stage, l := range s.Stages {
		ch <- summary(c.stage, l, camera, stage)
	}
}

// collectCounts gives every zone and line a series from the start.
func (c *collector) collectCounts(ch chan<- prometheus.Metric, camera string, s *api.State) {
	counts := api.Counts{}
	if s.Counts != nil {
		counts = *s.Counts
	}
	for i := range s.Zones {
		name := s.Zones[i].Name
		ch <- metric(c.visits, prometheus.CounterValue, float64(counts.Zones[name].Entered), camera, name, "entered")
		ch <- metric(c.visits, prometheus.CounterValue, float64(counts.Zones[name].Left), camera, name, "left")
	}
	for i := range s.Lines {
		name := s.Lines[i].Name
		ch <- metric(c.crosses, prometheus.CounterValue, float64(counts.Lines[name].Left), camera, name, "left")
		ch <- metric(c.crosses, prometheus.CounterValue, float64(counts.Lines[name].Right), camera, name, "right")
	}
}

func (c *collector) collectObjects(ch chan<- prometheus.Metric, camera string, o *api.Objects) {
	counts := make(map[seg.State]int, len(objectStates))
	for i := range o.Objects {
		counts[o.Objects[i].State]++
	}
	for _, s := range objectStates {
		ch <- metric(c.objects, prometheus.GaugeValue, float64(counts[s]), camera, s.String())
	}
	ch <- metric(c.events, prometheus.CounterValue, float64(o.AsOfSeq), camera)
}

// metric is one value. Label values are made valid UTF-8 first: a model's file name may be anything.
func metric(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) prometheus.Metric {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "�")
	}
	m, err := prometheus.NewConstMetric(d, kind, v, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}

// summary is a stage's latency.
func summary(d *prometheus.Desc, l api.Latency, labels ...string) prometheus.Metric {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "�")
	}
	q := map[float64]float64{0.5: l.P50 / 1e3, 0.95: l.P95 / 1e3, 0.99: l.P99 / 1e3}
	m, err := prometheus.NewConstSummary(d, l.Count, l.Sum/1e3, q, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
