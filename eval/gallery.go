package eval

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Shot is one click into a picture.
type Shot struct {
	Picture string // path
	Click   seg.Point
}

// ReadShots reads a list of clicks: a line has the name of a picture beside the list and where to click, "cat.jpg 0.5,0.25", each 0..1.
// Empty lines, and those that begin with #, are skipped.
func ReadShots(path string) ([]Shot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("list of clicks: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var shots []Shot
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s := Shot{}
		if _, err := fmt.Sscanf(line, "%s %f,%f", &s.Picture, &s.Click.X, &s.Click.Y); err != nil || !s.Click.In01() {
			return nil, fmt.Errorf("list of clicks %s, line %d: write NAME X,Y with X and Y from 0 to 1", path, n)
		}
		s.Picture = filepath.Join(filepath.Dir(path), s.Picture)
		shots = append(shots, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list of clicks %s: %w", path, err)
	}
	if len(shots) == 0 {
		return nil, fmt.Errorf("list of clicks %s: it names no picture", path)
	}
	return shots, nil
}

// How high the pictures of a gallery are, and how wide a row may get, pixels.
const (
	galleryH = 200
	galleryW = 1240
)

// Gallery are pictures with the mask that a model gave for one click into each, to look at: good or bad, as they came.
type Gallery struct{ tiles []tile }

// Click asks the model for each shot and keeps the mask that it ranks first. progress is told of every picture, and may be nil.
func Click(ctx context.Context, m inference.Segmenter, shots []Shot, progress func(done int)) (*Gallery, error) {
	g := &Gallery{}
	for i, s := range shots {
		f, err := picture.Read(s.Picture)
		if err != nil {
			return nil, err
		}
		c, err := ask(m, f, seg.Prompt{Clicks: []seg.Click{{Point: s.Click, Label: seg.Positive}}})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, fmt.Errorf("picture %s: %w", s.Picture, err)
		}
		name := filepath.Base(s.Picture)
		t := tile{label: strings.TrimSuffix(name, filepath.Ext(name)), frame: thumbnail(f, galleryW, galleryH), click: s.Click}
		if c != nil {
			t.mask = c.Logits.Cut(f.Width, f.Height, seg.Threshold)
		}
		g.tiles = append(g.tiles, t)
		if progress != nil {
			progress(i + 1)
		}
	}
	return g, nil
}

// JPEG writes the pictures in rows.
func (g *Gallery) JPEG(w io.Writer) error {
	var rows [][]tile
	for _, t := range g.tiles {
		last := len(rows) - 1
		if last >= 0 {
			if wide, _ := rowSize(append(rows[last], t)); wide <= galleryW {
				rows[last] = append(rows[last], t)
				continue
			}
		}
		rows = append(rows, []tile{t})
	}
	sheet, err := layOut(rows)
	if err != nil {
		return err
	}
	if err := jpeg.Encode(w, sheet, &jpeg.Options{Quality: 78}); err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return nil
}
