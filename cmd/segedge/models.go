package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/store"
)

// modelsCmd are the commands about models.
type modelsCmd struct {
	List    modelsListCmd    `cmd:"" help:"List the published models, which are here, and your own folders."`
	Pull    modelsPullCmd    `cmd:"" help:"Download a published model."`
	Inspect modelsInspectCmd `cmd:"" help:"Print what ONNX files say about themselves, and what was recognised."`
	Gallery modelsGalleryCmd `cmd:"" help:"Click into pictures and lay them side by side, to look at."`
	Check   modelsCheckCmd   `cmd:"" help:"Run a model on a test picture: timings, and agreement with the plain CPU."`
}

// storeFlags say where models are kept.
type storeFlags struct {
	State  string `help:"State folder; models are kept in its folder models." type:"path" placeholder:"DIR"`
	Mirror string `help:"Fetch from this address instead of the publishers'." placeholder:"URL"`
}

func (s *storeFlags) open() (*store.Store, error) {
	dir, err := stateDir(s.State)
	if err != nil {
		return nil, err
	}
	return &store.Store{Dir: filepath.Join(dir, "models"), Models: store.Published(), Mirror: s.Mirror, Inspect: isONNX}, nil
}

// isONNX refuses what is no ONNX model at all, or not all of one.
func isONNX(path string) error {
	_, err := inference.File{Path: path}.Contract()
	if errors.Is(err, inference.ErrNotONNX) || errors.Is(err, inference.ErrTruncated) {
		return err
	}
	return nil // what else there is to say, check says
}

type modelsPullCmd struct {
	storeFlags
	Name string `arg:"" help:"A name that list shows."`
}

func (c *modelsPullCmd) Run(e *env) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	var bar *progressbar.ProgressBar
	file := ""
	s.Progress = func(f store.File, done, total int64) {
		if f.Name != file {
			file, bar = f.Name, newBytesBar(e.stderr, total, f.Name)
		}
		_ = bar.Set64(done)
	}
	if err := s.Pull(e.ctx, c.Name); err != nil {
		return err
	}
	state := ""
	if c.State != "" {
		state = " --state " + c.State
	}
	_, err = fmt.Fprintf(e.stdout, "%s is here: segedge run%s --set model.name=%s\n", c.Name, state, c.Name)
	return err
}

type modelsInspectCmd struct {
	Files  []string `arg:"" help:"ONNX files of one model, a folder of them, or the name of a model that list shows."`
	State  string   `help:"State folder, for names." type:"path" placeholder:"DIR"`
	Family string   `help:"The family, where the files alone leave a choice."`
	JSON   bool     `name:"json" help:"Print the result as JSON."`
}

// inspection is what is known of files without running them.
type inspection struct {
	Family  string           `json:"family,omitempty"`
	Title   string           `json:"title,omitempty"`
	Kinds   *inference.Kinds `json:"kinds,omitempty"`
	Refusal string           `json:"refusal,omitempty"`
	Files   []inspectedFile  `json:"files"`
}

type inspectedFile struct {
	Path     string              `json:"path"`
	Role     string              `json:"role,omitempty"`
	Contract *inference.Contract `json:"contract,omitempty"`
}

func (c *modelsInspectCmd) Run(e *env) error {
	var out inspection
	files, err := c.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		contract, err := f.Contract()
		if err != nil {
			return err
		}
		out.Files = append(out.Files, inspectedFile{Path: cmp.Or(f.Path, f.Name), Contract: contract})
	}
	out.recognise(c.Family, files)
	if c.JSON {
		if err := json.NewEncoder(e.stdout).Encode(out); err != nil {
			return err
		}
	} else {
		out.print(e.stdout)
	}
	if out.Refusal != "" {
		return exitError(1)
	}
	return nil
}

// recognise finds the family of an image model, or the layout of a video model.
func (i *inspection) recognise(family string, files []inference.File) {
	if v, err := memory.Recognise(files...); err == nil {
		i.Family, i.Title, i.Kinds = v.Name, v.Title, &inference.Kinds{Points: true, Negatives: true, Box: true}
		for k := range i.Files {
			at := slices.IndexFunc(v.Files, func(f inference.File) bool { return cmp.Or(f.Path, f.Name) == i.Files[k].Path })
			i.Files[k].Role = v.Roles[at]
		}
		return
	}
	r, err := inference.Recognise(family, files...)
	if err != nil {
		i.Refusal = err.Error()
		return
	}
	i.Family, i.Title, i.Kinds = r.Family.Name, r.Family.Title, &r.Family.Ask.Kinds
	for k := range i.Files {
		i.Files[k].Role = role(r, i.Files[k].Path)
	}
}

// files are those that were named: files, all of a folder, or those of a model by its name.
func (c *modelsInspectCmd) files() ([]inference.File, error) {
	var out []inference.File
	for _, arg := range c.Files {
		st, err := os.Stat(arg)
		switch {
		case err == nil && st.IsDir():
			files, err := graphsIn(arg)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		case err == nil || len(c.Files) > 1:
			out = append(out, inference.File{Path: arg})
		default:
			files, err := c.named(arg)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
	}
	return out, nil
}

// named are the files of a model by its name.
func (c *modelsInspectCmd) named(name string) ([]inference.File, error) {
	state, err := stateDir(c.State)
	if err != nil {
		return nil, err
	}
	if own, ok := ownFolder(name, state); ok {
		return graphsIn(own)
	}
	_, files, err := modelFiles(config.Model{Name: name}, state)
	return files, err
}

func role(r *inference.Recognised, path string) string {
	switch {
	case r.Encoder != nil && cmp.Or(r.Encoder.Path, r.Encoder.Name) == path:
		return "encoder"
	case r.Encoder == nil:
		return "encoder and decoder"
	}
	return "decoder"
}

func (i *inspection) print(w io.Writer) {
	for _, f := range i.Files {
		fmt.Fprintf(w, "%s: %s (opset %d, %d operators, %s)\n", f.Path, f.Role, f.Contract.Opset, f.Contract.Nodes, f.Contract.Producer)
		ports(w, "in ", f.Contract.Inputs)
		ports(w, "out", f.Contract.Outputs)
	}
	if i.Refusal != "" {
		fmt.Fprintln(w, "not recognised:", i.Refusal)
		return
	}
	fmt.Fprintf(w, "recognised: %s (%s); prompts: %s\n", i.Title, i.Family, kindNames(*i.Kinds))
}

func ports(w io.Writer, what string, list []inference.Port) {
	for _, p := range list {
		fmt.Fprintf(w, "  %s %-24s %-8s %v\n", what, p.Name, p.Type, p.Shape)
	}
}

func kindNames(k inference.Kinds) string {
	var out []string
	for _, kind := range []struct {
		has  bool
		name string
	}{{k.Points, "points"}, {k.Negatives, "negative points"}, {k.Box, "box"}, {k.Mask, "mask"}, {k.Text, "text"}} {
		if kind.has {
			out = append(out, kind.name)
		}
	}
	return strings.Join(out, ", ")
}

// newBytesBar shows the progress of a download on a terminal, and nothing elsewhere.
func newBytesBar(w io.Writer, n int64, what string) *progressbar.ProgressBar {
	if n <= 0 {
		n = -1
	}
	return progressbar.NewOptions64(
		n,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetVisibility(isTerminal(w)),
	)
}
