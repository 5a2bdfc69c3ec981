// Package tracker follows the objects of one camera: it moves their masks from frame to frame, decides what to ask a model about and which
// of its answers to believe, and says so when it does not know. It is the walk of an object's life; how a picture moves is measured
// in motion, a mask carried in shape, and what an object looks like learnt in look. It reads pixels in pure Go; it does no IO, reads no
// clock and runs no model: the pipeline shows it frames and brings it the model's answers.
package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
)

// Tracker follows the objects of one camera. One goroutine owns it.
type Tracker struct {
	opt      Options
	clock    clock
	scene    scene
	looks    looks
	objects  roster
	removals removals
	changes  []seg.Change // that nobody has taken yet
	budget   budget
	crops    cropper
	fitter   fitter
	fusion   fusion
	readout  readout
}

// looks is what objects look like to the model.
type looks struct {
	look.Memory
	recalls bool // the model remembers objects itself
}

// scene is how the picture moves, and what it looked like of late.
type scene struct {
	*motion.Scene
	glimpses glimpses
}

// New makes a tracker that measures motion with flow.
func New(o Options, flow motion.Flow) *Tracker {
	o = withDefaults(o)
	k := Defaults()
	if o.Tuning != nil {
		k = *o.Tuning
	}
	o.Tuning = &k
	return &Tracker{
		opt: o, budget: budget{share: 1}, clock: newClock(o.FPS), looks: looks{Memory: look.NewMemory(&k.Look)},
		scene:   scene{Scene: motion.NewScene(motion.Options{Width: o.GridWidth, Frames: o.History, Points: o.Points}, &k.Motion, flow)},
		fitter:  fitter{tuning: &k, rigid: o.Without&CueLocal != 0},
		readout: readout{rough: o.Without&CueSnap != 0},
	}
}

// Oldest is the first frame that the history reaches, 0 when it is empty.
func (t *Tracker) Oldest() uint64 { return t.scene.Oldest() }

// Remembers says whether an answer about frame seq can be carried to the present.
func (t *Tracker) Remembers(seq uint64) bool {
	_, exact := t.scene.Find(seq)
	return exact
}

// Follows says whether an object is alive.
func (t *Tracker) Follows(id seg.ID) bool { return t.objects.find(id) != nil }

// Newest is the last frame, 0 before the first.
func (t *Tracker) Newest() uint64 { return t.scene.Newest() }

// Spend leaves routine keyframes a share of Options.Budget, 0..1, from now on: for a machine that has to stand back. Prompts are answered
// as ever.
func (t *Tracker) Spend(share float64) { t.budget.share = min(max(share, 0), 1) }

// uses says that a cue is not left out.
func (t *Tracker) uses(c Cues) bool { return t.opt.Without&c == 0 }

// framesSince is the number of frames from seq to the newest.
func (t *Tracker) framesSince(seq uint64) uint64 { return t.Newest() - min(seq, t.Newest()) }
