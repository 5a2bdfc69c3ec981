package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// segmentCmd segments one image.
type segmentCmd struct {
	settings
	Image      string   `arg:"" type:"path" help:"JPEG, PNG, WebP, TIFF, BMP or GIF file; seen as its EXIF says."`
	Point      []string `help:"A click, x,y or x,y,label within 0..1 (repeatable; label 1 is positive, 0 negative)." sep:"none" placeholder:"X,Y[,LABEL]"`
	Box        string   `help:"A box, x0,y0,x1,y1 within 0..1." placeholder:"X0,Y0,X1,Y1"`
	Text       string   `help:"What to segment, in words: 'the left dog', 'two red cups'. Each thing found is a candidate." placeholder:"PHRASE"`
	Everything bool     `help:"Segment everything that can be told apart."`
	Crops      int      `help:"With --everything, look again at enlarged quarters (1), and at sixteenths too (2): finds smaller things, takes longer." placeholder:"N"`
	JSON       bool     `name:"json" help:"Print the result as JSON."`
	Mask       string   `help:"Write the best mask as .png, white on black." type:"path" placeholder:"FILE"`
	Overlay    string   `help:"Write the picture with the best mask painted on it, as .png or .jpg." type:"path" placeholder:"FILE"`

	things []seg.Box // with --everything, what the detector knows
}

// segmentation is the result, in stable keys.
type segmentation struct {
	Candidates []segmentCandidate `json:"candidates"`
	EncodeMS   float64            `json:"encode_ms"`
	DecodeMS   float64            `json:"decode_ms"`
	Provider   string             `json:"provider"`
	Family     string             `json:"family"`

	masks []*seg.Mask
}

type segmentCandidate struct {
	Score     float64    `json:"score"`
	Stability float64    `json:"stability"`
	Area      float64    `json:"area"`
	Box       [4]float64 `json:"box"`
	RLE       seg.RLE    `json:"rle"`
}

func (s *segmentCmd) Run(e *env) (err error) {
	prompt, err := s.prompt()
	if err != nil {
		return err
	}
	err = writable(output{"--mask", s.Mask, asPNG}, output{"--overlay", s.Overlay, asPicture})
	if err != nil {
		return err
	}
	f, err := picture.Read(s.Image)
	if err != nil {
		return err
	}
	cfg, m, err := s.open(e.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	prompts, note := []seg.Prompt{prompt}, ""
	if s.Text != "" {
		if prompts, note, err = inWords(e.ctx, m, cfg, f, s.Text); err != nil {
			return err
		}
	}
	if s.Everything {
		if s.things, err = detected(e.ctx, m, cfg, f); err != nil {
			return err
		}
	}
	if note != "" {
		fmt.Fprintln(e.stderr, note)
	}
	result, err := s.segment(e, m.served, f, prompts)
	if err != nil {
		return err
	}
	if err := errors.Join(s.print(e.stdout, result), s.pictures(f, result.masks)); err != nil {
		return err
	}
	if len(result.masks) == 0 {
		return s.nothing()
	}
	return nil
}

// nothing is the end of a run that found nothing: no fault, and told apart from one by its exit code.
func (s *segmentCmd) nothing() error {
	if s.Mask != "" {
		return nothingFound{"nothing was found there: no mask to write"}
	}
	return nothingFound{"nothing was found there"}
}

func (s *segmentCmd) prompt() (seg.Prompt, error) {
	var p seg.Prompt
	for _, text := range s.Point {
		c, err := parseClick(text)
		if err != nil {
			return p, fmt.Errorf("--point: %w", err)
		}
		p.Clicks = append(p.Clicks, c)
	}
	if s.Box != "" {
		b, err := parseBox(s.Box)
		if err != nil {
			return p, fmt.Errorf("--box: %w", err)
		}
		p.Box = &b
	}
	if s.Crops < 0 || s.Crops > 2 || s.Crops > 0 && !s.Everything {
		return p, errors.New("--crops is 1 or 2, and goes with --everything")
	}
	if s.Everything || s.Text != "" {
		if len(p.Clicks) > 0 || p.Box != nil || s.Everything && s.Text != "" {
			return p, errors.New("--everything and --text go alone, without a point or a box")
		}
		return p, nil
	}
	if err := p.Validate(); errors.Is(err, seg.ErrEmptyPrompt) {
		return p, errors.New("say what to segment: --point x,y, --box x0,y0,x1,y1, --text PHRASE or --everything")
	} else if err != nil {
		return p, err
	}
	return p, nil
}

func (s *segmentCmd) segment(e *env, m inference.Segmenter, f *frame.Frame, ps []seg.Prompt) (*segmentation, error) {
	info := m.Info()
	out := &segmentation{Provider: info.Provider, Family: info.Family, Candidates: []segmentCandidate{}}
	timed := &timedModel{Segmenter: m}
	start := time.Now()
	var err error
	if s.Everything {
		err = s.everything(e, timed, f, out)
	} else {
		err = out.ask(e.ctx, timed, f, ps)
	}
	out.EncodeMS = seg.Round4(timed.encode.Seconds() * 1000)
	out.DecodeMS = seg.Round4((time.Since(start) - timed.encode).Seconds() * 1000)
	return out, err
}

// timedModel adds up how long its encoder takes.
type timedModel struct {
	inference.Segmenter
	encode time.Duration
}

func (t *timedModel) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	start := time.Now()
	defer func() { t.encode += time.Since(start) }()
	return t.Segmenter.Embed(ctx, f)
}

// ask adds the candidates for each prompt.
func (s *segmentation) ask(ctx context.Context, m inference.Segmenter, f *frame.Frame, ps []seg.Prompt) (err error) {
	if len(ps) == 0 {
		return nil
	}
	emb, err := m.Embed(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, emb.Close()) }()
	answers, err := emb.Decode(ctx, ps)
	if err != nil {
		return err
	}
	for _, a := range answers {
		for _, c := range a.Candidates {
			s.add(c.Logits.Cut(f.Width, f.Height, seg.Threshold), c.PredictedIoU, c.Stability)
		}
	}
	return nil
}

// everything adds a candidate for each object that can be told apart, best first.
func (s *segmentCmd) everything(e *env, m inference.Segmenter, f *frame.Frame, out *segmentation) error {
	bar := newBar(e.stderr, 1, "segmenting everything")
	defer func() { _ = bar.Finish() }()
	found, err := inference.Everything(
		e.ctx,
		m,
		f,
		inference.EverythingOptions{MinArea: 0.0002, CropLayers: s.Crops, Boxes: s.things},
		func(done, of int) {
			bar.ChangeMax(of)
			_ = bar.Set(done)
		},
	)
	for _, o := range found {
		out.add(o.Mask, o.PredictedIoU, o.Stability)
	}
	return err
}

func (s *segmentation) add(m *seg.Mask, score, stability float64) {
	b := m.Box()
	s.Candidates = append(s.Candidates, segmentCandidate{
		Score: seg.Round4(score), Stability: seg.Round4(stability), Area: m.Area(),
		Box: [4]float64{seg.Round4(b.X0), seg.Round4(b.Y0), seg.Round4(b.X1), seg.Round4(b.Y1)}, RLE: m.RLE(),
	})
	s.masks = append(s.masks, m)
}

// pictures writes what was asked for to look at.
func (s *segmentCmd) pictures(f *frame.Frame, masks []*seg.Mask) error {
	if s.Mask != "" && len(masks) > 0 {
		if err := writePNG(s.Mask, maskImage(masks[0])); err != nil {
			return err
		}
	}
	if s.Overlay == "" {
		return nil
	}
	objects := make([]seg.Object, 0, len(masks))
	for i, m := range masks {
		objects = append(objects, seg.Object{ID: seg.ID(i + 1), State: seg.Tracking, Mask: m})
		if !s.Everything && s.Text == "" {
			break
		}
	}
	pix := append([]byte(nil), f.Pix...)
	if err := overlay.Paint(pix, f.Width, f.Height, objects, overlay.Options{NoLabels: true}); err != nil {
		return err
	}
	painted := frame.New(f.Width, f.Height)
	copy(painted.Pix, pix)
	if ext := strings.ToLower(filepath.Ext(s.Overlay)); ext == ".jpg" || ext == ".jpeg" {
		return writeFile(s.Overlay, func(w io.Writer) error { return dataset.EncodeJPEG(w, painted, 90) })
	}
	return writePNG(s.Overlay, frameImage(painted))
}

func (s *segmentCmd) print(w io.Writer, r *segmentation) error {
	if s.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	if len(r.Candidates) == 0 {
		return nil // Run says so
	}
	fmt.Fprintf(w, "%-4s %-7s %-9s %-8s %s\n", "", "score", "stability", "area", "box")
	for i, c := range r.Candidates {
		fmt.Fprintf(
			w,
			"%-4d %-7.3f %-9.3f %-8s %.3f,%.3f,%.3f,%.3f\n",
			i,
			c.Score,
			c.Stability,
			fmt.Sprintf("%.2f %%", 100*c.Area),
			c.Box[0],
			c.Box[1],
			c.Box[2],
			c.Box[3],
		)
	}
	_, err := fmt.Fprintf(w, "%s on %s: encode %.1f ms, decode %.1f ms\n", r.Family, r.Provider, r.EncodeMS, r.DecodeMS)
	return err
}

func maskImage(m *seg.Mask) image.Image {
	img := image.NewGray(image.Rect(0, 0, m.W, m.H))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for i, b := range m.Row(y) {
			img.SetGray(m.Rect.Min.X+i, y, color.Gray{Y: 255 * b})
		}
	}
	return img
}

func frameImage(f *frame.Frame) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i, j := 0, 0; i < len(f.Pix); i, j = i+3, j+4 {
		img.Pix[j], img.Pix[j+1], img.Pix[j+2], img.Pix[j+3] = f.Pix[i+2], f.Pix[i+1], f.Pix[i], 255
	}
	return img
}

func writePNG(name string, img image.Image) error {
	return writeFile(name, func(w io.Writer) error { return png.Encode(w, img) })
}

// writeFile writes a whole file through a buffer.
func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return w.Flush()
}
