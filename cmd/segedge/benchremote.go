package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/provider"
	remotemodel "github.com/segedge/segedge/inference/remote"
	"github.com/segedge/segedge/inference/remote/remotetest"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/seg"
)

// benchRemoteCmd measures what it costs to have a model run by an inference server.
type benchRemoteCmd struct {
	settings
	Cameras   int  `help:"Cameras that ask one server at once." default:"8"`
	Keyframes int  `help:"Keyframes of each camera and way." default:"20"`
	JSON      bool `name:"json" help:"Print the result as JSON."`
}

// remoteRow is one way to have a model run.
type remoteRow struct {
	Way      string    `json:"way"`
	Cameras  int       `json:"cameras"`
	Embed    benchCost `json:"embed"`
	Decode   benchCost `json:"decode"`
	Sent     uint64    `json:"sent_bytes"`     // of a keyframe with one decode
	Received uint64    `json:"received_bytes"` // of the same
}

// Run measures the configured server or, where none is, a small one in this process that runs the built-in model.
func (b *benchRemoteCmd) Run(e *env) (err error) {
	cfg, err := b.load()
	if err != nil {
		return err
	}
	if b.Cameras < 1 || b.Cameras > config.MaxCameras || b.Keyframes < 2 {
		return fmt.Errorf("--cameras must be 1 to %d and --keyframes 2 or more", config.MaxCameras)
	}
	rt, err := onnx.Open(onnx.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	ways, done, err := b.ways(rt, cfg.Model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	state, err := stateDir(cfg.Agent.State)
	if err != nil {
		return err
	}
	var rows []remoteRow
	for _, w := range ways {
		for _, cameras := range []int{1, b.Cameras} {
			row, err := b.row(e.ctx, rt, w, state, cameras)
			if e.ctx.Err() != nil {
				return errors.Join(b.show(e.stdout, rows), errStopped)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			rows = append(rows, row)
		}
	}
	return b.show(e.stdout, rows)
}

// show prints the rows that were measured to their end.
func (b *benchRemoteCmd) show(w io.Writer, rows []remoteRow) error {
	if b.JSON {
		return json.NewEncoder(w).Encode(rows)
	}
	return printRemote(w, rows, b.Keyframes)
}

// way is one that is measured.
type way struct {
	name  string
	model config.Model
}

// ways are those to be measured, and what ends the server that was started for them.
func (b *benchRemoteCmd) ways(rt *onnx.Runtime, c config.Model) (ways []way, done func() error, err error) {
	local := c
	local.Remote = config.Remote{}
	ways = []way{{"here", local}}
	if c.Remote.Address != "" {
		return append(ways, way{c.Remote.Address + ", " + c.Remote.Picture, c}), func() error { return nil }, nil
	}
	graphs, err := servedGraphs(rt, c.Threads)
	if err != nil {
		return nil, nil, err
	}
	server := &remotetest.Server{Graphs: graphs}
	addr, err := server.Listen("127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	for _, scheme := range []string{"http", "grpc"} {
		for _, decoder := range []string{"", "decoder"} {
			m := c
			m.Remote.Address, m.Remote.Encoder, m.Remote.Decoder = remotetest.Address(scheme, addr), "encoder", decoder
			m.Remote.Timeout = time.Minute
			what := "encoder"
			if decoder != "" {
				what = "both graphs"
			}
			ways = append(ways, way{what + " over " + scheme, m})
		}
	}
	return ways, func() error {
		return errors.Join(server.Close(), graphs["encoder"].Close(), graphs["decoder"].Close())
	}, nil
}

// servedGraphs are the built-in model's, for a server.
func servedGraphs(rt *onnx.Runtime, threads int) (map[string]inference.Graph, error) {
	load := rt.Loader(onnx.SessionOptions{Threads: threads})
	encoder, err := load(inference.File{Name: "encoder", Data: models.Encoder()}, nil)
	if err != nil {
		return nil, err
	}
	decoder, err := load(inference.File{Name: "decoder", Data: models.Decoder()}, nil)
	if err != nil {
		return nil, errors.Join(err, encoder.Close())
	}
	return map[string]inference.Graph{"encoder": encoder, "decoder": decoder}, nil
}

// row measures cameras that ask at once, each a keyframe and a click after the other.
func (b *benchRemoteCmd) row(ctx context.Context, rt *onnx.Runtime, w way, state string, cameras int) (row remoteRow, err error) {
	m, err := openOn(ctx, rt, w.model, state, slog.New(slog.DiscardHandler))
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if away := m.Info().Away; away != "" {
		return row, errors.New(away)
	}
	var before remotemodel.Traffic
	there, _ := m.(*elsewhere)
	if there != nil {
		before = there.server.Traffic()
	}
	watch := &stopwatch{took: map[string][]time.Duration{}}
	errs := make([]error, cameras)
	var all sync.WaitGroup
	for i := range cameras {
		all.Go(func() { errs[i] = b.camera(ctx, m, watch) })
	}
	all.Wait()
	costs := watch.costs()
	row = remoteRow{Way: w.name, Cameras: cameras, Embed: costs["embed"], Decode: costs["decode"]}
	if there != nil {
		n, after := uint64(cameras*b.Keyframes), there.server.Traffic()
		row.Sent, row.Received = (after.Sent-before.Sent)/n, (after.Received-before.Received)/n
		if there.Falls() > 0 {
			errs = append(errs, errors.New("the server was away, from the start or while it was measured"))
		}
	}
	return row, errors.Join(errs...)
}

// camera asks about keyframes with a click each.
func (b *benchRemoteCmd) camera(ctx context.Context, m inference.Segmenter, watch *stopwatch) error {
	f := provider.TestPicture()
	click := []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: 0.32, Y: 0.5}, Label: seg.Positive}}}}
	for range b.Keyframes {
		start := time.Now()
		emb, err := m.Embed(ctx, f)
		if err != nil {
			return err
		}
		encoded := time.Now()
		watch.observe("embed", encoded.Sub(start))
		_, err = emb.Decode(ctx, click)
		watch.observe("decode", time.Since(encoded))
		if err := errors.Join(err, emb.Close()); err != nil {
			return err
		}
	}
	return nil
}

func printRemote(w io.Writer, rows []remoteRow, keyframes int) error {
	fmt.Fprintf(w, "%d cores, %s/%s; %s, a picture of 640×480; ", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, models.Name)
	fmt.Fprintf(w, "%d keyframes of each camera, with a click each; ms, median (95th percentile)\n\n", keyframes)
	fmt.Fprintln(w, "| where it runs | cameras at once | encode | a click | KiB there | KiB back |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range rows {
		fmt.Fprintf(w, "| %s | %d | %s | %s | %d | %d |\n", r.Way, r.Cameras, r.Embed, r.Decode, r.Sent>>10, r.Received>>10)
	}
	_, err := fmt.Fprintln(w, "\nThe server is on this machine unless one is configured: what differs from here is the protocol's cost.")
	return err
}
