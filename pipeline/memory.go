package pipeline

import (
	"context"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// A model that remembers objects is asked about those it knows by what it remembers, instead of by the mask that motion carried. What it
// answers goes the way of every answer: the tracker weighs it, and what it does not believe, as that nothing of the object is to be seen,
// makes the object doubtful. Only what it believes is remembered.

// useModel takes over a model, with an empty memory.
func (p *Pipeline) useModel(m inference.Segmenter) {
	p.model, p.info = m, sized(m.Info(), p.o.Side)
	kinds := p.info.Kinds
	p.kinds.Store(&kinds)
	p.tr.UseModel(p.info.Identity())
	p.bank = nil
	if r, ok := m.(interface{ NewBank() *memory.Bank }); ok {
		p.bank = r.NewBank()
	}
	p.tr.Recalls(p.bank != nil)
}

// knows reports whether the model remembers an object.
func (p *Pipeline) knows(id seg.ID) bool { return p.bank != nil && p.bank.Knows(int64(id)) }

// correction leaves the carried mask out of what a person says of an object that the model remembers: it knows better.
func (p *Pipeline) correction(q tracker.Query) tracker.Query {
	if p.knows(q.ID) && (len(q.Prompt.Clicks) > 0 || q.Prompt.Box != nil) {
		q.Prompt.Mask = nil
	}
	return q
}

// recall is a decode of a model that remembers objects.
type recall struct {
	call *memory.Call
	row  []int // the call's question about each query; none for one that is decoded without memory
}

const none = -1

// recall makes the questions of a decode. What a person said, and what is known of an object of which nothing is remembered, begin its
// memory, or rewrite it. Several boxes, of which one will be chosen, and a place that somebody suspects, are nothing to remember yet.
func (p *Pipeline) recall(j *job) *recall {
	if p.bank == nil {
		return nil
	}
	r := &recall{row: make([]int, len(j.queries))}
	var asks []memory.Ask
	for i := range j.queries {
		q, t := &j.queries[i], (*ticket)(nil)
		if len(j.tickets) > 0 {
			t = j.tickets[i]
		}
		if len(q.Prompt.Others) > 0 || t != nil && t.Perhaps {
			r.row[i] = none
			continue
		}
		a := memory.Ask{ID: int64(q.ID), Person: t != nil}
		if t != nil || !p.knows(q.ID) {
			a.Prompt = p.acceptable(&q.Prompt, t)
		}
		r.row[i] = len(asks)
		asks = append(asks, a)
	}
	r.call = p.bank.Ask(j.seq, asks)
	return r
}

// acceptable is a prompt without what the model cannot take together with the rest, unless a person has just said it.
func (p *Pipeline) acceptable(said *seg.Prompt, t *ticket) *seg.Prompt {
	if said.Box == nil || len(said.Clicks) == 0 || p.bank.Takes(said) {
		return said
	}
	out := *said
	switch {
	case t == nil:
		out.Clicks = nil
	case t.prompt.Box == nil:
		out.Box = nil
	}
	return &out
}

// ask asks the queries from one up to another.
func (r *recall) ask(ctx context.Context, j *job, from, to int) (out []seg.Prediction, err error) {
	defer contain(&err)
	out = make([]seg.Prediction, to-from)
	var rows, known, others []int
	var prompts []seg.Prompt
	for i := from; i < to; i++ {
		if r.asks(i) {
			rows, known = append(rows, r.row[i]), append(known, i-from)
		} else {
			prompts, others = append(prompts, j.queries[i].Prompt), append(others, i-from)
		}
	}
	got, err := r.call.Run(ctx, j.emb, rows...)
	if err != nil {
		return nil, err
	}
	for k, i := range known {
		out[i] = got[k]
	}
	if len(prompts) == 0 {
		return out, nil
	}
	if got, err = j.ask(ctx, prompts); err != nil {
		return nil, err
	}
	for k, i := range others {
		out[i] = got[k]
	}
	return out, nil
}

// asks says whether a query is put to the memory.
func (r *recall) asks(i int) bool { return r != nil && r.row[i] != none }

// remember keeps of a decode what the tracker believes.
func (p *Pipeline) remember(j *job, as []tracker.Answer) {
	if p.bank == nil || j.recall == nil {
		return
	}
	for i := range as {
		if as[i].Believed && j.recall.asks(i) {
			p.bank.Keep(j.recall.call, j.recall.row[i])
		}
	}
}

// forgetEnded frees the memory of objects that have ended, and counts the rest.
func (p *Pipeline) forgetEnded() {
	if p.bank == nil {
		p.remembered.Store(0)
		p.rememberedBytes.Store(0)
		return
	}
	p.bank.Only(func(id int64) bool { return p.tr.Follows(seg.ID(id)) })
	p.remembered.Store(int64(p.bank.Len()))
	p.rememberedBytes.Store(int64(p.bank.Bytes()))
}

// forgetting forgets an object that is another thing from now on, by what a command has come to: what was remembered since may be of the
// wrong one, and what was before has been rewritten. The mask that is believed now begins its memory anew, on the next keyframe.
func (p *Pipeline) forgetting(id seg.ID, err error) error {
	if err == nil && p.bank != nil {
		p.bank.Forget(int64(id))
	}
	return err
}

// doubting forgets of an object that is none all but what it was said to be.
func (p *Pipeline) doubting(id seg.ID, err error) error {
	if err == nil && p.bank != nil {
		p.bank.Retell(int64(id))
	}
	return err
}
