package tracker

import "github.com/segedge/segedge/tracker/motion"

// palette is the share that each of the coarse colours has in a picture.
type palette [paletteLevels * paletteLevels * paletteLevels]float32

func paletteOf(e *motion.Entry) *palette {
	p := &palette{}
	n := len(e.BGR) / 3
	for i := range n {
		c := e.BGR[3*i:][:3]
		p[(int(c[0])*paletteLevels>>8*paletteLevels+int(c[1])*paletteLevels>>8)*paletteLevels+int(c[2])*paletteLevels>>8] += 1 / float32(n)
	}
	return p
}

// common is the share of the picture that two palettes have in common.
func (p *palette) common(q *palette) float64 {
	var sum float32
	for i := range p {
		sum += min(p[i], q[i])
	}
	return float64(sum)
}

// palettes are what pictures looked like of late: the newer one takes the older one's place when it is a second old, so that the older one
// is of a time before what has just changed.
type palettes struct {
	older, newer *palette
	seq          uint64 // of the newer
	asked        *palette
	askedSeq     uint64
}

// of is the palette of an entry, kept until another's is asked for: all that is lost is looked for in one frame.
func (a *palettes) of(e *motion.Entry) *palette {
	if a.asked == nil || a.askedSeq != e.Seq {
		a.asked, a.askedSeq = paletteOf(e), e.Seq
	}
	return a.asked
}

// note looks at the newest entry once a second.
func (a *palettes) note(e *motion.Entry, second int) {
	if a.newer != nil && e.Seq < a.seq+uint64(second) {
		return
	}
	a.older, a.newer, a.seq = a.newer, paletteOf(e), e.Seq
}

// usual is the picture as it was a second ago or earlier; as it was first, where it is younger.
func (a *palettes) usual() *palette {
	if a.older == nil {
		return a.newer
	}
	return a.older
}
