package eval

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// ReadList is the rows of the table in a document that stands between the comments <!-- name --> and <!-- end -->, without its heading.
func ReadList(text, name string) (rows [][]string, err error) {
	_, rest, ok := strings.Cut(text, "<!-- "+name+" -->")
	table, _, ended := strings.Cut(rest, "<!-- end -->")
	if !ok || !ended {
		return nil, fmt.Errorf("no table between <!-- %s --> and <!-- end -->", name)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		return nil, fmt.Errorf("the table %s has no rows", name)
	}
	return rows[2:], nil
}

// A Verdict is what became of a phrase.
type Verdict string

// Right: found, or rightly refused or not found. Missed: not found, or refused, though it is there. Wrong: something else was found.
const (
	Right  Verdict = "right"
	Missed Verdict = "missed"
	Wrong  Verdict = "wrong"
)

// boxForm is a box in a list.
var boxForm = regexp.MustCompile(`[\d.]+,[\d.]+,[\d.]+,[\d.]+`)

// JudgePhrase compares what a phrase found with what a list says is right: "none", "refused", or boxes, of which all must be found, or one
// where they are joined by "or"; the number that "at least two" says; or "two" of anything, which must be told. A box counts from an IoU of
// a half on.
func JudgePhrase(right string, found []seg.Box, note string, refused bool) Verdict {
	switch {
	case right == "refused" && refused, right == "none" && !refused && len(found) == 0:
		return Right
	case right == "refused" || right == "none" || refused || len(found) == 0:
		if len(found) > 0 {
			return Wrong
		}
		return Missed
	}
	want := parseBoxes(right)
	if len(want) == 0 { // a number of them
		if len(found) == 2 && note != "" {
			return Right
		}
		return Wrong
	}
	hit := 0
	for _, b := range want {
		for _, f := range found {
			if f.IoU(b) >= 0.5 {
				hit++
				break
			}
		}
	}
	most := len(want)
	switch {
	case strings.Contains(right, " or "):
		most = 1
	case strings.Contains(right, "at least two"):
		most, found = 2, found[:min(hit, len(found))] // a third thing of the picture is none of the list's, and not wrong
	}
	if len(found) > hit {
		return Wrong
	}
	if hit < most {
		return Missed
	}
	return Right
}

func parseBoxes(s string) (out []seg.Box) {
	for _, m := range boxForm.FindAllString(s, -1) {
		var v [4]float64
		for i, part := range strings.Split(m, ",") {
			v[i], _ = strconv.ParseFloat(part, 64) // the form has digits and points alone: a wrong one is 0, and no box
		}
		out = append(out, seg.Box{X0: v[0], Y0: v[1], X1: v[2], Y1: v[3]})
	}
	return out
}

// Offer is what one click of a list was answered with.
type Offer struct {
	Meant   string
	Offered int     // masks, three at most
	Best    float64 // the best IoU among these with what was meant
	Place   int     // its place among them, from 1; 1 is what is shown without a question
}

// offers is how many masks a person is asked to choose from, at most.
const offers = 3

// Offers clicks as a list says (number, picture, click, meant, truth) in a folder with images/ and labels/.
func Offers(ctx context.Context, m inference.Segmenter, dir string, rows [][]string) (out []Offer, err error) {
	for _, row := range rows {
		if len(row) != 5 {
			return nil, fmt.Errorf("%q: a row has a number, a picture, a click, what is meant, and its truth", strings.Join(row, " | "))
		}
		o, err := offer(ctx, m, dir, row)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", row[0], err)
		}
		out = append(out, o)
	}
	return out, nil
}

func offer(ctx context.Context, m inference.Segmenter, dir string, row []string) (o Offer, err error) {
	f, err := picture.Read(filepath.Join(dir, "images", row[1]+".jpg"))
	if err != nil {
		return o, err
	}
	truth, err := truthOf(dir, row[4], f.Width, f.Height)
	if err != nil {
		return o, err
	}
	var at seg.Point
	if _, err := fmt.Sscanf(row[2], "%g,%g", &at.X, &at.Y); err != nil {
		return o, fmt.Errorf("click %q: %w", row[2], err)
	}
	e, err := m.Embed(ctx, f)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	answers, err := e.Decode(ctx, []seg.Prompt{{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}})
	if err != nil {
		return o, err
	}
	o.Meant = row[3]
	candidates := answers[0].Candidates
	if !answers[0].Ambiguous {
		candidates = candidates[:min(len(candidates), 1)]
	}
	for i, c := range candidates[:min(len(candidates), offers)] {
		o.Offered++
		if iou := c.Logits.Cut(f.Width, f.Height, seg.Threshold).Piece(at).IoU(truth); iou > o.Best {
			o.Best, o.Place = iou, i+1
		}
	}
	return o, nil
}

// truthOf is a label of a map ("ccp_0010_0 8"), or an ellipse in a box ("ellipse .1,.2,.3,.4").
func truthOf(dir, s string, w, h int) (*seg.Mask, error) {
	name, rest, _ := strings.Cut(s, " ")
	if boxes := parseBoxes(rest); name == "ellipse" && len(boxes) == 1 {
		return ellipse(boxes[0], w, h), nil
	}
	id, err := strconv.ParseUint(rest, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("truth %q: %w", s, err)
	}
	l, err := dataset.ReadLabels(filepath.Join(dir, "labels", name+".png"))
	if err != nil {
		return nil, err
	}
	return l.Mask(uint32(id)), nil
}

func ellipse(b seg.Box, w, h int) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	c, rx, ry := b.Center(), (b.X1-b.X0)/2, (b.Y1-b.Y0)/2
	for y := range h {
		row := m.Row(y)
		for x := range row {
			dx, dy := ((float64(x)+0.5)/float64(w)-c.X)/rx, ((float64(y)+0.5)/float64(h)-c.Y)/ry
			if dx*dx+dy*dy <= 1 {
				row[x] = 1
			}
		}
	}
	return m.Trim()
}
