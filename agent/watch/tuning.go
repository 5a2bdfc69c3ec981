package watch

import "github.com/segedge/segedge/tracker"

// rules are the tracker's, by which two masks are one thing.
var rules = tracker.Defaults()

// What it takes to believe a box, in looks.
const (
	confirmed = 2  // until something is made of a box: one look alone may be mistaken
	patience  = 4  // the same, while the watch has an object that is not where it is thought to be, and that it may be
	forgotten = 2  // until a box that is gone is forgotten
	unwanted  = 20 // the same of one that a person does not want
)

// From these overlaps on a box is that of an object: of any, of the watch's own, and, by share of the object's, of its own of which only a
// part has a mask.
const (
	anyIoU  = 0.5
	ownIoU  = 0.3
	ownPart = 0.8
)

// mostGrowth is how much larger or smaller, in area, a box may be a look later.
const mostGrowth = 4

// What it takes to hold two objects for one thing.
const (
	compared = 5 // comparisons in a row: what passes in front of another covers it for a moment
	looked   = 4 // looks in a row
)
