package pipeline

import "github.com/segedge/segedge/frame"

// sceneBecomes hears what capture says of the picture as a whole, with the frame of which it says so. Where there is nothing to be
// seen, or all at once another view, what was seen before cannot be there: objects are lost, not carried on, and are looked for
// at their places when the picture is back. A frozen picture still shows what it shows.
func (p *Pipeline) sceneBecomes(s frame.Scene) {
	was := p.scene
	p.scene = s
	if carries(was) && carries(s) {
		return
	}
	p.o.Logger.Debug("the picture became another", "was", was, "is", s)
	p.afresh()
}

// carries reports whether objects of the frames before may be in such a picture where motion says they are.
func carries(s frame.Scene) bool { return s == frame.SceneOK || s == frame.SceneFrozen }
