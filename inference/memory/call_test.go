package memory

import (
	"errors"
	"maps"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// camera is a Bank as a camera uses it: what is asked about its frames, by number, and kept when it is told to.
type camera struct {
	*Bank
	t *testing.T
	v *View
}

func newCamera(t *testing.T, f *fakeModel, layout string) *camera {
	t.Helper()
	m := f.open(t, layout)
	drawn := frame.New(64, 48)
	for i := range drawn.Pix {
		drawn.Pix[i] = byte(i * 37)
	}
	v, err := m.Embed(t.Context(), drawn)
	if err != nil {
		t.Fatal(err)
	}
	return &camera{m.NewBank(), t, v.(*View)}
}

// answered asks about one object, by what is remembered or by a person's click.
func (c *camera) answered(seq uint64, person bool) *Call {
	c.t.Helper()
	a := Ask{ID: 1, Person: person}
	if p := click(.5, .5); person {
		a.Prompt = &p
	}
	call := c.Ask(seq, []Ask{a})
	got, err := call.Run(c.t.Context(), c.v, 0)
	if err != nil || len(got) != 1 {
		c.t.Fatal(err, got)
	}
	return call
}

// seqs are the frames that are remembered.
func (c *camera) seqs() (out []uint64) {
	for _, o := range c.objects {
		for _, r := range o.Records {
			out = append(out, r.Seq)
		}
	}
	return out
}

// TestOnlyWhatIsKeptIsRemembered, in the order of frames, whenever the answers come.
func TestOnlyWhatIsKeptIsRemembered(t *testing.T) {
	f := newFake(true)
	c := newCamera(t, f, "sam2-video")
	first := c.answered(10, true)
	if c.Len() != 0 {
		t.Error("an answer is remembered before it is believed")
	}
	if !c.Keep(first, 0) {
		t.Fatal("the first is not kept")
	}
	ten := c.answered(20, false)
	old, late := c.answered(15, false), c.answered(30, false)
	if got := f.attended().memories; !maps.Equal(got, map[float32]float32{1: 7}) {
		t.Errorf("what was not kept is shown: %v", got)
	}
	if !c.Keep(ten, 0) || c.Keep(old, 0) {
		t.Error("frame 20 is to be kept, and 15 no more after it")
	}
	correction := c.answered(12, true)
	if !c.Keep(correction, 0) || len(c.seqs()) != 2 || c.seqs()[1] != 12 {
		t.Errorf("the correction of frame 12 leaves %v, want 10 and 12", c.seqs())
	}
	if c.Keep(late, 0) {
		t.Error("what was asked before the correction is kept after it")
	}
	again := c.answered(40, false)
	c.Retell(1)
	if c.Keep(again, 0) {
		t.Error("what was asked before it was rejected is kept after it")
	}
	forgotten, corrected := c.answered(50, false), c.answered(50, true)
	c.Only(func(int64) bool { return false })
	if c.Keep(forgotten, 0) || c.Keep(corrected, 0) || c.Len() != 0 {
		t.Error("who has ended is remembered anew")
	}
	if _, err := c.Ask(60, []Ask{{ID: 1}}).Run(t.Context(), c.v, 0); err == nil {
		t.Error("who is forgotten is asked about by what is remembered")
	}
}

// TestBothLayoutsAnswerWithoutMemory, as a model that remembers nothing, and their graphs are freed with the last picture.
func TestBothLayoutsAnswerWithoutMemory(t *testing.T) {
	for _, name := range []string{"sam2-video", "sam2-video-single"} {
		f := newFake(true)
		c := newCamera(t, f, name)
		box := seg.Box{X0: .2, Y0: .2, X1: .8, Y1: .8}
		got, err := c.v.Decode(t.Context(), []seg.Prompt{click(.5, .5), {Box: &box}})
		if err != nil || len(got) != 2 {
			t.Fatal(name, err, got)
		}
		if n := len(f.asked["memory encoder"]); n != 0 || c.Len() != 0 {
			t.Errorf("%s: %d calls of the memory encoder for what nobody remembers", name, n)
		}
		f.occluded = true
		if got, err = c.v.Decode(t.Context(), []seg.Prompt{click(.5, .5)}); err != nil || got[0].Best() != nil {
			t.Errorf("%s: what is not in the picture: %v, %v", name, got, err)
		}
		if err := c.model.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.model.Embed(t.Context(), someFrame); !errors.Is(err, inference.ErrClosed) {
			t.Errorf("%s: a closed model encodes: %v", name, err)
		}
		if _, err := c.v.Decode(t.Context(), []seg.Prompt{click(.5, .5)}); err != nil {
			t.Errorf("%s: an open view of a closed model: %v", name, err)
		}
		if err := c.v.Close(); err != nil || c.model.life.users != 0 {
			t.Errorf("%s: %v, %d users", name, err, c.model.life.users)
		}
		if _, err := c.v.Decode(t.Context(), []seg.Prompt{click(.5, .5)}); !errors.Is(err, inference.ErrClosed) {
			t.Errorf("%s: a closed view answers: %v", name, err)
		}
		if err := c.v.Close(); !errors.Is(err, inference.ErrClosed) {
			t.Errorf("%s: a view is closed twice: %v", name, err)
		}
	}
}
