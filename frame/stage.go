package frame

import "time"

// Stage is one piece of work on a frame, as it was timed.
type Stage struct {
	Name     string
	Seq      uint64    // of the frame; 0 for work that is no single frame's
	Captured time.Time // when the frame reached this process, where the stage is the first that knows; else zero
	Began    time.Time
	Took     time.Duration // for work in several pieces their sum
}
