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
	var f *frame.Frame
	var places []tracker.Place
	refused := error(ErrNoFrame)
	who := caller()
	err := p.call(ctx, func() {
		if p.frames.newest() == nil {
			return
		}
		seq := p.seen()
		if f, refused = p.frames.lend(seq, who); refused == nil {
			places = p.tr.Places(seq, nil)
		}
	})
	if err == nil {
		err = refused
	}
	return f, places, err
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
