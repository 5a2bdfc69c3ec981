package pipeline

import (
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
)

// What a camera asks the model of itself: a keyframe, and what it says of the objects. Both are chosen when the camera's turn comes: what
// was chosen when it was asked for would be old by then.

// dispatchEmbed encodes the frame that a prompt waits for, else the newest frame if the tracker wants a keyframe.
func (p *Pipeline) dispatchEmbed() {
	if p.lanes.busy[embedLane].Load() {
		return
	}
	f, part := p.frameForPrompt(false), (*crop)(nil)
	asked := f != nil
	if !asked {
		if f, part = p.frameForRoutine(); f == nil {
			return
		}
	}
	p.forced = false
	p.embedFor, p.encoded = f.Seq, f.Seq
	p.submit(&job{lane: embedLane, model: p.model, frame: f.Retain(), crop: part, seq: f.Seq, asked: asked})
}

// frameForRoutine is what to encode while nobody waits, if it is the camera's turn: for an idle prompt, or for the objects.
func (p *Pipeline) frameForRoutine() (*frame.Frame, *crop) {
	f := p.frameForPrompt(true)
	if f != nil {
		if !p.turn.take() {
			return nil, nil
		}
		return f, nil
	}
	if f = p.frameForRefresh(); f == nil || !p.turn.take() {
		return nil, nil
	}
	return p.cropped(f)
}

// cropped is what to encode for a routine keyframe of a reduced frame: the part of the full frame that the tracker wants to see, or the
// reduced frame. One that was asked for by command shows all; so do those of a model that remembers where objects were in the picture.
func (p *Pipeline) cropped(f *frame.Frame) (*frame.Frame, *crop) {
	if p.forced || p.bank != nil || p.latest == nil || p.latest.Seq != f.Seq {
		return f, nil
	}
	box, ok := p.tr.Crop()
	if !ok {
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

// refreshPart is how many objects of a routine keyframe are decoded in one call. Their questions and answers are the loop's work, which a
// frame that has come must not wait for.
const refreshPart = 16

// dispatchRefresh decodes the objects that want it on the newest routine keyframe, a part of them at a time.
func (p *Pipeline) dispatchRefresh() {
	k := p.refresh
	if k == nil || p.lanes.busy[refreshLane].Load() {
		return
	}
	if !p.tr.Remembers(k.seq) { // no answer about it could be carried to the present
		p.report(p.endRefresh())
		return
	}
	if !p.turn.take() {
		return
	}
	j := &job{lane: refreshLane, model: p.model, key: k, emb: k.emb, seq: k.seq}
	for more := k.emb != nil; more && len(j.queries) == 0; {
		p.queries = p.tr.QueryPart(k.seq, refreshPart, p.queries[:0])
		more = len(p.queries) > 0
		for _, q := range p.queries {
			if q = adapt(q, &p.info, nil); !p.promptWaits(q.ID) && (p.knows(q.ID) || k.shows(&q.Prompt) && q.Prompt.Validate() == nil) {
				j.queries = append(j.queries, q)
			}
		}
	}
	if len(j.queries) == 0 {
		p.report(p.endRefresh())
		return
	}
	k.users++
	j.recall = p.recall(j)
	p.submit(j)
}

// embedded keeps a fresh embedding.
func (p *Pipeline) embedded(j *job) {
	p.letGoFrame(j)
	if j.err != nil {
		p.failTickets(j.seq, j.err)
		return
	}
	p.keyframes.Add(1)
	if f, ok := j.embedding.(inference.Featured); ok && p.sawIt(j.embedding) {
		p.tr.See(j.seq, f.Features())
	}
	k := &keyframe{seq: j.seq, emb: j.embedding, part: everything}
	j.embedding = nil
	if !p.tr.Remembers(j.seq) {
		// So late that nothing can be carried from it to the present. Prompts that waited for it are asked anew.
		if !p.tardy {
			p.o.Logger.Warn("keyframes come too late to be of use", "frame", j.seq, "took", j.took)
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

// sawIt reports whether an embedding is the model's that is known to serve: one that falls back to another is told of by Swap, later.
func (p *Pipeline) sawIt(e inference.Embedding) bool {
	i, ok := e.(inference.Identified)
	return !ok || i.Model() == "" || i.Model() == p.info.Identity()
}

// endTurn gives the camera's turn back once no work of its own is under way.
func (p *Pipeline) endTurn() {
	if p.routine || !p.turn.held {
		return
	}
	p.o.Observe(frame.Stage{Name: "turn", Took: p.turn.waited})
	p.turn.give()
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
