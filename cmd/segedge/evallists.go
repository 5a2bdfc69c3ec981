package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/grounding"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// evalPhrasesCmd says each phrase of a list to a picture.
type evalPhrasesCmd struct {
	settings
	List string `arg:"" type:"path" help:"Document with the list, as docs/phrases.md."`
	Data string `required:"" type:"path" help:"Folder with clips/ and davis/." placeholder:"DIR"`
}

func (c *evalPhrasesCmd) Run(e *env) error {
	rows, err := list(c.List, "phrases")
	if err != nil {
		return err
	}
	return c.using(e.ctx, func(cfg config.Config, m *loadedModel) error { return c.say(e, cfg, m, rows) })
}

// say says each phrase to its picture, and prints what came of it.
func (c *evalPhrasesCmd) say(e *env, cfg config.Config, m *loadedModel, rows [][]string) (err error) {
	d, g, err := openGrounder(m.runtime, cfg)
	if err != nil {
		return err
	}
	if d == nil {
		return errors.New("grounding.model is none")
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	count := map[eval.Verdict]int{}
	for _, row := range rows {
		if len(row) != 4 {
			return fmt.Errorf("%s: a row has a number, a picture, a phrase and what is right, not %q", c.List, row)
		}
		f, err := c.picture(e.ctx, row[1])
		if err != nil {
			return err
		}
		v, said, err := judged(e.ctx, d, m.served, f, row[2], row[3])
		if err != nil {
			return err
		}
		count[v]++
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", row[0], row[1], row[2], v, said)
	}
	fmt.Fprintf(w, "%d right, %d missed, %d wrong of %d\n", count[eval.Right], count[eval.Missed], count[eval.Wrong], len(rows))
	return w.Flush()
}

// list is the table of a document.
func list(file, name string) ([][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rows, err := eval.ReadList(string(text), name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rows, nil
}

// judged is what a phrase found, and what is to be said of that.
func judged(
	ctx context.Context,
	d *grounding.Detector,
	m inference.Segmenter,
	f *frame.Frame,
	phrase, right string,
) (v eval.Verdict, said string, err error) {
	boxes, note, err := d.Ground(ctx, m, f, phrase)
	if _, unknown := errors.AsType[*grounding.PhraseError](err); unknown {
		return eval.JudgePhrase(right, nil, "", true), "refused", nil
	}
	if err != nil {
		return "", "", err
	}
	prompts := make([]seg.Prompt, len(boxes))
	for i := range boxes {
		prompts[i] = seg.Prompt{Box: &boxes[i].Box, Single: true}
	}
	var s segmentation
	if err := s.ask(ctx, m, f, prompts); err != nil {
		return "", "", err
	}
	var found []seg.Box
	for _, mask := range s.masks {
		b := mask.Box()
		found = append(found, b)
		said += fmt.Sprintf("%.2f,%.2f,%.2f,%.2f ", b.X0, b.Y0, b.X1, b.Y1)
	}
	if len(found) == 0 {
		said = "nothing"
	}
	return eval.JudgePhrase(right, found, note, false), said + note, nil
}

// picture is the first frame of a clip or of a DAVIS sequence of that name.
func (c *evalPhrasesCmd) picture(ctx context.Context, name string) (*frame.Frame, error) {
	for _, pattern := range []string{
		filepath.Join(c.Data, "davis", "JPEGImages", "480p", name, "00000.jpg"), filepath.Join(c.Data, "clips", name+".*"),
	} {
		files, err := filepath.Glob(pattern)
		switch {
		case err != nil:
			return nil, err
		case len(files) > 0 && filepath.Ext(files[0]) == ".jpg":
			return picture.Read(files[0])
		case len(files) > 0:
			return firstFrame(ctx, files[0])
		}
	}
	return nil, fmt.Errorf("%s has no picture %s", c.Data, name)
}

// firstFrame is a clip's.
func firstFrame(ctx context.Context, clip string) (f *frame.Frame, err error) {
	o, err := openSource(&config.Camera{Name: "clip", Source: clip}, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	source, err := o.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	f = frame.New(1, 1)
	return f, source.Read(ctx, f)
}

// evalOffersCmd clicks where several things may be meant.
type evalOffersCmd struct {
	settings
	List string `arg:"" type:"path" help:"Document with the list, as docs/ambiguity.md."`
	Data string `required:"" type:"path" help:"Folder with images/ and labels/." placeholder:"DIR"`
}

func (c *evalOffersCmd) Run(e *env) error {
	rows, err := list(c.List, "cases")
	if err != nil {
		return err
	}
	return c.using(e.ctx, func(_ config.Config, m *loadedModel) error {
		offers, err := eval.Offers(e.ctx, m.served, c.Data, rows)
		if err != nil {
			return err
		}
		return printOffers(e.stdout, offers)
	})
}

// meantIoU is the least IoU of a mask that is what was meant.
const meantIoU = 0.7

func printOffers(out io.Writer, offers []eval.Offer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, o := range offers {
		fmt.Fprintf(w, "%d\t%s\t%d offered\tbest IoU %.2f, number %d\n", i+1, o.Meant, o.Offered, o.Best, o.Place)
	}
	n := len(slices.DeleteFunc(slices.Clone(offers), func(o eval.Offer) bool { return o.Best < meantIoU }))
	fmt.Fprintf(w, "%d of %d offer what is meant (IoU of %.1f)\n", n, len(offers), meantIoU)
	return w.Flush()
}
