package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/agent/ids"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/capture/libav"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/record"
	"github.com/segedge/segedge/record/clips"
	"github.com/segedge/segedge/rtsp"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/state"
	"github.com/segedge/segedge/stream"
	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/telemetry"
	"github.com/segedge/segedge/thermal"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/opencv"
	"github.com/segedge/segedge/web"
	"github.com/segedge/segedge/webhook"
)

// builder makes the concrete parts of an agent out of its configuration and owns what has to be closed.
type builder struct {
	cfg   config.Config
	log   *slog.Logger
	state string
	run   *runCmd
	out   io.Writer

	model       *loadedModel
	agent       *agent.Agent
	ids         *ids.Ledger
	known       *state.File
	data        dataParts
	commands    *dispatch.Dispatcher
	client      *mqtt.Client
	broker      *broker.Broker
	stream      *stream.Server
	web         *web.Server
	rtsp        *rtsp.Server                 // nil for none
	recorders   atomic.Pointer[net.Listener] // until they are served
	listener    atomic.Pointer[net.Listener] // until the page is served
	address     net.Addr                     // of the page; nil for none
	certificate *web.Certificate             // of the page; nil for plain HTTP
	pictures    pictures
	records     *record.Recorder
	newEncoder  func(video.Format) (video.Encoder, error)
	clips       *clips.Library
	webhooks    []*webhook.Client
	ground      *onnx.Graph
	relay       relay
	traces      *telemetry.Tracer // nil for none
	heat        thermal.Watch
	parts       *supervise.Group             // what runs beside the cameras
	newest      atomic.Pointer[config.Model] // what the model that runs was opened with
	elsewhere   atomic.Pointer[elsewhere]    // the model, where an inference server runs it; else nil

	level    *slog.LevelVar
	writing  sync.Mutex    // one change of the file at a time
	applying sync.Mutex    // one change at a time; guards live
	live     config.Config // what is true now, as far as it is not a matter of a restart
	failed   chan string   // cameras that have failed for good
}

// relay hands the cameras' events to the MQTT client, to who watches, and to the clips, which are made after them, and counts them.
type relay struct {
	n       atomic.Uint64
	to      agent.EventSink
	viewers *stream.Server
	clips   *clips.Library
}

func (r *relay) Publish(e seg.Event) {
	r.n.Add(1)
	r.to.Publish(e)
	r.viewers.Event(e)
	r.clips.Event(e)
}

// build makes every part. Nothing runs yet, but the addresses are taken, so that an occupied one is told at once.
func (b *builder) build(ctx context.Context) error {
	b.live = b.cfg
	b.live.Cameras = slices.Clone(b.cfg.Cameras)
	b.failed = make(chan string, config.MaxCameras)
	libav.LogTo(b.log)
	var err error
	if b.model, err = openModel(ctx, b.cfg, b.log); err != nil {
		return err
	}
	if err := require(b.run.Require, b.model.Info()); err != nil {
		return err
	}
	b.watch(b.model.served)
	b.newest.Store(&b.cfg.Model)
	if b.records, err = record.New(record.Options{Camera: b.cfg.Cameras[0].Name, Video: b.run.Out, Masks: b.run.Masks}); err != nil {
		return err
	}
	b.buildClips()
	b.buildTelemetry()
	b.newEncoder = beside(b.encoder(ctx), b.cfg.Video.FFmpeg)
	b.ids = ids.Open(filepath.Join(b.state, "ids.json"), ranBefore(b.state), b.log)
	b.known = knownFile(b.state, b.log)
	var known []agent.Known
	if _, err := b.known.Load(&known); err != nil {
		b.log.Error("what was known cannot be read; the agent begins without it", "err", err)
	}
	known = b.sameView(known)
	cameras := make([]agent.CameraOptions, 0, len(b.cfg.Cameras))
	for i := range b.cfg.Cameras {
		co, err := b.camera(&b.cfg.Cameras[i], i == 0)
		if err != nil {
			return b.fault(fmt.Errorf("camera %s: %w", b.cfg.Cameras[i].Name, err))
		}
		if i := slices.IndexFunc(known, func(k agent.Known) bool { return k.Camera == co.Name }); i >= 0 {
			co.Known = &known[i]
		}
		cameras = append(cameras, co)
	}
	grounder, err := b.grounder()
	if err != nil {
		return err
	}
	var configure func(context.Context, map[string]json.RawMessage) (api.ConfigResult, error)
	if b.run.Config != "" {
		configure = b.configure
	}
	collector, err := b.buildCollector(grounder)
	if err != nil {
		return err
	}
	b.agent, err = agent.New(agent.Options{
		Configure: configure,
		Look:      agent.LookOptions{Budget: b.cfg.Grounding.Budget},
		Name:      b.cfg.Agent.Name, Version: version, Model: b.model.served, Events: &b.relay, Grounder: grounder, Logger: b.log,
		OpenModel: b.openModel, LastSeq: func(camera string) uint64 { return b.client.LastSeq(camera) }, Failed: b.cameraFailed,
		Collector: collector,
	}, cameras)
	if err != nil {
		return err
	}
	b.agent.Kept(known)
	b.commands = dispatch.New(dispatch.Options{
		Service: b.agent, Snapshot: b, Record: b.clips, Frames: b, File: filepath.Join(b.state, "commands.json"), Logger: b.log,
		Ended: b.commandEnded,
	})
	if err := errors.Join(b.buildWebhooks(), b.buildMQTT()); err != nil {
		return err
	}
	return b.buildDoors()
}

// fault is an error of the configuration, where there is one beside the command line's --source.
func (b *builder) fault(err error) error {
	if b.run.Source != "" {
		return err
	}
	return configFault{err}
}

// camera makes one camera's parts: source, tracker, and the picture of it.
func (b *builder) camera(c *config.Camera, first bool) (agent.CameraOptions, error) {
	source, err := openSource(c, b.run.Config != "" || len(b.cfg.Cameras) > 1, b.log)
	if err != nil {
		return agent.CameraOptions{}, err
	}
	prompts, follow, err := parsePrompts(c.Prompts)
	if err != nil {
		return agent.CameraOptions{}, err
	}
	clip := b.clips.Camera(c.Name)
	name, watching := c.Name, b.run.Summary != "" || b.run.Out != "" // somebody wants the picture though nobody looks
	sink, err := video.New(video.Options{
		NewEncoder: b.newEncoder,
		Convert:    opencv.FromBGR,
		Out: func(u video.Unit, objects []seg.Object) {
			b.stream.Write(name, streamed(u), objects)
			if u.Rendition == video.Full {
				clip.Unit(u)
				if first {
					b.records.Unit(u)
				}
			}
			b.recorded(name, u)
		},
		Wanted: func(r video.Rendition) bool {
			return r == video.Full && (first && watching || clip.Wanted()) || b.read(name, r) || b.stream.Wanted(name, int(r))
		},
		Stage:   func(s frame.Stage) { b.agent.Observe(name, s) },
		Encoded: func(d time.Duration) { b.agent.Observe(name, frame.Stage{Name: stageToEncoded, Took: d}) },
		Overlay: overlay.Options{Camera: name, NoCandidates: true}, // the page shows them, one at a time
		Bitrate: b.cfg.Video.Bitrate,
		Logger:  b.log.With("camera", name),
	})
	if err != nil {
		return agent.CameraOptions{}, err
	}
	b.pictures.put(name, sink, first && b.run.Out != "")
	var show agent.VideoSink = sink
	if first {
		show = b.records.Beside(sink)
	}
	tracking := trackerOptions(b.cfg)
	tracking.NextID = b.ids.For(name)
	var zones []api.Zone
	for _, z := range c.Zones {
		zones = append(zones, api.Zone(z))
	}
	var lines []api.Line
	for _, l := range c.Lines {
		lines = append(lines, api.Line(l))
	}
	return agent.CameraOptions{
		Name: name, View: viewKey(c, b.named()), Source: source, Video: show, Prompts: prompts, Watches: follow,
		Observed:  b.traces.Camera(name).Stage,
		Viewers:   func() int { return b.stream.Viewers(name) },
		Recording: func() string { return b.clips.Recording(name) },
		Tracker:   tracker.New(tracking, lk.New(lk.Options{})),
		Zones:     zones,
		Lines:     lines,
		Pipeline:  pipeline.Options{MaxObjects: b.cfg.Tracker.MaxObjects, Side: c.Input},
	}, nil
}

// stageToEncoded is the time from a frame's capture to its encoded picture.
const stageToEncoded = "capture_to_encoded"

// trackerOptions asks the tracker for updates twice as often as they are sent: the outbox knows the clock and decides.
func trackerOptions(c config.Config) tracker.Options {
	o := tracker.Options{
		Color: overlay.Palette, MaxObjects: c.Tracker.MaxObjects, Budget: c.Tracker.Budget, UpdateEvery: c.Events.UpdateInterval.Seconds() / 2,
	}
	if c.Events.UpdateInterval == 0 {
		o.UpdateEvery = -1
	}
	return o
}

// grounder opens the detector that turns phrases into boxes, unless none is configured.
func (b *builder) grounder() (agent.Grounder, error) {
	d, g, err := openGrounder(b.model.runtime, b.cfg)
	if err != nil || d == nil {
		return nil, err
	}
	b.ground = g
	return d, nil
}

// FrameAt is the frame that a viewer saw at an RTP time.
func (b *builder) FrameAt(viewer string, rtpTime uint32) (uint64, bool) {
	return b.stream.FrameAt(viewer, rtpTime)
}

// close gives back what build took, in the opposite order; the parts that ran have ended.
func (b *builder) close() error {
	var all []error
	for _, at := range []*atomic.Pointer[net.Listener]{&b.listener, &b.recorders} {
		if l := at.Swap(nil); l != nil { // nothing was served
			if err := (*l).Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				all = append(all, err)
			}
		}
	}
	if b.broker != nil {
		b.broker.Close()
		all = append(all, forgetBroker(b.state))
	}
	if b.ids != nil {
		b.ids.Close()
	}
	if b.commands != nil {
		b.commands.Close()
	}
	all = append(all, b.data.close())
	if b.agent != nil {
		all = append(all, b.agent.Close())
	}
	if b.records != nil {
		all = append(all, b.records.Close())
	}
	if b.ground != nil {
		all = append(all, b.ground.Close())
	}
	if b.model != nil {
		all = append(all, b.model.Close())
	}
	return errors.Join(all...)
}
