package scene

import "time"

// What was measured, and where the thresholds lie between it: SEGEDGE_MEASURE=1 go test ./capture/scene -run Measure -v prints the figures
// of real footage. Of DAVIS 2017's hand-held clips at 480p, the least likeness of neighbouring frames within a shift was
// 0.64 (goat, dog), of the other clips at 15 pictures a second 0.47 (bag.avi); of a cut to another scene, at most 0.18. A
// knock by 46 pixels of 640 and 4 degrees left 0.03 in place, and 0.56 within a shift. Edges fell to 0.42 of their best by
// motion (dog), to 0.60 by lights that came and went.
const (
	// The brightest fiftieth of the cells is darker than this (of 255): lights off left 12, a street at night has lamps.
	darkBelow, darkLeave = 20, 28
	// The cells differ by less than this (standard deviation): a wall without anything on it, a blinded sensor.
	flatBelow, flatLeave = 3, 4.5
	// Edges, as a share of what they were at their best of late, relative to the contrast.
	blurBelow, blurLeave = 0.35, 0.5
	// How fast the best of late is forgotten: fog and cobwebs come in hours.
	sharpFade = 20 * time.Minute

	// Likeness of two views, -1 to 1. Below unlike there is nothing of one in the other, even when it is shifted by some
	// cells; a camera that stood still so far (steady) has been knocked when the places alone are below displaced.
	unlike    = 0.3
	steady    = 0.95
	displaced = 0.5
	alike     = 0.65 // the old view is back
	similar   = 0.8  // no need to look for a shift
	plain     = 2    // cells that stand out less than this (of 255) make no view that could be told from another

	// A picture of which this part does not change between frames, and the rest hardly, is no living camera's: a sensor
	// has noise. An encoder's own pulse at a keyframe is less than stir (of 255, mean of the cells).
	frozenShare = 0.9
	stir        = 1.0

	frozenAfter = 10 * time.Second
	acceptAfter = 20 * time.Second // another view that stays is the view
	keepEvery   = 500 * time.Millisecond
	lookEvery   = 25 * time.Millisecond
)

// How long a judgement must hold before it is told. What a flash or a passer-by does is over sooner.
const (
	darkHold  = 300 * time.Millisecond
	blurHold  = 700 * time.Millisecond
	movedHold = 400 * time.Millisecond
	okHold    = 300 * time.Millisecond
)
