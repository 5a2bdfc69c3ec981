package memory

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// attended is what one call of the memory attention was shown of one object: the memories with the age code of each, the pointers, and the
// first pointer's age. Memory and pointer of time t are t+1, while there is one object.
type attended struct {
	memories map[float32]float32
	pointers []float32
	age      float32
}

func (f *fakeModel) attended() attended {
	last := f.asked["memory attention"][len(f.asked["memory attention"])-1]
	a := attended{memories: map[float32]float32{}}
	place, memories, pointers := of(last, "memory_pos_embed"), of(last, "memory_1"), of(last, "memory_0")
	size := int(f.tokens()) * 64
	for i := range int(memories.Shape[1]) {
		a.memories[memories.Float32[i*size]] = place.Float32[i*size]
	}
	for i := range int(pointers.Shape[1]) {
		a.pointers = append(a.pointers, pointers.Float32[i*256])
	}
	if f.timed {
		a.age = of(last, "cond_frame_id_diff").Float32[0]
	}
	return a
}

// upstream says what SAM 2 attends to at this time, from the sentences of its paper and the names of its settings: every frame that was
// prompted, with the last code; the six before now that were not, the last frame with the first code; pointers of all of those and as many of
// the 15 frames before now as there are.
func upstream(now int, prompted ...int) (memories map[float32]float32, pointers map[float32]int) {
	memories, pointers = map[float32]float32{}, map[float32]int{}
	for _, t := range prompted {
		memories[float32(t+1)], pointers[float32(t+1)] = 7, now-t
	}
	for age := 1; age <= 15 && age <= now; age++ {
		m := float32(now - age + 1)
		pointers[m] = age
		if _, ok := memories[m]; !ok && age <= 6 {
			memories[m] = float32(age)
		}
	}
	return memories, pointers
}

func TestAFrameIsShownWhatUpstreamShowsIt(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video").NewBank()
	step(t, b, ask(1, click(.5, .5)))
	prompted := []int{0}
	for now := 1; now < 40; now++ {
		asked := map[int64]seg.Prompt{}
		if now == 8 || now == 30 {
			asked = ask(1, click(.25, .5))
		}
		step(t, b, asked)
		got := f.attended()
		memories, pointers := upstream(now, prompted...)
		if !maps.Equal(got.memories, memories) {
			t.Errorf("frame %d: memories by age %v, want %v", now, got.memories, memories)
		}
		// The graph takes the first pointer's age and believes that the others are 1, 2, 3 … frames old.
		for i, p := range got.pointers {
			age := i
			if i == 0 {
				age = int(got.age)
			}
			if pointers[p] != age {
				t.Errorf("frame %d: the pointer of frame %v is said to be %d old, and is %d", now, p-1, age, pointers[p])
			}
		}
		left := len(pointers) - len(got.pointers)
		if far := max(len(prompted)-1, 0); left > far || now <= 15 && left != 0 {
			t.Errorf("frame %d: %d pointers are left out; only of %d conditioning frames that are long past may one be", now, left, far)
		}
		if len(asked) > 0 {
			prompted = append(prompted, now)
		}
	}
}

func TestPointersWithoutTimeAreAllShown(t *testing.T) {
	f := newFake(false)
	b := f.open(t, "sam2-video").NewBank()
	step(t, b, ask(1, click(.5, .5)))
	prompted := []int{0}
	for now := 1; now < 40; now++ {
		step(t, b, map[bool]map[int64]seg.Prompt{true: ask(1, click(.25, .5))}[now == 8])
		memories, pointers := upstream(now, prompted...)
		got := f.attended()
		if want := slices.Sorted(maps.Keys(pointers)); !maps.Equal(got.memories, memories) || !slices.Equal(slices.Sorted(slices.Values(got.pointers)), want) {
			t.Errorf("frame %d: memories %v, pointers %v, want %v, %v", now, got.memories, got.pointers, memories, want)
		}
		if now == 8 {
			prompted = append(prompted, now)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video").NewBank()
	step(t, b, ask(1, click(.5, .5)))
	most := 0
	for i := range 200 {
		asked := map[int64]seg.Prompt{}
		if i%20 == 0 { // ten corrections
			asked = ask(1, click(.5, .5))
		}
		step(t, b, asked)
		most = max(most, b.Bytes())
	}
	size := 4 * (64*fakeCells*fakeCells*(maxConditioning+recent) + 256*(maxConditioning+pointers))
	if most > size {
		t.Errorf("%d bytes at most, want no more than %d", most, size)
	}
	if got := f.attended().memories; got[1] != 7 || got[182] != 7 {
		t.Errorf("the first and the newest conditioning frame are not both remembered: %v", got)
	}
	many := map[int64]seg.Prompt{}
	for id := range int64(maxObjects + 1) {
		many[id] = click(.5, .5)
	}
	if _, err := b.Step(t.Context(), someFrame, many); err == nil || !strings.Contains(err.Error(), "at most 64") {
		t.Errorf("65 objects: %v", err)
	}
}

func TestOnePassOfTheEncoderServesAllObjects(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video").NewBank()
	step(t, b, map[int64]seg.Prompt{7: click(.5, .5), 3: click(.25, .5)})
	for range 3 {
		if out := step(t, b, nil); len(out) != 2 || out[0].ID != 3 || out[1].ID != 7 || !out[0].Present() || out[0].IoU != .75 {
			t.Fatalf("%+v", out)
		}
	}
	step(t, b, ask(9, click(.75, .5)))
	step(t, b, nil)
	// 3 and 7 share calls, being alike; 9 is younger, so what it is shown has another size.
	for role, want := range map[string]int{"image encoder": 6, "memory attention": 4 + 1 + 1, "mask decoder": 2 + 3 + 2 + 2, "memory encoder": 2 + 3 + 2 + 2} {
		if got := len(f.asked[role]); got != want {
			t.Errorf("%s: %d calls, want %d", role, got, want)
		}
	}
	if n := of(f.asked["memory attention"][2], "memory_1").Shape[0]; n != 2 {
		t.Errorf("a call for %d objects, want 2", n)
	}
}

func TestACorrectionRewritesTheFrame(t *testing.T) {
	f := newFake(true)
	b := f.open(t, "sam2-video").NewBank()
	step(t, b, ask(1, click(.5, .5)))
	step(t, b, nil) // memory 2
	if out, err := b.Correct(t.Context(), someFrame, ask(1, click(.25, .5))); err != nil || len(out) != 1 {
		t.Fatal(out, err)
	}
	if got := f.attended().memories; !maps.Equal(got, map[float32]float32{1: 7}) {
		t.Errorf("the correction is shown %v, want what came before its frame alone", got)
	}
	step(t, b, nil)
	if got := f.attended(); !maps.Equal(got.memories, map[float32]float32{1: 7, 3: 7}) || !slices.Equal(got.pointers, []float32{1, 3}) || got.age != 2 {
		t.Errorf("after the correction %+v, want memory 3 in the place of 2, as a conditioning frame", got)
	}
	if _, err := b.Correct(t.Context(), someFrame, ask(2, click(.75, .5))); err != nil || b.Len() != 2 {
		t.Errorf("an object that a person sees later on the same frame: %v, %d objects", err, b.Len())
	}
}

func TestOcclusionIsTold(t *testing.T) {
	for _, name := range []string{"sam2-video", "sam2-video-single"} {
		f := newFake(true)
		b := f.open(t, name).NewBank()
		step(t, b, ask(1, click(.5, .5)))
		f.occluded = true
		if out := step(t, b, nil); out[0].Present() || out[0].Occlusion != -3 {
			t.Errorf("%s: %+v", name, out[0])
		}
		f.occluded = false
		if out := step(t, b, nil); !out[0].Present() {
			t.Errorf("%s: it does not come back", name)
		}
	}
}

func TestAFailureRemembersNothing(t *testing.T) {
	for _, role := range []string{"image encoder", "memory attention", "mask decoder", "memory encoder"} {
		f := newFake(true)
		b := f.open(t, "sam2-video").NewBank()
		step(t, b, ask(1, click(.5, .5)))
		before := b.Bytes()
		f.fail = role
		if _, err := b.Step(t.Context(), someFrame, nil); err == nil || !strings.Contains(err.Error(), "out of memory") {
			t.Errorf("%s: %v", role, err)
		}
		if b.Bytes() != before || b.Len() != 1 {
			t.Errorf("%s: something of the frame is remembered", role)
		}
		f.fail = ""
		step(t, b, nil)
		if got := f.attended().age; got != 1 {
			t.Errorf("%s: the next frame is %v after the first, want 1", role, got)
		}
	}
}

func TestMemoryIsSavedAndFlushed(t *testing.T) {
	for _, timed := range []bool{true, false} {
		f := newFake(timed)
		m := f.open(t, "sam2-video")
		b := m.NewBank()
		step(t, b, map[int64]seg.Prompt{1: click(.5, .5), 2: click(.25, .5)})
		for range 9 {
			step(t, b, nil)
		}
		var file bytes.Buffer
		if err := b.Save(&file); err != nil {
			t.Fatal(err)
		}
		data := file.Bytes()
		other := m.NewBank()
		if err := other.Load(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		step(t, b, nil)
		want := f.attended()
		step(t, other, nil)
		got := f.attended()
		if !maps.Equal(got.memories, want.memories) || !slices.Equal(got.pointers, want.pointers) || got.age != want.age {
			t.Errorf("after a restart %+v is shown, want %+v", got, want)
		}
		for name, cut := range map[string][]byte{"nothing": nil, "half": data[:len(data)/2], "no gob": []byte("<html>")} {
			if err := other.Load(bytes.NewReader(cut)); err == nil || other.Len() != 2 {
				t.Errorf("%s: %v, %d objects", name, err, other.Len())
			}
		}
		if err := f.open(t, "sam2-video-single").NewBank().Load(bytes.NewReader(data)); !errors.Is(err, ErrOther) {
			t.Errorf("the memory of another model: %v", err)
		}
		b.Forget(1)
		b.Forget(5)
		if out := step(t, b, nil); len(out) != 1 || out[0].ID != 2 {
			t.Errorf("after Forget: %+v", out)
		}
		b.Flush()
		if out := step(t, b, nil); b.Len()+b.Bytes()+len(out) != 0 {
			t.Errorf("after Flush: %d objects, %d bytes", b.Len(), b.Bytes())
		}
	}
}

func TestForgedMemoriesAreRefused(t *testing.T) {
	f := newFake(true)
	for name, spoil := range map[string]func(o *object){
		"no record":                func(o *object) { o.Records = nil },
		"not prompted":             func(o *object) { o.Records[0].Prompted = false },
		"a memory of another size": func(o *object) { o.Records[0].Features = o.Records[0].Features[:9] },
		"no memory":                func(o *object) { o.Records[0].Features = nil },
		"no pointer":               func(o *object) { o.Records[0].Pointer = nil },
		"from the future":          func(o *object) { o.Records[0].At = 99 },
		"too many records":         func(o *object) { o.Records = slices.Repeat(o.Records, 20) },
	} {
		m := f.open(t, "sam2-video")
		b := m.NewBank()
		step(t, b, ask(1, click(.5, .5)))
		spoil(b.objects[0])
		var file bytes.Buffer
		if err := b.Save(&file); err != nil {
			t.Fatal(err)
		}
		if err := m.NewBank().Load(&file); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestPromptsInTheModelsFrame(t *testing.T) {
	f := newFake(true)
	wide := frame.New(200, 100)
	p := seg.Prompt{Box: &seg.Box{X0: .25, Y0: .5, X1: .75, Y1: 1}, Clicks: []seg.Click{{Point: seg.Point{X: .5, Y: .75}, Label: seg.Negative}}}
	if _, err := f.open(t, "sam2-video").NewBank().Step(t.Context(), wide, ask(1, p)); err != nil {
		t.Fatal(err)
	}
	in := f.asked["mask decoder"][0]
	// squashed to 64×64; the decoder adds half a pixel; a box is its corners, labelled 2 and 3
	if got, want := of(in, "point_coords").Float32, []float32{15.5, 31.5, 47.5, 63.5, 31.5, 47.5}; !slices.Equal(got, want) {
		t.Errorf("points %v, want %v", got, want)
	}
	if got := of(in, "point_labels").Float32; !slices.Equal(got, []float32{2, 3, 0}) {
		t.Errorf("labels %v", got)
	}
	for name, p := range map[string]seg.Prompt{
		"text prompts": {Text: "cup"}, "mask prompts": {Mask: &seg.Logits{W: 1, H: 1, Extent: seg.Point{X: 1, Y: 1}, Data: []float32{1}}},
	} {
		_, err := f.open(t, "sam2-video").NewBank().Step(t.Context(), wide, ask(1, p))
		if u := (*inference.UnsupportedError)(nil); !errors.As(err, &u) || u.Kind != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatAnExporterLeavesOut: EdgeTAM's memory encoder does not use the occlusion score, and takes none; SAM 2.1's does, and is given it.
func TestWhatAnExporterLeavesOut(t *testing.T) {
	for _, takes := range []bool{false, true} {
		files := newFake(false).files("sam2-video")
		for i := range files {
			if c := files[i].Says; takes && has(c.Inputs, "mask_for_mem") {
				c.Inputs = append(c.Inputs, port("occ_logit"))
			}
		}
		if r, err := Recognise(files...); err != nil || r.Name != "sam2-video" {
			t.Errorf("with occ_logit %v: %v", takes, err)
		}
	}
}
