package tracker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Tracker follows the objects of one camera. One goroutine owns it.
type Tracker struct {
	opt      Options
	flow     Flow
	reduce   reducer
	past     *history
	objects  []*object // live, by id
	next     seg.ID
	changes  []seg.Change
	pairs    []pair  // scratch
	way      []track // scratch
	policy   policy
	cropper  cropper
	sights   []*sight
	spreads  []modelSpread
	model    string     // the present one's identity
	sum      unary      // scratch
	steps    []float32  // scratch
	voteMap  seg.Logits // scratch
	voteN    []float32  // scratch
	local    mesh       // scratch
	weights  []float32  // scratch
	points   float64    // that motion is measured at now, at most
	snapLeft int        // pixels that may still be snapped in this frame
	stamp    uint64
	size     [2]int // of the last frame
	captured time.Time
	measured bool // FPS follows the frames' times
	zones    []zone
	lines    []line
}

// New makes a tracker that measures motion with flow.
func New(o Options, flow Flow) *Tracker {
	o = o.withDefaults()
	t := &Tracker{opt: o, flow: flow, past: newHistory(o.History), next: 1}
	t.points = float64(o.Points)
	if t.measured = o.FPS == 0; t.measured {
		t.opt.FPS = usualFPS
	}
	return t
}

// usualFPS is the rate of cameras that have not shown theirs yet; rateGain is the weight of a new frame in the rate; gaps outside of leastGap to
// mostGap, seconds a frame, are no rate but a pause, or frames without a time.
const (
	usualFPS          = 30
	rateGain          = 0.05
	leastGap, mostGap = 0.002, 1
)

// clock takes a frame's time into account.
func (t *Tracker) clock(f *frame.Frame, last *entry) {
	if t.measured && last != nil {
		gap := f.Captured.Sub(t.captured).Seconds() / float64(f.Seq-last.seq)
		if gap > leastGap && gap < mostGap {
			t.opt.FPS = 1 / ((1-rateGain)/t.opt.FPS + rateGain*gap)
		}
	}
	t.captured = f.Captured
}

// ErrOrder is a frame that is not newer than the last one.
var ErrOrder = errors.New("tracker: the frame is not newer than the last one")

// Step takes the next frame: it is reduced, the scene's motion since the last one is measured once, and every object moves. f is
// only read during the call. Sequence numbers may have gaps. A frame of another size flushes first.
func (t *Tracker) Step(f *frame.Frame) error {
	last := t.past.newest()
	if last != nil {
		if f.Seq <= last.seq {
			return fmt.Errorf("%w: %d after %d", ErrOrder, f.Seq, last.seq)
		}
		if size := [2]int{f.Width, f.Height}; size != t.size {
			t.Flush()
			last = nil
		}
	}
	t.clock(f, last)
	t.size = [2]int{f.Width, f.Height}
	e := t.past.push()
	e.seq = f.Seq
	t.snapLeft = snapPixels
	t.reduce.reduce(f, t.opt.GridWidth, &e.gray)
	t.stamp++
	e.gray.Stamp = t.stamp
	e.bgr = append(e.bgr[:0], t.reduce.small.Pix...)
	t.regrid(e)
	if last == nil {
		e.pts, e.vec, e.scene = e.pts[:0], e.vec[:0], fitted{m: identity}
		return nil
	}
	if err := t.measure(last, e); err != nil {
		t.past.drop()
		return err
	}
	for _, o := range t.objects {
		t.move(o, e)
	}
	if t.uses(CueCover) {
		t.coverAll(e)
	}
	t.sweep(e.seq)
	t.patrol(e.seq)
	return nil
}

// measure finds the motion from last to e on a regular grid, and closer where an object is partly hidden, and fits the scene's own.
func (t *Tracker) measure(last, e *entry) error {
	t.shed(e.seq - last.seq)
	e.step = gridStep(last.gray.W, last.gray.H, int(t.points))
	e.pts = gridPoints(e.pts[:0], last.gray.W, last.gray.H, e.step)
	if t.uses(CueCover) {
		e.pts = t.morePoints(e.pts, last, e.step)
	}
	e.vec = slices.Grow(e.vec[:0], len(e.pts))[:len(e.pts)]
	if err := t.flow.Step(&last.gray, &e.gray, e.pts, e.vec); err != nil {
		return fmt.Errorf("optical flow at frame %d: %w", e.seq, err)
	}
	t.pairs = t.pairs[:0]
	for i, v := range e.vec {
		if v.OK {
			x, y := float64(e.pts[i].X), float64(e.pts[i].Y)
			t.pairs = append(t.pairs, pair{x, y, x + float64(v.D.X), y + float64(v.D.Y), 1 / (0.25 + float64(v.FB))})
		}
	}
	e.scene = fit(t.pairs)
	return nil
}

// shed measures at fewer points after frames that never came: most of a step is the flow, and a machine that is behind sees more by being on time.
// gap is the number of frames since the last one.
func (t *Tracker) shed(gap uint64) {
	most := float64(t.opt.Points)
	if gap > 1 {
		t.points = max(t.points*shedDown, most*shedLeast)
	} else {
		t.points = min(t.points*shedUp, most)
	}
}

const (
	shedDown, shedUp = 0.85, 1.005 // after a gap, and after a frame without one
	shedLeast        = 0.4         // of all points
)

// gridPoints spreads points evenly over a picture of w×h pixels.
func gridPoints(dst []Pixel, w, h, step int) []Pixel {
	for y := step / 2; y < h; y += step {
		for x := step / 2; x < w; x += step {
			dst = append(dst, Pixel{float32(x), float32(y)})
		}
	}
	return dst
}

// gridStep is the distance between the points of a grid of about n over w×h pixels.
func gridStep(w, h, n int) int {
	step := 4
	for (w/step)*(h/step) > n {
		step++
	}
	return step
}

// Oldest is the first frame that the history reaches, 0 when it is empty.
func (t *Tracker) Oldest() uint64 {
	if t.past.n == 0 {
		return 0
	}
	return t.past.at(0).seq
}

// Newest is the last frame, 0 before the first.
func (t *Tracker) Newest() uint64 {
	if t.past.n == 0 {
		return 0
	}
	return t.past.newest().seq
}

// Objects appends the live objects as of the newest frame, by id. Their masks are immutable and safe to keep.
func (t *Tracker) Objects(dst []seg.Object) []seg.Object {
	for _, o := range t.objects {
		dst = append(dst, t.snapshot(o))
	}
	return dst
}

// Object is a live object as of the newest frame.
func (t *Tracker) Object(id seg.ID) (seg.Object, bool) {
	o := t.find(id)
	if o == nil {
		return seg.Object{}, false
	}
	return t.snapshot(o), true
}

// Changes appends what happened since the last call, in order.
func (t *Tracker) Changes(dst []seg.Change) []seg.Change {
	dst = append(dst, t.changes...)
	clear(t.changes)
	t.changes = t.changes[:0]
	return dst
}

func (t *Tracker) find(id seg.ID) *object {
	i, ok := slices.BinarySearchFunc(t.objects, id, func(o *object, id seg.ID) int { return int(int64(o.id) - int64(id)) })
	if !ok {
		return nil
	}
	return t.objects[i]
}
