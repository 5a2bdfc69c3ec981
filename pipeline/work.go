package pipeline

import (
	"context"
	"errors"
	"fmt"
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
}

// dispatchPrompts decodes waiting prompts whose embedding is there, all of one keyframe in one call.
func (p *Pipeline) dispatchPrompts() {
	if p.lanes.busy[promptLane] || len(p.waiting) == 0 {
		return
	}
	j := &job{lane: promptLane, model: p.model}
	rest := p.waiting[:0]
	for _, t := range p.waiting {
		k := p.keyframeFor(t)
		if k == nil || j.key != nil && j.key != k {
			rest = append(rest, t)
			continue
		}
		q, err := p.queryFor(t, k.seq)
		if err != nil {
			t.fail(err)
			continue
		}
		if j.key == nil {
			j.key, j.emb, j.seq = k, k.emb, k.seq
			k.users++
		}
		j.queries = append(j.queries, q)
		j.tickets = append(j.tickets, t)
	}
	clear(p.waiting[len(rest):])
	p.waiting = rest
	if j.key != nil {
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
	if len(p.queries) == 0 {
		return tracker.Query{}, fmt.Errorf("%w: it ended before its prompt was answered", ErrUnknownObject)
	}
	return adapt(p.queries[0], p.info.Kinds), nil
}

// refreshPart is how many objects of a routine keyframe are decoded in one call. Their questions and answers are the loop's work, which a frame
// that has come must not wait for.
const refreshPart = 16

// dispatchRefresh decodes the objects that want it on the newest routine keyframe, a part of them at a time.
func (p *Pipeline) dispatchRefresh() {
	k := p.refresh
	if k == nil || p.lanes.busy[refreshLane] {
		return
	}
	p.queries = p.tr.QueryPart(k.seq, refreshPart, p.queries[:0])
	if len(p.queries) == 0 || k.emb == nil {
		p.report(p.endRefresh())
		return
	}
	k.users++
	j := &job{lane: refreshLane, model: p.model, key: k, emb: k.emb, seq: k.seq}
	for _, q := range p.queries {
		j.queries = append(j.queries, adapt(q, p.info.Kinds))
	}
	p.submit(j)
}

// dispatchEmbed encodes the frame that a prompt waits for, else the newest frame if the tracker wants a keyframe.
func (p *Pipeline) dispatchEmbed() {
	if p.lanes.busy[embedLane] {
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
	p.embedSince.Store(time.Now().UnixNano())
	p.submit(&job{lane: embedLane, model: p.model, frame: f.Retain(), crop: part, seq: f.Seq, asked: asked})
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
	want, _ := p.tr.WantKeyframe()
	f := p.frames.newest()
	if !want && !p.forced || p.refresh != nil || p.lanes.busy[refreshLane] || f == nil || f.Seq == p.encoded {
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
	p.lanes.busy[j.lane] = true
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
	p.lanes.busy[j.lane] = false
	p.o.Observe(laneStages[j.lane], j.took)
	p.countFailure(j)
	if j.model != p.model {
		p.discard(j) // the model was swapped meanwhile: its prompts are asked again
	} else if j.lane == embedLane {
		p.embedded(j)
	} else {
		p.decoded(j)
	}
	if p.fatal == nil {
		p.dispatch()
	}
	p.news()
}

// countFailure ends the pipeline after too many failures in a row. A prompt that the family cannot take, or work that was called off, is no failure.
func (p *Pipeline) countFailure(j *job) {
	var unsupported *inference.UnsupportedError
	switch {
	case j.err == nil:
		p.failures = 0
	case errors.As(j.err, &unsupported), errors.Is(j.err, context.Canceled):
	default:
		p.modelErrors.Add(1)
		if p.failures++; p.failures >= p.o.MaxErrors {
			p.fatal = fmt.Errorf("pipeline: the model failed %d times in a row, last on frame %d: %w", p.failures, j.seq, j.err)
		}
		p.o.Logger.Error("the model failed", "lane", laneStages[j.lane], "frame", j.seq, "err", j.err)
	}
}

// embedded keeps a fresh embedding.
func (p *Pipeline) embedded(j *job) {
	j.frame.Release()
	p.embedFor = 0
	p.embedSince.Store(0)
	if j.err != nil {
		p.failTickets(j.seq, j.err)
		return
	}
	p.keyframes.Add(1)
	if f, ok := j.embedding.(inference.Featured); ok {
		p.tr.See(j.seq, f.Features())
	}
	k := &keyframe{seq: j.seq, emb: j.embedding}
	if j.seq < p.tr.Oldest() {
		// So late that nothing can be carried from it to the present. Prompts that waited for it are asked anew.
		p.o.Logger.Warn("a keyframe came too late to be of use", "frame", j.seq, "took", j.took)
		p.report(k.evict())
		return
	}
	p.report(p.endRefresh())
	k.users++
	p.refresh = k
	if j.crop != nil {
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
		answers[i] = tracker.Answer{ID: q.ID, Prompt: q.Prompt, Err: j.err}
		if j.err == nil {
			answers[i].Prediction = clicked(&q.Prompt, j.predictions[i])
		}
	}
	p.tr.Answer(j.seq, answers)
	p.report(j.key.done())
	for i, t := range j.tickets {
		p.settle(t, j.seq, answers[i])
	}
}

// discard gives back what a result holds without using it.
func (p *Pipeline) discard(j *job) {
	if j.frame != nil {
		j.frame.Release()
		p.embedFor = 0
		p.embedSince.Store(0)
	}
	if j.embedding != nil {
		p.report(j.embedding.Close())
	}
	if j.key != nil {
		p.report(j.key.done())
	}
	p.waiting = append(p.waiting, j.tickets...)
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

// adapt leaves out of a query what the family cannot take, where the object is known well enough without: a carried
// mask becomes its box, negative points go. What a person asked in so many words is never left out silently: with
// nothing else to go by the query stays as it is, and the model refuses it by name.
func adapt(q tracker.Query, k inference.Kinds) tracker.Query {
	p := &q.Prompt
	if p.Mask != nil && !k.Mask {
		if box := p.Mask.Box(seg.Threshold); p.Box == nil && k.Box && !box.Empty() {
			p.Box = &box
		}
		if p.Box != nil || len(p.Clicks) > 0 {
			p.Mask = nil
		}
	}
	return q
}
