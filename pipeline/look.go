package pipeline

import (
	"context"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/tracker"
)

// freshFor is how many frames old a keyframe may be, at most, to be looked at for what is new.
const freshFor = 15

// Look is a frame to look for things in, with where the objects were in it: the newest keyframe, on which a prompt costs no encoding, or
// the newest frame where that is too old. The reference is the caller's to release, as that of Frame.
func (p *Pipeline) Look(ctx context.Context) (*frame.Frame, []tracker.Place, error) {
	var places []tracker.Place
	who := caller()
	f, err := p.borrow(ctx, func() (f *frame.Frame, err error) {
		if p.frames.newest() == nil {
			return nil, ErrNoFrame
		}
		seq := p.seen()
		if f, err = p.frames.lend(seq, who); err == nil {
			places = p.tr.Places(seq, nil)
		}
		return f, err
	})
	if err != nil {
		return nil, nil, err
	}
	return f, places, nil
}

// seen is the newest kept frame that the model has seen the whole of, or the newest where that is too old.
func (p *Pipeline) seen() uint64 {
	newest := p.frames.newest().Seq
	for _, k := range slices.Backward(p.keys.kept) {
		if newest-k.seq <= freshFor && p.frames.at(k.seq) != nil && p.tr.Remembers(k.seq) {
			return k.seq
		}
	}
	return newest
}
