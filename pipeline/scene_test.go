package pipeline

import (
	"context"
	"image"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

const sceneW, sceneH = 320, 240

// block is a textured rectangle that moves steadily: the simplest thing whose mask is known exactly.
type block struct {
	x, y, w, h float64 // at frame 1
	vx, vy     float64 // pixels a frame
	color      [3]int
}

func (b block) rect(n uint64) image.Rectangle {
	x, y := int(b.x+b.vx*float64(n-1)), int(b.y+b.vy*float64(n-1))
	return image.Rect(x, y, x+int(b.w), y+int(b.h))
}

func (b block) truth(n uint64) *seg.Mask {
	m := seg.NewMask(sceneW, sceneH, b.rect(n))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

func (b block) center(n uint64) seg.Point {
	r := b.rect(n)
	return seg.Point{X: float64(r.Min.X+r.Max.X) / 2 / sceneW, Y: float64(r.Min.Y+r.Max.Y) / 2 / sceneH}
}

// grain is a fixed texture of ±9 grey levels, finer than the shapes.
func grain(x, y int) int {
	h := uint32(x/3)*374761393 + uint32(y/3)*668265263
	h = (h ^ h>>13) * 1274126177
	return int(h>>28)*18/15 - 9
}

// draw renders frame n of blocks over a textured ground; the texture moves with each block.
func draw(f *frame.Frame, n uint64, blocks []block) {
	f.Resize(sceneW, sceneH)
	f.Meta = frame.Meta{Seq: n, Captured: time.Unix(0, 0).Add(time.Duration(n) * time.Second / 30), Width: sceneW, Height: sceneH}
	for y := range sceneH {
		for x := range sceneW {
			put(f, x, y, [3]int{70, 110, 70}, grain(x, y))
		}
	}
	for _, b := range blocks {
		r := b.rect(n)
		for y := max(0, r.Min.Y); y < min(sceneH, r.Max.Y); y++ {
			for x := max(0, r.Min.X); x < min(sceneW, r.Max.X); x++ {
				put(f, x, y, b.color, grain(x-r.Min.X+500, y-r.Min.Y+500))
			}
		}
	}
}

func put(f *frame.Frame, x, y int, c [3]int, g int) {
	i := y*f.Stride() + 3*x
	for k := range 3 {
		f.Pix[i+k] = byte(c[k] + g)
	}
}

// rig runs a pipeline over blocks, frame by frame, as fast as the test asks.
type rig struct {
	*Pipeline
	t       *testing.T
	blocks  []block
	n       uint64
	pool    *frame.Pool
	latest  *frame.Latest
	shown   chan []seg.Object
	changes []seg.Change
	stop    context.CancelFunc
	ended   chan error
}

func newRig(t *testing.T, model *inferencetest.Segmenter, change func(*Options), blocks ...block) *rig {
	t.Helper()
	r := &rig{t: t, blocks: blocks, pool: frame.NewPool(5), latest: frame.NewLatest(), shown: make(chan []seg.Object, 1), ended: make(chan error, 1)}
	o := Options{
		Model: model, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
		Show:    func(_ *frame.Frame, objects []seg.Object) { r.shown <- append([]seg.Object(nil), objects...) },
		Changed: func(_ seg.FrameRef, c []seg.Change) { r.changes = append(r.changes, c...) },
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Pipeline = p
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- p.Run(ctx, r.latest) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			t.Errorf("the pipeline ended with %v", err)
		}
		r.latest.Close()
		if err := r.pool.Close(); err != nil {
			t.Error(err)
		}
		if n := model.Live(); n != 0 {
			t.Errorf("%d embeddings were never closed", n)
		}
	})
	return r
}

// next shows the next frame and returns its objects. It waits for the frame, and only for that: a pipeline that waits
// for its model here hangs the test.
func (r *rig) next() []seg.Object {
	r.t.Helper()
	r.n++
	f := r.pool.Get()
	draw(f, r.n, r.blocks)
	r.latest.Put(f)
	select {
	case o := <-r.shown:
		return o
	case <-time.After(20 * time.Second):
		r.t.Fatalf("frame %d was not shown", r.n)
		return nil
	}
}

// click asks for what is at p in a goroutine of its own.
func (r *rig) click(p seg.Point, at uint64) chan answer {
	return r.ask(Request{Frame: at, Prompt: seg.Prompt{Clicks: []seg.Click{{Point: p, Label: seg.Positive}}}})
}

type answer struct {
	Result
	err error
}

func (r *rig) ask(req Request) chan answer {
	c := make(chan answer, 1)
	go func() {
		res, err := r.Prompt(context.Background(), req)
		c <- answer{res, err}
	}()
	return c
}

func (r *rig) wait(c chan answer) answer {
	r.t.Helper()
	select {
	case a := <-c:
		return a
	case <-time.After(20 * time.Second):
		r.t.Fatal("the prompt was not answered")
		return answer{}
	}
}

func iou(o seg.Object, truth *seg.Mask) float64 {
	if o.Mask == nil {
		return 0
	}
	return o.Mask.Resize(sceneW, sceneH).IoU(truth)
}

func newSyncRig(t *testing.T, model *inferencetest.Segmenter) *Pipeline {
	t.Helper()
	p, err := New(Options{Model: model, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Synchronous: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if n := model.Live(); n != 0 {
			t.Errorf("%d embeddings were never closed", n)
		}
	})
	return p
}
