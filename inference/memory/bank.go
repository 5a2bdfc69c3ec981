package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Bank is what one camera remembers of its objects. One goroutine uses it; what it asks may be answered in others (Call). Of each object
// there are at most 4 conditioning frames and 6 others with their spatial memories (1 MiB each at 1024 pixels, 128 KiB for EdgeTAM), and 15
// object pointers.
type Bank struct {
	model   *Model
	objects []*object // by ID
	code    code
}

// NewBank is an empty memory for the objects of one camera.
func (m *Model) NewBank() *Bank { return &Bank{model: m} }

// code is what places a spatial memory, the same in every frame: learnt from the memory encoder, and saved with what it made.
type code struct {
	Shape []int64   // of one spatial memory
	Place []float32 // its position code, as many rows as the memory has tokens
	Times []float32 // what is added for each age: the last frame first, conditioning frames last
}

// space is the memory of one call's inputs, kept for the next.
type space struct {
	spatial, place, pointers, points, labels []float32
	age                                      [1]float32
}

// Step looks at the next frame: every object that is known, and those that are asked about. A prompt about a known object corrects it, on
// what is remembered. Answers are in the order of the ids, and the caller's. When it fails, nothing is remembered of this frame.
func (b *Bank) Step(ctx context.Context, f *frame.Frame, asked map[int64]seg.Prompt) ([]Seen, error) {
	var qs []*question
	for _, o := range b.objects {
		q := &question{id: o.ID, object: o, told: o.told, at: o.Now}
		if p, ok := asked[o.ID]; ok {
			q.prompt, q.person = &p, true
		}
		qs = append(qs, q)
	}
	return b.look(ctx, f, append(qs, b.strangers(asked)...))
}

// Correct looks once more at the frame that Step saw last, for the objects that are asked about alone: what was remembered of this frame
// gives way to what a person said of it.
func (b *Bank) Correct(ctx context.Context, f *frame.Frame, asked map[int64]seg.Prompt) ([]Seen, error) {
	var qs []*question
	for _, o := range b.objects {
		if p, ok := asked[o.ID]; ok {
			qs = append(qs, &question{id: o.ID, object: o, told: o.told, at: o.Now - 1, prompt: &p, person: true})
		}
	}
	return b.look(ctx, f, append(qs, b.strangers(asked)...))
}

// strangers are those asked about of whom nothing is known.
func (b *Bank) strangers(asked map[int64]seg.Prompt) []*question {
	var qs []*question
	for id, p := range asked {
		if !b.Knows(id) {
			qs = append(qs, &question{id: id, prompt: &p, person: true})
		}
	}
	return qs
}

// look asks about a frame, and remembers all of it.
func (b *Bank) look(ctx context.Context, f *frame.Frame, qs []*question) (out []Seen, err error) {
	if len(qs) == 0 {
		return nil, nil
	}
	if len(qs) > maxObjects {
		return nil, fmt.Errorf("%d objects are too many: at most %d are remembered", len(qs), maxObjects)
	}
	slices.SortFunc(qs, func(x, y *question) int { return cmp.Compare(x.id, y.id) })
	v, err := b.model.see(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	c := b.call(qs)
	if err := c.answer(ctx, v, qs); err != nil {
		return nil, err
	}
	for i, q := range qs {
		b.Keep(c, i)
		out = append(out, q.seen)
	}
	return out, nil
}

func (b *Bank) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(b.objects, id, func(o *object, id int64) int { return cmp.Compare(o.ID, id) })
}

// Forget forgets one object.
func (b *Bank) Forget(id int64) {
	if i, known := b.find(id); known {
		b.objects = slices.Delete(b.objects, i, i+1)
	}
}

// Retell forgets of one object all but what a person, or whoever began its memory, said it is.
func (b *Bank) Retell(id int64) {
	if i, known := b.find(id); known {
		o := b.objects[i]
		o.Records = slices.DeleteFunc(slices.Clone(o.Records), func(r record) bool { return !r.Prompted })
		o.Now = o.Records[len(o.Records)-1].At + 1
		o.told++
	}
}

// Only forgets whom the others do not follow any more.
func (b *Bank) Only(follows func(id int64) bool) {
	b.objects = slices.DeleteFunc(b.objects, func(o *object) bool { return !follows(o.ID) })
}

// Knows reports whether anything is remembered of an object.
func (b *Bank) Knows(id int64) bool {
	_, known := b.find(id)
	return known
}

// Takes reports whether a prompt is of a kind that the model can be asked with.
func (b *Bank) Takes(p *seg.Prompt) bool { return b.model.refuse(p) == nil }

// Flush forgets all objects.
func (b *Bank) Flush() { b.objects = nil }

// Len is the number of objects that are remembered.
func (b *Bank) Len() int { return len(b.objects) }

// Bytes is the memory that they take.
func (b *Bank) Bytes() int {
	n := 0
	for _, o := range b.objects {
		for _, r := range o.Records {
			n += 4 * (len(r.Features) + len(r.Pointer))
		}
	}
	return n
}
