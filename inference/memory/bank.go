package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Bank is what one camera remembers of its objects. One goroutine uses it. Of each object there are at most 4 conditioning frames and 6
// others with their spatial memories (1 MiB each at 1024 pixels, 128 KiB for EdgeTAM), and 15 object pointers.
type Bank struct {
	model   *Model
	picture *inference.Picture
	objects []*object // by ID
	code    code
	space   space
	spare   [][]float32 // spatial memories that are no longer needed, for new ones
}

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
		q := &question{object: o, at: o.Now}
		if p, ok := asked[o.ID]; ok {
			q.prompt = &p
		}
		qs = append(qs, q)
	}
	return b.answer(ctx, f, append(qs, b.strangers(asked)...))
}

// Correct looks once more at the frame that Step saw last, for the objects that are asked about alone: what was remembered of this frame
// gives way to what a person said of it.
func (b *Bank) Correct(ctx context.Context, f *frame.Frame, asked map[int64]seg.Prompt) ([]Seen, error) {
	var qs []*question
	for _, o := range b.objects {
		if p, ok := asked[o.ID]; ok {
			qs = append(qs, &question{object: o, at: o.Now - 1, prompt: &p})
		}
	}
	return b.answer(ctx, f, append(qs, b.strangers(asked)...))
}

// strangers are those asked about of whom nothing is known.
func (b *Bank) strangers(asked map[int64]seg.Prompt) []*question {
	var qs []*question
	for id, p := range asked {
		if _, known := b.find(id); !known {
			qs = append(qs, &question{object: &object{ID: id}, prompt: &p})
		}
	}
	return qs
}

func (b *Bank) answer(ctx context.Context, f *frame.Frame, qs []*question) ([]Seen, error) {
	if len(qs) == 0 {
		return nil, nil
	}
	slices.SortFunc(qs, func(x, y *question) int { return cmp.Compare(x.object.ID, y.object.ID) })
	if len(qs) > maxObjects {
		return nil, fmt.Errorf("%d objects are too many: at most %d are remembered", len(qs), maxObjects)
	}
	for _, q := range qs {
		if q.prompt != nil {
			if err := b.model.refuse(q.prompt); err != nil {
				return nil, fmt.Errorf("object %d: %w", q.object.ID, err)
			}
		}
		q.memory = q.object.choose(q.at, b.model.timed)
	}
	t, placed := b.picture.Put(f)
	if err := b.model.graphs.look(ctx, b, &picture{t, placed, f.Width, f.Height}, qs); err != nil {
		return nil, fmt.Errorf("model %s: %w", b.model.name, err)
	}
	return b.keep(qs), nil
}

// keep remembers the answers.
func (b *Bank) keep(qs []*question) []Seen {
	out := make([]Seen, 0, len(qs))
	for _, q := range qs {
		q.made.At, q.made.Prompted = q.at, q.prompt != nil
		q.object.put(q.made, b.free)
		if i, known := b.find(q.object.ID); !known {
			b.objects = slices.Insert(b.objects, i, q.object)
		}
		q.seen.ID = q.object.ID
		out = append(out, q.seen)
	}
	return out
}

// maxSpare bounds what is kept for new memories.
const maxSpare = 8

func (b *Bank) free(features []float32) {
	if len(b.spare) < maxSpare {
		b.spare = append(b.spare, features)
	}
}

// hold is a copy of a spatial memory.
func (b *Bank) hold(features []float32) []float32 {
	if n := len(b.spare); n > 0 && len(b.spare[n-1]) == len(features) {
		own := b.spare[n-1]
		b.spare = b.spare[:n-1]
		copy(own, features)
		return own
	}
	return slices.Clone(features)
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

// Flush forgets all objects.
func (b *Bank) Flush() { b.objects, b.spare = nil, nil }

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
