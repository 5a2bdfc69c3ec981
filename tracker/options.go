package tracker

import (
	"image/color"

	"github.com/segedge/segedge/seg"
)

// Options sets a tracker up. A zero field takes the default that its comment names.
type Options struct {
	GridWidth int     // width of the reduced picture that motion is measured on, pixels; 384, never more than the frame's
	History   int     // frames that the motion history reaches back; 64
	Points    int     // points that motion is measured at in a frame, at most; 900
	FPS       float64 // frames a second, which turn the times below into frames; read off the frames' times, 30 until these tell
	// Budget is the share of the model's lane that routine keyframes may fill, 0..1; DefaultBudget. Prompts do not count.
	Budget float64
	// LostAfter is how long an object that is not seen may be called anything but lost, seconds; 0.4.
	LostAfter float64
	// OccludedFor is how long an object may be believed hidden in its place before it is lost, seconds; 1.5.
	OccludedFor float64
	// ReturnWithin is how long after the model's first answer an object of an earlier run may take to come back before it is lost, seconds;
	// 1.
	ReturnWithin float64
	// ForgetAfter is how long a lost object is searched for before it ends, seconds; 30.
	ForgetAfter float64
	// UpdateEvery is the least time between two object.updated of one object, seconds; 1. Negative: every change.
	UpdateEvery float64
	MinIoU      float64       // predicted IoU below which an answer is doubted; 0.4
	MaxArea     float64       // share of the frame that no mask may exceed unless a person asked for it; 0.9
	MaxObjects  int           // live objects at most; 64
	NextID      func() seg.ID // numbers a new object, without blocking; counts from 1
	// Color chooses what a new object is painted in, by its mean colour and the colours of its neighbours, the nearest first; nil chooses
	// none.
	Color   func(id seg.ID, own color.RGBA, near []color.RGBA) color.RGBA
	Without Cues    // cues to leave out, to measure what they are worth; none
	Tuning  *Tuning // the numbers that it decides by; copied; Defaults()
}

// DefaultBudget is the share that Budget takes for 0: the product's. On DAVIS, from a mask, with answers two frames late it has J&F 75.8,
// where 0.7 has 74.5 and 0.5 has 72.9; prompts never wait for it, and the rest is left for them.
const DefaultBudget = 0.9

func withDefaults(o Options) Options {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	seti := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	seti(&o.GridWidth, 384)
	seti(&o.History, 64)
	seti(&o.Points, 900)
	seti(&o.MaxObjects, 64)
	set(&o.Budget, DefaultBudget)
	set(&o.LostAfter, 0.4)
	set(&o.OccludedFor, 1.5)
	set(&o.ReturnWithin, 1)
	set(&o.ForgetAfter, 30)
	set(&o.UpdateEvery, 1)
	set(&o.MinIoU, 0.4)
	set(&o.MaxArea, 0.9)
	if o.NextID == nil {
		var last seg.ID
		o.NextID = func() seg.ID { last++; return last }
	}
	return o
}

// Cues are what speaks for and against an object, as a set: see Options.Without.
type Cues uint16

// The cues; docs/tracking.md says what each is worth.
const (
	CueModel    Cues = 1 << iota // the decoder's answer
	CueFeatures                  // what the encoder saw
	CueColours                   // the pixels' colours
	CueMotion                    // whether a place moves with the object or with the scene
	CueCover                     // what lies in front of an object: another one, or what rests with the scene
	CueSnap                      // colours draw the edge of what is shown
	CueSize                      // how large the motion leads to expect the object
	CueCrop                      // keyframes that show only the objects and what is around them
	CueLocal                     // parts of an object that move their own way
)
