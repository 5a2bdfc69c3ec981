// Package tracker carries objects from frame to frame: the scene's motion history, each object's fit to it, the life of
// an object, and the wish for keyframes. It reads pixels in pure Go. It does no IO, reads no clock and runs no model:
// the pipeline shows it frames and brings it the model's answers.
package tracker

import "github.com/segedge/segedge/seg"

// Query is what to ask the model about one object in one frame: its prompts, carried to that frame.
type Query struct {
	ID     seg.ID
	Prompt seg.Prompt
}

// Answer is the model's answer to a query. Err is set where the model failed for it.
type Answer struct {
	ID         seg.ID
	Prompt     seg.Prompt // the query's
	Prediction seg.Prediction
	Err        error
}
