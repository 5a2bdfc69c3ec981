package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// dispatch gives the free lanes their next work: prompts first, then the objects of a fresh keyframe, then a new one.
func (p *Pipeline) dispatch() {
	p.dispatchPrompts()
	p.dispatchRefresh()
	p.dispatchEmbed()
	p.queued.Store(int64(len(p.waiting)))
}

// dispatchPrompts decodes waiting prompts whose embedding is there, all of one keyframe in one call.
func (p *Pipeline) dispatchPrompts() {
	if p.lanes.busy[promptLane].Load() || len(p.waiting) == 0 {
		return
	}
	j := &job{lane: promptLane, model: p.model}
	var rest []*ticket // its own memory: after a panic in between, all still wait and are told
	for _, t := range p.waiting {
		k := p.keyframeFor(t)
		if k == nil || j.key != nil && j.key != k {
			rest = append(rest, t)
			continue
		}
		q, err := p.queryFor(t, k.seq)
		if err != nil {
			p.refuse(t, err)
			continue
		}
		j.key, j.emb, j.seq = k, k.emb, k.seq
		j.queries = append(j.queries, q)
		j.tickets = append(j.tickets, t)
	}
	p.waiting = rest
	if j.key != nil {
		j.key.users++
		p.prompting = j
		p.submit(j)
	}
}

// keyframeFor is the kept keyframe on which a waiting prompt is decoded, or nil if its frame is to be encoded first.
func (p *Pipeline) keyframeFor(t *ticket) *keyframe {
	return p.keys.best(t.seq, p.o.MinTrust, func(to uint64) float64 {
		_, trust, err := p.tr.Carry(t.prompt, t.seq, to)
		if err != nil {
			return 0
		}
		return trust
	})
}

// queryFor is what to ask the model for a waiting prompt.
func (p *Pipeline) queryFor(t *ticket, seq uint64) (tracker.Query, error) {
	p.queries = p.tr.Query(seq, []seg.ID{t.id}, p.queries[:0])
	if len(p.queries) > 0 {
		return adapt(p.queries[0], &p.info, &t.prompt), nil
	}
	if _, alive := p.tr.Object(t.id); alive {
		return tracker.Query{}, ErrMovedOn
	}
	return tracker.Query{}, fmt.Errorf("%w: it ended before its prompt was answered", ErrUnknownObject)
}

// refreshPart is how many objects of a routine keyframe are decoded in one call. Their questions and answers are the loop's work, which a
// frame that has come must not wait for.
const refreshPart = 16

// dispatchRefresh decodes the objects that want it on the newest routine keyframe, a part of them at a time.
func (p *Pipeline) dispatchRefresh() {
	k := p.refresh
	if k == nil || p.lanes.busy[refreshLane].Load() {
		return
	}
	j := &job{lane: refreshLane, model: p.model, key: k, emb: k.emb, seq: k.seq}
	for more := k.emb != nil; more && len(j.queries) == 0; {
		p.queries = p.tr.QueryPart(k.seq, refreshPart, p.queries[:0])
		more = len(p.queries) > 0
		for _, q := range p.queries {
			if q = adapt(q, &p.info, nil); !p.promptWaits(q.ID) && k.shows(&q.Prompt) && q.Prompt.Validate() == nil {
				j.queries = append(j.queries, q)
			}
		}
	}
	if len(j.queries) == 0 {
		p.report(p.endRefresh())
		return
	}
	k.users++
	p.submit(j)
}

// promptWaits says whether somebody waits for the answer to a prompt about an object. It is not asked beside: the answer would not be
// theirs.
func (p *Pipeline) promptWaits(id seg.ID) bool {
	about := func(t *ticket) bool { return t.id == id }
	return slices.ContainsFunc(p.waiting, about) || p.prompting != nil && slices.ContainsFunc(p.prompting.tickets, about)
}

// dispatchEmbed encodes the frame that a prompt waits for, else the newest frame if the tracker wants a keyframe.
func (p *Pipeline) dispatchEmbed() {
	if p.lanes.busy[embedLane].Load() {
		return
	}
	f, part := p.frameForPrompt(), (*crop)(nil)
	asked := f != nil
	if !asked {
		if f = p.frameForRefresh(); f == nil {
			return
		}
		f, part = p.cropped(f)
	}
	p.forced = false
	p.embedFor, p.encoded = f.Seq, f.Seq
	p.submit(&job{lane: embedLane, model: p.model, frame: f.Retain(), crop: part, seq: f.Seq, asked: asked, begins: p.embedBegins})
}

// embedBegins notes when the model begins with a frame: what went before was waiting for its turn.
func (p *Pipeline) embedBegins() {
	now := time.Now()
	p.embedSince.Store(&now)
}

// cropped is what to encode for a routine keyframe of a reduced frame: the part of the full frame that the tracker wants to see, or the
// reduced frame.
func (p *Pipeline) cropped(f *frame.Frame) (*frame.Frame, *crop) {
	box, ok := p.tr.Crop()
	if !ok || p.forced || p.latest == nil || p.latest.Seq != f.Seq {
		return f, nil
	}
	return p.latest, p.crop.set(p.info, p.latest.Width, p.latest.Height, box)
}

// frameForRefresh is the newest frame, if the tracker wants a keyframe and the last one's objects are decoded.
func (p *Pipeline) frameForRefresh() *frame.Frame {
	want := p.tr.WantKeyframe() && (p.scene.Shows() || p.scene == frame.SceneFrozen)
	f := p.frames.newest()
	if !want && !p.forced || p.refresh != nil || p.lanes.busy[refreshLane].Load() || f == nil || f.Seq == p.encoded {
		return nil
	}
	return f
}

// submit gives a job to its lane, or runs it here.
func (p *Pipeline) submit(j *job) {
	if !p.o.Synchronous {
		p.lanes.submit(j)
		return
	}
	p.lanes.busy[j.lane].Store(true)
	j.run(p.ctx)
	if p.o.Delay > 0 && j.lane == embedLane && !j.asked {
		p.late = j
		return
	}
	p.finish(j)
}

// arrive takes a delayed keyframe into the walk when its time is up.
func (p *Pipeline) arrive() {
	if j := p.late; j != nil && p.ref.Seq >= j.seq+uint64(p.o.Delay) {
		p.late = nil
		p.finish(j)
	}
}

// finish takes a lane's result into the walk.
func (p *Pipeline) finish(j *job) {
	defer p.letGo(j)
	p.lanes.busy[j.lane].Store(false)
	if j.lane == promptLane {
		p.prompting = nil
	}
	p.o.Observe(laneStages[j.lane], j.took)
	if p.o.Turns != nil && j.lane != promptLane && !j.asked {
		p.o.Observe("turn", j.waited)
	}
	if j.model != p.model {
		p.discard(j) // the model was swapped meanwhile: its prompts are asked again
	} else if p.countFailures(j); j.lane == embedLane {
		p.embedded(j)
	} else {
		p.decoded(j)
	}
	if p.fatal == nil {
		p.dispatch()
	}
	p.news()
}

// countFailures counts and logs what a job was not answered, and ends the pipeline after too many jobs in a row that were not answered at
// all. A prompt that the family cannot take is refused, which is no failure; nor is work that was called off.
func (p *Pipeline) countFailures(j *job) {
	failure := j.err
	if j.lane != embedLane {
		failure = p.countRefusals(j)
	}
	switch {
	case failure == nil || errors.Is(failure, context.Canceled):
	default:
		p.modelErrors.Add(1)
		attrs := []any{"lane", laneStages[j.lane], "frame", j.seq, "err", failure}
		if panicked, ok := errors.AsType[*panicError](failure); ok {
			attrs = append(attrs, "stack", string(panicked.stack))
		}
		p.o.Logger.Error("the model failed", attrs...)
		if p.failures++; j.err != nil && p.failures >= p.o.MaxErrors {
			p.fatal = fmt.Errorf("pipeline: the model failed %d times in a row, last on frame %d: %w", p.failures, j.seq, failure)
		}
	}
	if j.err == nil {
		p.failures = 0
	}
}

// countRefusals counts the queries of a decode that were refused and returns a failure among the others, if there was one.
func (p *Pipeline) countRefusals(j *job) (failure error) {
	for i, err := range j.errs {
		var unsupported *inference.UnsupportedError
		q := &j.queries[i]
		switch {
		case err == nil:
		case errors.As(err, &unsupported), q.Prompt.Validate() != nil:
			p.refusals.Add(1)
			p.o.Logger.Warn("the model takes no such prompt: it is left out", "object", q.ID, "lane", laneStages[j.lane], "err", err)
		default:
			failure = err
		}
	}
	return failure
}

// embedded keeps a fresh embedding.
func (p *Pipeline) embedded(j *job) {
	p.letGoFrame(j)
	if j.err != nil {
		p.failTickets(j.seq, j.err)
		return
	}
	p.keyframes.Add(1)
	if f, ok := j.embedding.(inference.Featured); ok {
		p.tr.See(j.seq, f.Features())
	}
	k := &keyframe{seq: j.seq, emb: j.embedding, part: everything}
	j.embedding = nil
	if j.seq < p.tr.Oldest() {
		// So late that nothing can be carried from it to the present. Prompts that waited for it are asked anew.
		if !p.tardy {
			p.o.Logger.Warn("keyframes come too late to be of use", "frame", j.seq, "took", j.took, "waited", j.waited)
		}
		p.tardy = true
		p.report(k.evict())
		return
	}
	if p.tardy {
		p.o.Logger.Info("keyframes come in time again", "frame", j.seq)
	}
	p.tardy = false
	p.report(p.endRefresh())
	k.users++
	p.refresh = k
	if j.crop != nil {
		k.part = j.crop.box
		k.evicted = true // a prompt may lie outside it: it serves the objects that it was made for, once
		return
	}
	p.report(p.keys.add(k))
}

// decoded takes the model's answers to the tracker and to those who asked.
func (p *Pipeline) decoded(j *job) {
	p.answers.Add(1)
	p.lastKeyframe.Store(max(p.lastKeyframe.Load(), j.seq))
	answers := make([]tracker.Answer, len(j.queries))
	for i, q := range j.queries {
		answers[i] = tracker.Answer{ID: q.ID, Prompt: q.Prompt, Err: j.errs[i]}
		if j.errs[i] == nil {
			answers[i].Prediction = clicked(&q.Prompt, j.predictions[i])
		}
	}
	p.tr.Answer(j.seq, answers)
	for i, t := range j.tickets {
		p.settle(t, j.seq, answers[i])
	}
	j.tickets = nil
}

// discard lets go of a result without using it: its prompts wait again.
func (p *Pipeline) discard(j *job) {
	p.waiting = append(p.waiting, j.tickets...)
	j.tickets = nil
	p.letGo(j)
}

// letGo gives back what a result holds. Prompts that it has left, after a panic, are told so.
func (p *Pipeline) letGo(j *job) {
	p.letGoFrame(j)
	if j.embedding != nil {
		p.report(j.embedding.Close())
		j.embedding = nil
	}
	if j.key != nil {
		p.report(j.key.done())
		j.key = nil
	}
	for _, t := range j.tickets {
		p.refuse(t, errPanicked)
	}
	j.tickets = nil
}

// letGoFrame gives the frame of an embed job back.
func (p *Pipeline) letGoFrame(j *job) {
	if j.frame != nil {
		j.frame.Release()
		j.frame = nil
		p.embedFor = 0
		p.embedSince.Store(nil)
	}
}

// endRefresh gives up the routine keyframe that waits for the refresh lane.
func (p *Pipeline) endRefresh() error {
	k := p.refresh
	p.refresh = nil
	if k == nil {
		return nil
	}
	return k.done()
}

func (p *Pipeline) report(err error) {
	if err != nil {
		p.o.Logger.Error("closing an embedding", "err", err)
	}
}
