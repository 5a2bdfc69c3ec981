package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// Errors of a command.
var (
	ErrUnknownObject = errors.New("no such object")
	ErrNoFrame       = errors.New("no frame has come from the camera yet")
	ErrOverloaded    = errors.New("too many prompts wait for the model")
	ErrFramesHeld    = errors.New("too many frames are held")
	ErrTooMany       = errors.New("too many objects are followed")
	ErrBadRequest    = errors.New("the command makes no sense now")
	ErrNothingFound  = errors.New("the model found nothing there")
	ErrMovedOn       = errors.New("the picture changed before the model could answer: ask again")
	errStopped       = errors.New("the pipeline has stopped")
	errPanicked      = errors.New("following objects failed, and starts afresh: the log has the reason")
)

// Request is a prompt for a new object, or for one that is followed already.
type Request struct {
	Object seg.ID // 0 makes a new one
	Name   string
	Prompt seg.Prompt
	Frame  uint64 // the frame that the author saw; 0 is the newest

	// Apart makes no object of what is followed already (FollowedError), be it a part of one of Kin or one of Kin a part of it.
	Apart bool
	Kin   []seg.ID
	// Perhaps says that the hidden or lost Object may be in the prompt's box: it is taken for it only if it looks like it.
	Perhaps bool
	// Idle has the prompt stand back behind what people wait for, as a routine keyframe does.
	Idle bool
}

// FollowedError is a prompt for an object apart whose answer is one that is followed already.
type FollowedError struct{ Object seg.ID }

func (e *FollowedError) Error() string {
	return fmt.Sprintf("it is followed already, as object %d", e.Object)
}

// Result is the answer to a Request.
type Result struct {
	Object    seg.Object
	Frame     uint64 // the frame that was decoded
	Requested uint64 // the frame that the prompt was taken to mean
	FrameGone bool   // the frame named had left the ring: the newest was used
}

// ticket is a prompt on its way to an answer. The loop owns it until it answers, once.
type ticket struct {
	Request
	id     seg.ID
	fresh  bool // the object was made for this prompt
	prompt seg.Prompt
	seq    uint64
	gone   bool
	result Result
	err    error
	done   chan struct{}
}

func (t *ticket) fail(err error) {
	t.err = err
	close(t.done)
}

// refuse answers a prompt, which waits no longer, with an error. An object that was made for it ends; of another it is taken back, with
// all that was said of it and waits, which is refused too.
func (p *Pipeline) refuse(t *ticket, err error) {
	if t.fresh {
		p.tr.Withdraw(t.id)
	} else {
		p.tr.Retract(t.id)
		for _, o := range p.takeWaiting(func(o *ticket) bool { return o.id == t.id && !o.fresh }) {
			o.fail(err)
		}
	}
	t.fail(err)
}

// takeWaiting are the prompts of a kind that waited; they wait no longer.
func (p *Pipeline) takeWaiting(which func(*ticket) bool) (taken []*ticket) {
	var rest []*ticket
	for _, t := range p.waiting {
		if which(t) {
			taken = append(taken, t)
		} else {
			rest = append(rest, t)
		}
	}
	p.waiting = rest
	return taken
}

// refuseAll does so with every prompt that waits.
func (p *Pipeline) refuseAll(err error) {
	p.queued.Store(0)
	for _, t := range p.takeWaiting(func(*ticket) bool { return true }) {
		p.refuse(t, err)
	}
}

// Prompt asks for an object and waits for the model's answer. A new object for which nothing is found is taken away
// again. When ctx ends first the prompt still runs its course.
func (p *Pipeline) Prompt(ctx context.Context, r Request) (Result, error) {
	t := &ticket{Request: r, done: make(chan struct{})}
	if err := p.call(ctx, func() { p.ask(t, r) }); err != nil {
		return Result{}, err
	}
	select {
	case <-t.done:
		return t.result, t.err
	case <-ctx.Done():
		return Result{}, fmt.Errorf("the model has not answered yet: %w", ctx.Err())
	case <-p.stopped:
		return Result{}, errStopped
	}
}

// ask takes a request into the walk.
func (p *Pipeline) ask(t *ticket, r Request) {
	newest := p.frames.newest()
	switch {
	case newest == nil:
		t.fail(ErrNoFrame)
		return
	case len(p.waiting) >= p.o.MaxWaiting:
		t.fail(ErrOverloaded)
		return
	}
	t.seq, t.prompt = newest.Seq, r.Prompt
	if r.Frame != 0 {
		t.seq, t.gone = p.named(r.Frame)
	}
	if err := p.enter(t, r); err != nil {
		t.fail(err)
		return
	}
	p.waiting = append(p.waiting, t)
	p.dispatch()
}

// named is the kept frame that a prompt means by its sequence: that very one, the nearest kept one where it was
// dropped, or the newest, and gone, where it is older than the ring or has not been yet.
func (p *Pipeline) named(seq uint64) (uint64, bool) {
	newest := p.frames.newest().Seq
	oldest := max(p.frames.frames[0].Seq, p.tr.Oldest())
	if seq < oldest || seq > newest {
		return newest, true
	}
	return p.frames.nearest(seq).Seq, false
}

// enter tells the tracker of the prompt.
func (p *Pipeline) enter(t *ticket, r Request) error {
	switch {
	case r.Perhaps && (t.gone || r.Prompt.Box == nil), r.Idle && t.gone:
		return ErrMovedOn
	case r.Perhaps:
		t.id = r.Object
		return objectError(p.tr.Suspect(r.Object, *r.Prompt.Box, t.seq))
	case r.Object != 0:
		t.id = r.Object
		return objectError(p.tr.Refine(r.Object, r.Prompt, t.seq))
	}
	p.objects = p.tr.Objects(p.objects[:0])
	if len(p.objects) >= p.o.MaxObjects {
		return fmt.Errorf("%w: at most %d", ErrTooMany, p.o.MaxObjects)
	}
	t.fresh = true
	t.id = p.tr.Add(r.Name, r.Prompt, t.seq)
	return nil
}

// frameForPrompt is the kept frame that the first waiting prompt needs encoded, of those that people wait for or of the idle ones, or nil.
func (p *Pipeline) frameForPrompt(idle bool) *frame.Frame {
	for _, t := range p.waiting {
		if t.Idle != idle || t.seq == p.embedFor || p.keyframeFor(t) != nil {
			continue
		}
		if f := p.frames.at(t.seq); f != nil {
			return f
		}
		if f := p.frames.newest(); f != nil { // the frame left the ring while the lane was busy
			if q, _, err := p.tr.Carry(t.prompt, t.seq, f.Seq); err == nil {
				t.prompt = q
			}
			t.seq, t.gone = f.Seq, true
			return f
		}
	}
	return nil
}

// settle answers a prompt that was decoded on frame seq.
func (p *Pipeline) settle(t *ticket, seq uint64, a tracker.Answer) {
	o, ok := p.tr.Object(t.id)
	t.result = Result{Object: o, Frame: seq, Requested: t.seq, FrameGone: t.gone}
	switch {
	case a.Err != nil:
		t.err = a.Err
	case empty(&a.Prediction), t.fresh && ok && o.Mask == nil && o.State == seg.Tentative:
		t.err = ErrNothingFound
	case ok && !t.fresh && o.Keyframe != seq:
		t.err = fmt.Errorf("%w that the object could be: it stays as it was", ErrNothingFound)
	case !ok && t.fresh:
		t.err = ErrMovedOn
	case !ok:
		t.err = ErrUnknownObject
	}
	if t.err != nil && t.fresh && ok {
		p.tr.Withdraw(t.id)
	}
	close(t.done)
}

// empty says that an answer has no mask, or one without a cell.
func empty(p *seg.Prediction) bool {
	best := p.Best()
	return best == nil || best.Logits != nil && !best.Logits.Box(seg.Threshold).Valid()
}

// failTickets answers the prompts that waited for frame seq to be encoded.
func (p *Pipeline) failTickets(seq uint64, err error) {
	for _, t := range p.takeWaiting(func(t *ticket) bool { return t.seq == seq }) {
		p.refuse(t, err)
	}
}

// call runs fn in the goroutine that owns the pipeline and waits for it.
func (p *Pipeline) call(ctx context.Context, fn func()) error {
	if p.o.Synchronous {
		p.ctx = ctx
		fn()
		return nil
	}
	done := make(chan error, 1)
	select {
	case p.calls <- func() { carryOut(done, fn) }:
	case <-p.stopped:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-p.stopped:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// carryOut runs a call and tells whoever waits for it how it went, also when it panics.
func carryOut(done chan<- error, fn func()) {
	err := errPanicked
	defer func() { done <- err }()
	fn()
	err = nil
}

// objectError is a tracker's refusal in the pipeline's words.
func objectError(err error) error {
	if errors.Is(err, tracker.ErrNoObject) {
		return ErrUnknownObject
	}
	return err
}

// Swap changes the model under the objects, which are asked about again on the next keyframe. The old model is the
// caller's to close, after Swap returns: no lane uses it then but for work that is under way.
func (p *Pipeline) Swap(ctx context.Context, m inference.Segmenter) error {
	return p.call(ctx, func() {
		p.useModel(m)
		p.flush()
		if p.latest != nil && !p.paused.Load() { // who asks before the next frame, which may take seconds, asks about this one
			w, h := p.info.Input(p.latest.Width, p.latest.Height)
			p.frames.add(p.latest, w, h)
		}
		p.forced = true
	})
}
