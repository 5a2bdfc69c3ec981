package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/eval/grabcut"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/mil"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/nanotrack"
	"github.com/segedge/segedge/video/openh264"
)

// evalCmd measures accuracy.
type evalCmd struct {
	Clicks      evalClicksCmd      `cmd:"" help:"Click on annotated pictures as a person would."`
	Video       evalVideoCmd       `cmd:"" help:"Follow objects through annotated video (DAVIS layout): J, F, J&F."`
	Phrases     evalPhrasesCmd     `cmd:"" help:"Say each phrase of a list to a picture, and count what was found, missed and mistaken."`
	Offers      evalOffersCmd      `cmd:"" help:"Click where several things may be meant, and count where what is meant is offered."`
	Sensitivity evalSensitivityCmd `cmd:"" help:"Turn each number of the tracker by a fifth, down and up, and say what that changes."`
}

// evalClicksCmd is the click benchmark.
type evalClicksCmd struct {
	settings
	Data     []string `required:"" type:"path" help:"Folder with images/ and labels/, a DAVIS folder, a COCO file or a folder of SA-1B files (repeatable)." placeholder:"DIR"`
	Clicks   int      `help:"Clicks an object at most." default:"5"`
	HeldOut  bool     `help:"Only the tenth of each set that training leaves alone."`
	Models   []string `name:"model" help:"Also measure this model: a folder with two graphs (repeatable)." type:"path" placeholder:"DIR"`
	Baseline bool     `help:"Also measure OpenCV's GrabCut from the same clicks and boxes, in pictures as small as the model's." negatable:"" default:"true"`
	Full     bool     `name:"baseline-full" help:"Let GrabCut see the pictures as they are (slow)."`
	PerImage int      `help:"Objects an image; 0 for all." default:"3"`
	Limit    int      `help:"Images a set; 0 for all." placeholder:"N"`
	JSON     string   `name:"json" help:"Write the result as JSON; with several models a list." type:"path" placeholder:"FILE"`
	Sheet    string   `help:"Write a picture of the worst and best cases." type:"path" placeholder:"FILE.png"`
}

func (c *evalClicksCmd) Run(e *env) error {
	items, err := c.items(e.stderr)
	if err != nil {
		return err
	}
	return c.using(e.ctx, func(cfg config.Config, m *loadedModel) error { return c.click(e, cfg, m, items) })
}

// click measures the configured model and those beside it, and reports on them.
func (c *evalClicksCmd) click(e *env, cfg config.Config, m *loadedModel, items []dataset.Item) error {
	var results []*eval.ClicksResult
	measure := func(s inference.Segmenter) error {
		r, err := c.measure(e, items, s, c.Baseline && len(results) == 0)
		results = append(results, r)
		return err
	}
	if err := measure(m.served); err != nil {
		return err
	}
	for _, dir := range c.Models {
		other := cfg.Model
		other.Name, other.Encoder, other.Decoder, other.Family = dir, "", "", ""
		s, err := openOn(e.ctx, m.runtime, other, "", slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		if err := errors.Join(measure(s), s.Close()); err != nil {
			return err
		}
	}
	return c.report(e, results)
}

func (c *evalClicksCmd) items(notes io.Writer) ([]dataset.Item, error) {
	var items []dataset.Item
	for _, path := range c.Data {
		found, err := dataset.Open(path)
		if err != nil {
			return nil, err
		}
		named(notes, path, "without an annotation, left out", found.Unlabelled)
		named(notes, path, "of annotations whose picture is missing", found.Orphans)
		items = append(items, found.Items...)
	}
	if c.HeldOut {
		return dataset.HeldOut(items)
	}
	return items, nil
}

// named says how many files there are of a kind, and which, of many the first.
func named(w io.Writer, path, what string, files []string) {
	const most = 10
	if len(files) == 0 {
		return
	}
	list := strings.Join(files[:min(len(files), most)], ", ")
	if len(files) > most {
		list += ", …"
	}
	fmt.Fprintf(w, "%s: %d %s: %s\n", path, len(files), what, list)
}

func (c *evalClicksCmd) measure(e *env, items []dataset.Item, s inference.Segmenter, baseline bool) (*eval.ClicksResult, error) {
	o := eval.ClicksOptions{
		Items: items, Segmenter: s, Method: s.Info().Name, Clicks: c.Clicks, PerImage: c.PerImage, Limit: c.Limit, Workers: runtime.NumCPU(),
	}
	if c.PerImage == 0 {
		o.PerImage = -1
	}
	if baseline {
		o.Baseline, o.FullBaseline = &grabcut.GrabCut{}, c.Full
	}
	bar := newBar(e.stderr, len(items), s.Info().Name)
	o.Progress = func(done, total int) {
		bar.ChangeMax(total)
		_ = bar.Set(done)
	}
	r, err := eval.Clicks(e.ctx, o)
	_ = bar.Finish()
	return r, err
}

func (c *evalClicksCmd) report(e *env, results []*eval.ClicksResult) error {
	if c.Sheet != "" {
		if err := writeFile(c.Sheet, results[0].Sheet); err != nil {
			return err
		}
	}
	if c.JSON != "" {
		if err := writeJSON(c.JSON, results); err != nil {
			return err
		}
	}
	return eval.ClicksTable(e.stdout, results)
}

// writeJSON writes a single result as an object and several as a list.
func writeJSON[T any](name string, results []T) error {
	return writeFile(name, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if len(results) == 1 {
			return enc.Encode(results[0])
		}
		return enc.Encode(results)
	})
}

// evalVideoCmd is the video benchmark.
type evalVideoCmd struct {
	settings
	Data      string   `required:"" type:"path" help:"Folder in DAVIS layout." placeholder:"DIR"`
	Prompt    []string `help:"What the first frame's truth becomes." default:"mask" enum:"mask,box,click"`
	Methods   []string `help:"segedge, and what to compare it with: still, flow, model, mil, nanotrack; or segedge without one of its cues (docs/tracking.md)." default:"segedge" enum:"segedge,still,flow,model,mil,nanotrack,without-model,without-features,without-colours,without-motion,without-cover,without-snap,without-size,without-crop,without-local"`
	Sequences []string `help:"Only these sequences." placeholder:"NAME"`
	Realtime  float64  `help:"Feed frames by the clock at this rate; what is too slow is dropped and scored as such." placeholder:"FPS"`
	Delay     int      `help:"Let the product's keyframes be answered this many frames late, as by a slow model but the same every time." placeholder:"FRAMES"`
	Nanotrack string   `help:"Folder with nanotrack_backbone.onnx and nanotrack_head.onnx, for that method." type:"path" placeholder:"DIR"`
	JSON      string   `name:"json" help:"Write the result as JSON; with several methods or prompts a list." type:"path" placeholder:"FILE"`
	Overlay   string   `help:"Write a video of every sequence, MP4: the mask filled, the truth outlined in white, J in the corner." type:"path" placeholder:"DIR"`
}

func (c *evalVideoCmd) Run(e *env) error {
	videos, err := dataset.Videos(c.Data)
	if err != nil {
		return err
	}
	c.unhurried = c.Realtime == 0 && c.Delay == 0 // as run --offline is
	return c.using(e.ctx, func(cfg config.Config, m *loadedModel) error { return c.follow(e, cfg, m, videos) })
}

// follow measures the methods on the videos, and reports on them.
func (c *evalVideoCmd) follow(e *env, cfg config.Config, m *loadedModel, videos []dataset.Video) error {
	methods, done, err := c.methods(cfg, m)
	if err != nil {
		return err
	}
	defer done()
	var results []*eval.VideoResult
	for _, prompt := range c.Prompt {
		for _, name := range c.Methods {
			r, err := c.measure(e, videos, eval.PromptKind(prompt), name, methods[name], m.served.Info())
			if err != nil {
				return err
			}
			results = append(results, r)
		}
	}
	if c.JSON != "" {
		if err := writeJSON(c.JSON, results); err != nil {
			return err
		}
	}
	return eval.VideoTable(e.stdout, results)
}

func (c *evalVideoCmd) measure(
	e *env,
	videos []dataset.Video,
	prompt eval.PromptKind,
	name string,
	open func() (eval.Follower, error),
	m inference.Info,
) (r *eval.VideoResult, err error) {
	bar := newBar(e.stderr, 1, name)
	o := eval.VideoOptions{
		Videos:    videos,
		Sequences: c.Sequences,
		Prompt:    prompt,
		Method:    name,
		Model:     &m,
		Realtime:  c.Realtime,
		Delay:     c.delay(name),
		FPS:       c.fps(),
		New:       open,
		Progress: func(done, total int, sequence string) {
			bar.ChangeMax(total)
			bar.Describe(name + " " + sequence)
			_ = bar.Set(done)
		},
	}
	if c.Overlay != "" {
		reel, err := eval.NewReel(
			filepath.Join(c.Overlay, name+"-"+string(prompt)),
			c.fps(),
			openh264.New(openh264.Options{KeyframeInterval: int(c.fps())}),
		)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, reel.Close()) }()
		o.Frame = reel.Frame
	}
	r, err = eval.Video(e.ctx, o)
	_ = bar.Finish()
	return r, err
}

// delay is by how many frames a method's answers come late: only the product's do.
func (c *evalVideoCmd) delay(method string) int {
	if method == "segedge" || strings.HasPrefix(method, "without-") {
		return c.Delay
	}
	return 0
}

// fps is the rate of the pictures, which the tracker's times are counted in, by the clock and offline alike.
func (c *evalVideoCmd) fps() float64 { return cmp.Or(c.Realtime, eval.DefaultFPS) }

// tracker is what run ships, or is told by the configuration, but for the rate, which is known.
func (c *evalVideoCmd) tracker(cfg config.Config, without tracker.Cues) tracker.Options {
	o := trackerOptions(cfg)
	o.FPS, o.Without = c.fps(), without
	return o
}

// methods are the followers by name; done frees what they share.
func (c *evalVideoCmd) methods(
	cfg config.Config,
	m *loadedModel,
) (methods map[string]func() (eval.Follower, error), done func(), err error) {
	flow := func() (motion.Flow, func() error, error) {
		return lk.New(lk.Options{}), nil, nil
	}
	s := m.served
	product := func(without tracker.Cues) func() (eval.Follower, error) {
		return eval.Product(eval.ProductOptions{Model: s, Flow: flow, Realtime: c.Realtime > 0, Delay: c.Delay, Tracker: c.tracker(cfg, without)})
	}
	methods = map[string]func() (eval.Follower, error){
		"segedge": product(0),
		"still":   eval.Still(s),
		"flow":    eval.FlowAlone(s, flow),
		"model":   eval.ModelAlone(s),
		"mil":     eval.BoxAndModel(s, func() (eval.BoxTracker, error) { return mil.New(), nil }),
	}
	for cue, name := range map[tracker.Cues]string{
		tracker.CueModel: "model", tracker.CueFeatures: "features", tracker.CueColours: "colours",
		tracker.CueMotion: "motion", tracker.CueCover: "cover", tracker.CueSnap: "snap",
		tracker.CueSize: "size", tracker.CueCrop: "crop", tracker.CueLocal: "local",
	} {
		methods["without-"+name] = product(cue)
	}
	if !slices.Contains(c.Methods, "nanotrack") {
		return methods, func() {}, nil
	}
	open, done, err := c.nanotrack(m.runtime)
	methods["nanotrack"] = eval.BoxAndModel(s, open)
	return methods, done, err
}

func (c *evalVideoCmd) nanotrack(rt *onnx.Runtime) (open func() (eval.BoxTracker, error), done func(), err error) {
	if c.Nanotrack == "" {
		return nil, nil, errors.New("the method nanotrack needs --nanotrack DIR with its two graphs")
	}
	graphs := make([]*onnx.Graph, 0, 2)
	done = func() {
		for _, g := range graphs {
			_ = g.Close()
		}
	}
	for _, name := range []string{"nanotrack_backbone.onnx", "nanotrack_head.onnx"} {
		g, err := rt.Load(inference.File{Path: filepath.Join(c.Nanotrack, name)}, onnx.SessionOptions{})
		if err != nil {
			done()
			return nil, nil, err
		}
		graphs = append(graphs, g)
	}
	return func() (eval.BoxTracker, error) {
		return nanotrack.New(nanotrack.Options{Backbone: graphs[0], Head: graphs[1]})
	}, done, nil
}
