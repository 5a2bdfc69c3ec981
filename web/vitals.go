package web

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Vitals are numbers for /metrics that no document of a camera holds.
type Vitals struct {
	Cameras map[string]CameraVitals
	Broker  BrokerVitals
	Model   ModelVitals
	Machine MachineVitals
	Data    *DataVitals // nil where nothing is kept to learn from
}

// DataVitals are of the pictures that are kept to learn from.
type DataVitals struct {
	Stored  uint64
	Dropped uint64 // since too many waited
	Refused uint64 // since the day's pictures were taken
	Failed  uint64 // since they could not be concealed or written
}

// MachineVitals are what the kernel says of the machine.
type MachineVitals struct {
	Celsius   map[string]float64 // by zone
	Hertz     map[string]float64 // by processor
	Throttled bool
	Back      int // how far work stands back for it, 0 to 3
}

// ModelVitals are of the model that all cameras share.
type ModelVitals struct {
	Waiting int    // jobs that wait for their turn
	Turns   uint64 // that there were
	// Of a model that an inference server runs: what went over the network, and how often it went away.
	Sent, Received, Calls, Failed, Falls uint64
	// Of the model that runs: on what, how long it took to load it there, and about what the process grew by; none where Provider is empty.
	Provider    string
	LoadSeconds float64
	LoadBytes   int64
}

// Lanes say which of a camera's lanes have a job for the model.
type Lanes struct{ Embed, Refresh, Decode bool }

// CameraVitals count over the life of the process.
type CameraVitals struct {
	Stalls    uint64  // times that frames stopped coming
	Reopens   uint64  // times that the source was opened again
	Abandoned uint64  // reads left behind in C
	Late      uint64  // frames dropped since the pipeline was not done with the one before
	Held      uint64  // frames discarded since every buffer was held
	ModelBusy float64 // seconds that the model has worked on its present frame
	Prompts   int     // that wait for the model
	Lanes     Lanes
}

// BrokerVitals are the MQTT client's.
type BrokerVitals struct {
	Connected bool
	Sessions  uint64 // connections so far
	Pending   int    // events that wait for the broker
	Bytes     int64  // of them, on disk
	Sent      uint64 // events delivered
	Dropped   uint64 // events given up, each explained by events.dropped
	Commands  uint64
	Refused   uint64
	Unheard   uint64 // replies that found no room: their commands came by without the broker's window
}

// vital is one number of a camera's or the broker's vitals.
type vital[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*T) float64
}

// vitals collects them.
type vitals struct {
	read    func() Vitals
	late    *prometheus.Desc
	lanes   *prometheus.Desc
	celsius *prometheus.Desc
	hertz   *prometheus.Desc
	data    *prometheus.Desc
	load    *prometheus.Desc
	memory  *prometheus.Desc
	machine []vital[MachineVitals]
	cameras []vital[CameraVitals]
	broker  []vital[BrokerVitals]
	model   []vital[ModelVitals]
}

func newVitals(read func() Vitals) *vitals {
	desc, counter, gauge := describe, prometheus.CounterValue, prometheus.GaugeValue
	return &vitals{
		read: read,
		late: desc(
			"frames_lost_total",
			"Frames captured and never processed, by cause: late (the pipeline was busy) or held (no buffer was free).",
			"camera",
			"cause",
		),
		lanes:   desc("lane_jobs", "Jobs that the model works on for a camera, by lane.", "camera", "lane"),
		celsius: desc("temperature_celsius", "Temperatures that the kernel shows.", "zone"),
		data:    desc("data_pictures_total", "Pictures to learn from, by what became of them: stored, dropped, refused or failed.", "fate"),
		load:    desc("model_load_seconds", "How long it took to load the model that runs.", "provider"),
		memory: desc(
			"model_memory_bytes",
			"About what the process grew by when the model that runs was loaded; memory of a GPU is not in it.",
			"provider",
		),
		hertz: desc("clock_hertz", "Clocks that the kernel shows.", "unit"),
		machine: []vital[MachineVitals]{
			{desc("throttled", "1 while the machine throttles itself."), gauge, func(v *MachineVitals) float64 { return one(v.Throttled) }},
			{
				desc("standing_back", "How far work stands back for a machine that throttles itself: from 1 fewer keyframes, at 3 less video too."),
				gauge,
				func(v *MachineVitals) float64 { return float64(v.Back) },
			},
		},
		model: modelVitals(),
		cameras: []vital[CameraVitals]{
			{
				desc("prompts_waiting", "Prompts that wait for the model.", "camera"), gauge,
				func(v *CameraVitals) float64 { return float64(v.Prompts) },
			},
			{
				desc("camera_stalls_total", "Times that a camera's frames stopped coming.", "camera"),
				counter,
				func(v *CameraVitals) float64 { return float64(v.Stalls) },
			},
			{
				desc("camera_reconnects_total", "Times that a camera's source was opened again.", "camera"),
				counter,
				func(v *CameraVitals) float64 { return float64(v.Reopens) },
			},
			{
				desc("reads_abandoned_total", "Reads that hung and were left behind.", "camera"),
				counter,
				func(v *CameraVitals) float64 { return float64(v.Abandoned) },
			},
			{
				desc("model_busy_seconds", "How long the model has worked on its present frame; 0 while it is free.", "camera"), gauge,
				func(v *CameraVitals) float64 { return v.ModelBusy },
			},
		},
		broker: brokerVitals(),
	}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("segedge_"+name, help, labels, nil)
}

// modelVitals are the metrics of the model that all cameras share.
func modelVitals() []vital[ModelVitals] {
	count := func(name, help string, read func(v *ModelVitals) uint64) vital[ModelVitals] {
		return vital[ModelVitals]{describe(name, help), prometheus.CounterValue, func(v *ModelVitals) float64 { return float64(read(v)) }}
	}
	return []vital[ModelVitals]{
		{
			describe("model_turns_waiting", "Keyframes and refreshes of all cameras that wait for their turn."), prometheus.GaugeValue,
			func(v *ModelVitals) float64 { return float64(v.Waiting) },
		},
		count("model_turns_total", "Turns that cameras have had with the model.", func(v *ModelVitals) uint64 { return v.Turns }),
		count("model_remote_sent_bytes_total", "Bytes sent to the inference server.", func(v *ModelVitals) uint64 { return v.Sent }),
		count("model_remote_received_bytes_total", "Bytes that came from it.", func(v *ModelVitals) uint64 { return v.Received }),
		count("model_remote_calls_total", "Calls of it; repetitions count.", func(v *ModelVitals) uint64 { return v.Calls }),
		count("model_remote_calls_failed_total", "Of these, the ones that failed.", func(v *ModelVitals) uint64 { return v.Failed }),
		count(
			"model_remote_falls_total",
			"Times that the local model took over from it; once where it was away from the start.",
			func(v *ModelVitals) uint64 { return v.Falls },
		),
	}
}

// brokerVitals are the metrics of the connection to the broker.
func brokerVitals() []vital[BrokerVitals] {
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	return []vital[BrokerVitals]{
		{
			describe("broker_connected", "1 while the agent is connected to its broker."),
			gauge,
			func(v *BrokerVitals) float64 { return one(v.Connected) },
		},
		{
			describe("broker_connections_total", "Connections to the broker so far; more than one are reconnects."),
			counter,
			func(v *BrokerVitals) float64 { return float64(v.Sessions) },
		},
		{describe("outbox_pending", "Events that wait for the broker."), gauge, func(v *BrokerVitals) float64 { return float64(v.Pending) }},
		{describe("outbox_bytes", "Size of the outbox on disk."), gauge, func(v *BrokerVitals) float64 { return float64(v.Bytes) }},
		{
			describe("outbox_sent_total", "Events that the broker has acknowledged."),
			counter,
			func(v *BrokerVitals) float64 { return float64(v.Sent) },
		},
		{
			describe("outbox_dropped_total", "Events given up, each explained by an event events.dropped."),
			counter,
			func(v *BrokerVitals) float64 { return float64(v.Dropped) },
		},
		{describe("mqtt_commands_total", "Commands received over MQTT."), counter, func(v *BrokerVitals) float64 { return float64(v.Commands) }},
		{
			describe("mqtt_commands_refused_total", "Of these, the ones that were refused."),
			counter,
			func(v *BrokerVitals) float64 { return float64(v.Refused) },
		},
		{
			describe("mqtt_replies_lost_total", "Replies that found no room, since their commands came faster than MQTT allows."),
			counter,
			func(v *BrokerVitals) float64 { return float64(v.Unheard) },
		},
	}
}

// Describe names what Collect gives.
func (v *vitals) Describe(ch chan<- *prometheus.Desc) {
	ch <- v.late
	ch <- v.lanes
	ch <- v.celsius
	ch <- v.hertz
	ch <- v.data
	ch <- v.load
	ch <- v.memory
	for _, f := range v.machine {
		ch <- f.desc
	}
	for _, f := range v.model {
		ch <- f.desc
	}
	for _, f := range v.cameras {
		ch <- f.desc
	}
	for _, f := range v.broker {
		ch <- f.desc
	}
}

// Collect reads them.
func (v *vitals) Collect(ch chan<- prometheus.Metric) {
	now := v.read()
	for camera, c := range now.Cameras {
		ch <- metric(v.late, prometheus.CounterValue, float64(c.Late), camera, "late")
		ch <- metric(v.late, prometheus.CounterValue, float64(c.Held), camera, "held")
		for lane, busy := range map[string]bool{"embed": c.Lanes.Embed, "refresh": c.Lanes.Refresh, "decode": c.Lanes.Decode} {
			ch <- metric(v.lanes, prometheus.GaugeValue, one(busy), camera, lane)
		}
		for _, f := range v.cameras {
			ch <- metric(f.desc, f.kind, f.read(&c), camera)
		}
	}
	for _, f := range v.broker {
		ch <- metric(f.desc, f.kind, f.read(&now.Broker))
	}
	for _, f := range v.model {
		ch <- metric(f.desc, f.kind, f.read(&now.Model))
	}
	if m := &now.Model; m.Provider != "" {
		ch <- metric(v.load, prometheus.GaugeValue, m.LoadSeconds, m.Provider)
		if m.LoadBytes > 0 {
			ch <- metric(v.memory, prometheus.GaugeValue, float64(m.LoadBytes), m.Provider)
		}
	}
	for zone, c := range now.Machine.Celsius {
		ch <- metric(v.celsius, prometheus.GaugeValue, c, zone)
	}
	for unit, hz := range now.Machine.Hertz {
		ch <- metric(v.hertz, prometheus.GaugeValue, hz, unit)
	}
	for _, f := range v.machine {
		ch <- metric(f.desc, f.kind, f.read(&now.Machine))
	}
	if d := now.Data; d != nil {
		for fate, n := range map[string]uint64{"stored": d.Stored, "dropped": d.Dropped, "refused": d.Refused, "failed": d.Failed} {
			ch <- metric(v.data, prometheus.CounterValue, float64(n), fate)
		}
	}
}
