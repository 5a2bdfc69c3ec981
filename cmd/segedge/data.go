package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"text/tabwriter"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/dataset/cascade"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/dataset/export"
)

// dataCmd is what is kept to learn from.
type dataCmd struct {
	List   dataListCmd   `cmd:"" help:"List the pictures that are kept, with how many masks are right, proposed and rejected."`
	Auto   dataAutoCmd   `cmd:"" help:"Find pictures and masks in films: everything is segmented, and followed there and back."`
	Review dataReviewCmd `cmd:"" help:"Serve the page on which pictures are judged: accept, fix with clicks, add, reject."`
	Export dataExportCmd `cmd:"" help:"Write what is right to a new folder, in a form that others read."`
	Erase  dataEraseCmd  `cmd:"" help:"Erase pictures by time and camera."`
	Import dataImportCmd `cmd:"" help:"Add annotated pictures of other data sets, with faces and plates blurred."`
}

// dataFlags name the folder.
type dataFlags struct {
	settings
	Dir string `help:"The folder; the configured one (data.folder) otherwise." type:"path" placeholder:"DIR"`
}

func (d *dataFlags) open() (config.Config, *collect.Store, error) {
	cfg, err := d.load()
	if err != nil {
		return cfg, nil, err
	}
	if d.Dir != "" {
		cfg.Data.Folder = d.Dir
	}
	state, err := stateDir(cfg.Agent.State)
	if err != nil {
		return cfg, nil, err
	}
	cfg.Data.Daily = 0 // the agent's budget
	s, err := openData(&cfg, state)
	return cfg, s, err
}

// openToKeep is open for who keeps pictures in the folder: with what finds faces and plates, which the caller closes.
func (d *dataFlags) openToKeep() (config.Config, *collect.Store, *cascade.Finder, error) {
	cfg, store, err := d.open()
	if err != nil {
		return cfg, nil, nil, err
	}
	faces, err := cascade.Open(cfg.Data.Cascades)
	return cfg, store, faces, err
}

type dataListCmd struct {
	dataFlags
	JSON bool `name:"json" help:"One JSON object a line."`
}

// dataLine is a picture as list shows it.
type dataLine struct {
	Name     string    `json:"name"`
	Camera   string    `json:"camera"`
	Captured time.Time `json:"captured"`
	Stage    string    `json:"stage"`
	Right    int       `json:"right"`
	Proposed int       `json:"proposed"`
	Rejected int       `json:"rejected"`
	Bytes    int64     `json:"bytes"`
}

func (c *dataListCmd) Run(e *env) error {
	_, store, err := c.open()
	if err != nil {
		return err
	}
	all, err := store.List()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(e.stdout, 0, 4, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "picture\tstage\tright\tproposed\trejected\tkB")
	}
	var bytes int64
	for _, entry := range all {
		r, err := store.Read(entry.Name)
		if errors.Is(err, collect.ErrName) {
			continue // erased meanwhile
		}
		if err != nil {
			return err
		}
		l := dataLine{
			Name: entry.Name, Camera: entry.Camera, Captured: entry.Captured, Stage: r.Image.Stage,
			Right: len(r.Annotations), Proposed: len(r.Proposed), Rejected: len(r.Rejected), Bytes: entry.Bytes,
		}
		bytes += entry.Bytes
		if c.JSON {
			if err := json.NewEncoder(e.stdout).Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\n", l.Name, l.Stage, l.Right, l.Proposed, l.Rejected, l.Bytes>>10)
	}
	if err := table.Flush(); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d pictures, %.1f MB in %s\n", len(all), float64(bytes)/(1<<20), store.Dir())
	return err
}

type dataExportCmd struct {
	dataFlags
	Form string `default:"coco" enum:"coco,coco-polygons,sa1b,davis,mots,yolo,label-studio,cvat" help:"coco, coco-polygons, sa1b, davis, mots, yolo, label-studio or cvat."`
	Out  string `arg:"" type:"path" help:"Folder to write, a new one."`
}

func (c *dataExportCmd) Run(e *env) error {
	_, store, err := c.open()
	if err != nil {
		return err
	}
	s, err := export.Write(c.Out, c.Form, stored(store))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(
		e.stdout, "%d pictures with %d objects of %d classes as %s in %s\n", s.Pictures, s.Objects, len(s.Classes), c.Form, c.Out,
	)
	return err
}

// stored are the pictures of a folder, oldest first.
func stored(store *collect.Store) iter.Seq2[*export.Picture, error] {
	return func(yield func(*export.Picture, error) bool) {
		all, err := store.List()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, entry := range all {
			p := &export.Picture{Name: entry.Name}
			if p.Doc, err = store.Read(entry.Name); err == nil {
				p.JPEG, err = store.JPEG(entry.Name)
			}
			if errors.Is(err, collect.ErrName) {
				continue // erased meanwhile
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

type dataEraseCmd struct {
	dataFlags
	Since  string `help:"Only what was captured then or later: 2026-03-05, 2026-03-05T14:00 (this machine's time), RFC 3339, or so long ago, such as 36h." placeholder:"TIME"`
	Until  string `help:"Only what was captured then or earlier." placeholder:"TIME"`
	Camera string `help:"Only of this camera." placeholder:"NAME"`
	All    bool   `help:"Everything."`
}

func (c *dataEraseCmd) Run(e *env) error {
	if !c.All && c.Since == "" && c.Until == "" && c.Camera == "" {
		return errors.New("say what to erase: --since, --until, --camera, or --all for everything")
	}
	if c.All && (c.Since != "" || c.Until != "" || c.Camera != "") {
		return errors.New("--all is everything: leave --since, --until and --camera out")
	}
	from, err := moment("--since", c.Since, false)
	if err != nil {
		return err
	}
	to, err := moment("--until", c.Until, true)
	if err != nil {
		return err
	}
	_, store, err := c.open()
	if err != nil {
		return err
	}
	n, err := store.Erase(from, to, c.Camera)
	if err != nil {
		return fmt.Errorf("%d pictures are erased, then: %w", n, err)
	}
	_, err = fmt.Fprintf(e.stdout, "%d pictures erased from %s\n", n, store.Dir())
	return err
}

// moment reads a time, or how long ago; the zero time for "". end takes the last moment of a day or a minute.
func moment(flag, s string, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return time.Now().Add(-d), nil
	}
	for form, lasts := range map[string]time.Duration{
		time.RFC3339: time.Second, "2006-01-02T15:04:05": time.Second, "2006-01-02T15:04": time.Minute, "2006-01-02 15:04": time.Minute,
		time.DateOnly: 24 * time.Hour,
	} {
		at, err := time.ParseInLocation(form, s, time.Local)
		if err != nil {
			continue
		}
		if end && form == time.DateOnly {
			return at.AddDate(0, 0, 1).Add(-time.Nanosecond), nil // a day may have 23 hours
		}
		if end {
			return at.Add(lasts - time.Nanosecond), nil
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%s %q is no time such as 2026-03-05, 2026-03-05T14:00 or 36h", flag, s)
}

type dataImportCmd struct {
	dataFlags
	Data   []string `arg:"" type:"path" help:"Folder with images/ and labels/, a DAVIS folder, a COCO file or a folder of SA-1B files."`
	Camera string   `default:"import" help:"Name that the pictures are kept under."`
}

func (c *dataImportCmd) Run(e *env) (err error) {
	_, store, faces, err := c.openToKeep()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, faces.Close()) }()
	n := 0
	for _, path := range c.Data {
		set, err := dataset.Open(path)
		if err != nil {
			return err
		}
		named(e.stderr, path, "without an annotation, left out", set.Unlabelled)
		named(e.stderr, path, "of annotations whose picture is missing", set.Orphans)
		for i := range set.Items {
			s, err := c.sample(&set.Items[i])
			if err != nil {
				return fmt.Errorf("%d pictures are imported, then: %w", n, err)
			}
			if _, err := collect.Keep(store, s, []collect.Finder{faces}); err != nil {
				return fmt.Errorf("%d pictures are imported, then: %w", n, err)
			}
			n++
		}
	}
	_, err = fmt.Fprintf(e.stdout, "%d pictures imported into %s\n", n, store.Dir())
	return err
}

func (c *dataImportCmd) sample(it *dataset.Item) (*collect.Sample, error) {
	f, masks, err := it.Load()
	if err != nil {
		return nil, err
	}
	f.Captured = time.Now()
	s := &collect.Sample{Camera: c.Camera, Frame: f, Stage: collect.Imported}
	for _, m := range masks {
		s.Masks = append(s.Masks, collect.Mask{Mask: m, Verdict: collect.Imported})
	}
	return s, nil
}
