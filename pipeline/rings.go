package pipeline

import (
	"log/slog"
	"math"
	"slices"
	"sync/atomic"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// frameRing keeps the newest frames at the model's input size, so that a frame can still be encoded a second or two
// after it was shown. It owns a reference to each.
type frameRing struct {
	pool     *frame.Pool
	shrink   frame.Shrinker
	frames   []*frame.Frame // oldest first
	limit    int
	bytes    int
	loans    []loan
	log      *slog.Logger
	overheld atomic.Uint64
}

// newFrameRing keeps up to limit frames and up to the given number of bytes, but at least two frames.
func newFrameRing(limit, bytes int, log *slog.Logger) *frameRing {
	const elsewhere = 2 // one in the embed lane, one being written
	return &frameRing{
		pool:  frame.NewPool(limit + elsewhere + maxLoans),
		limit: limit, bytes: bytes, frames: make([]*frame.Frame, 0, limit), log: log,
	}
}

// add keeps a reduced copy of f.
func (r *frameRing) add(f *frame.Frame, width, height int) {
	room := min(r.limit, max(2, r.bytes/(3*width*height)))
	for len(r.frames) >= room {
		r.frames[0].Release()
		r.frames = r.frames[:copy(r.frames, r.frames[1:])]
	}
	small := r.pool.Get()
	for small == nil && len(r.frames) > 0 { // more are held elsewhere than the pool counts on: the ring gets shorter
		r.frames[0].Release()
		r.frames = r.frames[:copy(r.frames, r.frames[1:])]
		small = r.pool.Get()
	}
	if small == nil {
		r.starved()
		return
	}
	r.frames = append(r.frames, small)
	r.shrink.Shrink(small, f, width, height)
}

// starved counts a frame that could not be kept or lent, and says now and then who holds the others.
func (r *frameRing) starved() {
	if n := r.overheld.Add(1); n%starvedEvery == 1 {
		r.log.Error("too many frames are held: one is not kept, or not lent", "held", len(r.loans), "oldest_holder", r.oldest(), "times", n)
	}
}

// starvedEvery is how many such frames make a line of the log.
const starvedEvery = 300

// at is the frame with this sequence, still owned by the ring, or nil.
func (r *frameRing) at(seq uint64) *frame.Frame {
	for _, v := range slices.Backward(r.frames) {
		if v.Seq == seq {
			return v
		}
	}
	return nil
}

// nearest is the kept frame whose sequence is nearest to seq, or nil when the ring is empty.
func (r *frameRing) nearest(seq uint64) *frame.Frame {
	var best *frame.Frame
	least := uint64(math.MaxUint64)
	for _, f := range r.frames {
		if d := distance(f.Seq, seq); d < least {
			best, least = f, d
		}
	}
	return best
}

func (r *frameRing) newest() *frame.Frame {
	if len(r.frames) == 0 {
		return nil
	}
	return r.frames[len(r.frames)-1]
}

func (r *frameRing) flush() {
	for _, f := range r.frames {
		f.Release()
	}
	r.frames = r.frames[:0]
}

// keyframe is an embedding that is kept, and how many lanes read it.
type keyframe struct {
	seq     uint64
	part    seg.Box // of the frame that it shows
	emb     inference.Embedding
	users   int
	evicted bool
}

// done gives one use back; the last one after eviction closes the embedding.
func (k *keyframe) done() error {
	k.users--
	return k.closeIfUnused()
}

func (k *keyframe) evict() error {
	k.evicted = true
	return k.closeIfUnused()
}

func (k *keyframe) closeIfUnused() error {
	if k.users > 0 || !k.evicted || k.emb == nil {
		return nil
	}
	emb := k.emb
	k.emb = nil
	return emb.Close()
}

// keyframeRing keeps the embeddings of the newest keyframes.
type keyframeRing struct {
	kept  []*keyframe // by sequence
	limit int
}

// add keeps an embedding and evicts the oldest when there are too many.
func (r *keyframeRing) add(k *keyframe) error {
	i := len(r.kept)
	for i > 0 && r.kept[i-1].seq > k.seq {
		i--
	}
	r.kept = append(r.kept, nil)
	copy(r.kept[i+1:], r.kept[i:])
	r.kept[i] = k
	if len(r.kept) <= r.limit {
		return nil
	}
	old := r.kept[0]
	r.kept = r.kept[:copy(r.kept, r.kept[1:])]
	return old.evict()
}

// best is the kept keyframe on which a prompt for frame seq is answered with the least doubt, by the trust that the
// caller's carry function gives; nil when none reaches least.
func (r *keyframeRing) best(seq uint64, least float64, carry func(to uint64) float64) *keyframe {
	var best *keyframe
	for _, k := range r.kept {
		trust := 1.0
		if k.seq != seq {
			trust = carry(k.seq)
		}
		if trust >= least && (best == nil || distance(k.seq, seq) < distance(best.seq, seq)) {
			best = k
		}
	}
	return best
}

func (r *keyframeRing) flush() error {
	var first error
	for _, k := range r.kept {
		if err := k.evict(); err != nil && first == nil {
			first = err
		}
	}
	r.kept = r.kept[:0]
	return first
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }
