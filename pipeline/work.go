package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// dispatch gives the free lanes their next work: prompts first, then the objects of a fresh keyframe, then a new one.
func (p *Pipeline) dispatch() {
	defer p.endTurn()
	p.dispatchPrompts(promptLane)
	p.dispatchPrompts(refreshLane)
	p.dispatchRefresh()
	p.dispatchEmbed()
	p.queued.Store(int64(len(p.waiting)))
}

// dispatchPrompts decodes waiting prompts whose embedding is there, all of one keyframe in one call: in their own lane those that people
// wait for, in that of the routine the idle ones, when it is the camera's turn.
func (p *Pipeline) dispatchPrompts(lane int) {
	idle := lane == refreshLane
	ready := func(t *ticket) bool { return t.Idle == idle && p.keyframeFor(t) != nil }
	if p.lanes.busy[lane].Load() || !slices.ContainsFunc(p.waiting, ready) || idle && !p.turn.take() {
		return
	}
	j := &job{lane: lane, model: p.model}
	var rest, refused []*ticket // their own memory: after a panic in between, all still wait and are told
	for _, t := range p.waiting {
		k := p.keyframeFor(t)
		if t.Idle != idle || k == nil || j.key != nil && j.key != k {
			rest = append(rest, t)
			continue
		}
		q, err := p.queryFor(t, k.seq)
		if err != nil {
			t.err, refused = err, append(refused, t)
			continue
		}
		j.key, j.emb, j.seq = k, k.emb, k.seq
		j.queries = append(j.queries, q)
		j.tickets = append(j.tickets, t)
	}
	p.waiting = rest
	for _, t := range refused {
		p.refuse(t, t.err)
	}
	if j.key != nil {
		j.key.users++
		j.recall = p.recall(j)
		p.prompting[lane] = j
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
		return adapt(p.correction(p.queries[0]), &p.info, &t.prompt), nil
	}
	if _, alive := p.tr.Object(t.id); alive {
		return tracker.Query{}, ErrMovedOn
	}
	return tracker.Query{}, fmt.Errorf("%w: it ended before its prompt was answered", ErrUnknownObject)
}

// promptWaits says whether somebody waits for the answer to a prompt about an object. It is not asked beside: the answer would not be
// theirs.
func (p *Pipeline) promptWaits(id seg.ID) bool {
	about := func(t *ticket) bool { return t.id == id }
	return slices.ContainsFunc(p.waiting, about) ||
		slices.ContainsFunc(p.prompting[:], func(j *job) bool { return j != nil && slices.ContainsFunc(j.tickets, about) })
}

// submit gives a job to its lane, or runs it here.
func (p *Pipeline) submit(j *job) {
	p.routine = p.routine || j.routine()
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
	defer p.endTurn()
	defer p.letGo(j)
	p.lanes.busy[j.lane].Store(false)
	if j.routine() {
		p.routine = false
	}
	if p.prompting[j.lane] == j {
		p.prompting[j.lane] = nil
	}
	p.o.Observe(frame.Stage{Name: laneStages[j.lane], Seq: j.seq, Began: j.began, Took: j.took})
	if j.model != p.model {
		p.discard(j) // the model was swapped meanwhile: its prompts are asked again
	} else if p.countFailures(j); j.lane == embedLane {
		p.embedded(j)
	} else {
		p.decoded(j)
	}
	if j.lane == refreshLane {
		p.endTurn() // the next part of the objects waits for its own
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
		case errors.As(err, &unsupported), !j.recall.asks(i) && q.Prompt.Validate() != nil:
			p.refusals.Add(1)
			p.o.Logger.Warn("the model takes no such prompt: it is left out", "object", q.ID, "lane", laneStages[j.lane], "err", err)
		default:
			failure = err
		}
	}
	return failure
}

// decoded takes the model's answers to the tracker and to those who asked.
func (p *Pipeline) decoded(j *job) {
	p.answers.Add(1)
	p.lastKeyframe.Store(max(p.lastKeyframe.Load(), j.seq))
	late := !p.tr.Remembers(j.seq)
	answers := make([]tracker.Answer, len(j.queries))
	for i, q := range j.queries {
		answers[i] = tracker.Answer{ID: q.ID, Prompt: q.Prompt, Err: j.errs[i]}
		if j.errs[i] == nil {
			answers[i].Prediction = clicked(&q.Prompt, j.predictions[i])
		}
		if late && len(j.tickets) > 0 && j.errs[i] == nil {
			answers[i].Err = ErrMovedOn
		}
		if len(j.tickets) > 0 && j.tickets[i].Apart && answers[i].Err == nil {
			answers[i].Err = p.apart(j.tickets[i], j.seq, &answers[i].Prediction)
		}
	}
	p.tr.Answer(j.seq, answers)
	p.remember(j, answers)
	for i, t := range j.tickets {
		p.settle(t, j.seq, answers[i])
	}
	j.tickets = nil
}

// apart says whether the answer to a prompt for an object of its own is one that is followed already.
func (p *Pipeline) apart(t *ticket, seq uint64, a *seg.Prediction) error {
	best := a.Best()
	if best == nil || best.Logits == nil {
		return nil
	}
	if id, same := p.tr.Same(seq, best.Logits, t.Kin); same {
		return &FollowedError{id}
	}
	return nil
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
	}
}

func (p *Pipeline) report(err error) {
	if err != nil {
		p.o.Logger.Error("closing an embedding", "err", err)
	}
}
