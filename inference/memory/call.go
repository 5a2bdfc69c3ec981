package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Ask is what is asked about one object in a frame of the camera.
type Ask struct {
	ID int64
	// Prompt says what the object is there, and makes the frame a conditioning one. Nil asks by what is remembered.
	Prompt *seg.Prompt
	Person bool // the prompt is a person's: it is believed more than what was remembered of this frame and of later ones
}

// Call is what a camera asks about one frame. What is remembered is chosen when it is made, so it may be run in any goroutine while the
// Bank goes on; nothing of it is remembered before the Bank is told to keep it.
type Call struct {
	model *Model
	code  code
	qs    []*question
	plain bool // nothing of it will be remembered
}

// work is one run of the graphs: memory for their inputs, and what places memories, as far as it is known.
type work struct {
	space *space
	code  code
	plain bool // nothing of it is to be remembered
}

// Ask makes a Call about frame seq of the camera.
func (b *Bank) Ask(seq uint64, as []Ask) *Call {
	qs := make([]*question, len(as))
	for i, a := range as {
		q := &question{id: a.ID, seq: seq, prompt: a.Prompt, person: a.Person && a.Prompt != nil}
		if k, known := b.find(a.ID); known {
			q.object = b.objects[k]
			q.told, q.at = q.object.told, q.object.at(seq)
		}
		qs[i] = q
	}
	return b.call(qs)
}

func (b *Bank) call(qs []*question) *Call {
	for _, q := range qs {
		if q.object != nil {
			q.memory = q.object.choose(q.at, b.model.timed)
		}
	}
	return &Call{model: b.model, code: b.code, qs: qs}
}

// Run asks some of the questions, by their index, about what the model saw of the frame, and gives their answers in that order. An object
// that the model does not see has an empty answer. It may be called by one goroutine at a time.
func (c *Call) Run(ctx context.Context, e inference.Embedding, at ...int) ([]seg.Prediction, error) {
	v, ok := e.(*View)
	if !ok || v.model != c.model {
		return nil, fmt.Errorf("model %s: it is asked about what another model saw", c.model.name)
	}
	if len(at) == 0 {
		return nil, nil
	}
	qs := make([]*question, len(at))
	for i, k := range at {
		qs[i] = c.qs[k]
	}
	if err := c.answer(ctx, v, slices.Clone(qs)); err != nil {
		return nil, err
	}
	out := make([]seg.Prediction, len(qs))
	for i, q := range qs {
		var err error
		if out[i], err = c.prediction(v, q); err != nil {
			return nil, fmt.Errorf("model %s: object %d: %w", c.model.name, q.id, err)
		}
	}
	return out, nil
}

// prediction is an answer in the engine's words.
func (c *Call) prediction(v *View, q *question) (seg.Prediction, error) {
	if v.flat || !q.seen.Present() {
		return seg.Prediction{}, nil
	}
	iou := q.seen.IoU
	if !c.model.scored {
		iou = q.seen.Logits.StabilityScore(1)
	}
	p := q.prompt
	if p == nil {
		p = &seg.Prompt{}
	}
	return inference.OneMask(q.seen.Logits, iou, p)
}

// answer has the graphs answer questions. Their order may change.
func (c *Call) answer(ctx context.Context, v *View, qs []*question) error {
	for _, q := range qs {
		if q.prompt != nil {
			if err := c.model.refuse(q.prompt); err != nil {
				return fmt.Errorf("object %d: %w", q.id, err)
			}
		} else if q.memory.last == nil {
			return fmt.Errorf("object %d: nothing is remembered of it, and nothing was said", q.id)
		}
	}
	if err := v.use.take(); err != nil {
		return fmt.Errorf("decode: the embedding: %w", err)
	}
	defer func() { _ = v.use.give() }()
	w := &work{space: c.model.takeSpace(), code: c.code, plain: c.plain}
	defer c.model.giveSpace(w.space)
	if err := c.model.graphs.answer(ctx, w, &v.picture, qs); err != nil {
		return fmt.Errorf("model %s: %w", c.model.name, err)
	}
	c.code = w.code
	for _, q := range qs {
		q.seen.ID = q.id
		q.made.At, q.made.Seq, q.made.Prompted = q.at, q.seq, q.prompt != nil
	}
	return nil
}

// Keep remembers the answer to question i of a call that was run: until then it is only an answer, which may be wrong. What has become
// known of the object since counts more, unless a person says otherwise. It reports whether it is remembered.
func (b *Bank) Keep(c *Call, i int) bool {
	q := c.qs[i]
	if q.made.Features == nil || c.model != b.model {
		return false
	}
	k, known := b.find(q.id)
	switch {
	case known != (q.object != nil), known && b.objects[k] != q.object: // forgotten meanwhile, or begun by another answer
		if !known || !q.person {
			return false
		}
	case known && !q.person && (q.told != q.object.told || q.seq != 0 && q.object.newest() >= q.seq):
		return false
	case !known && (q.prompt == nil || len(b.objects) >= maxObjects):
		return false
	}
	if b.code.Shape == nil {
		b.code = c.code
	}
	if !known {
		b.objects = slices.Insert(b.objects, k, &object{ID: q.id})
	}
	o := b.objects[k]
	if q.person {
		o.told++
	}
	o.put(q.made)
	return true
}
