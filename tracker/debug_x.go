package tracker

import (
	"fmt"
	"os"
)

var dbg = os.Getenv("TDBG") != ""

func (t *Tracker) debugAll() {
	if !dbg {
		return
	}
	for _, o := range t.objects {
		if o.track == nil {
			continue
		}
		x, y := o.track.center()
		c := 0
		if o.cover != nil {
			c = int(o.cover.id)
		}
		fmt.Printf("    @%d #%d %v c=(%.0f,%.0f) area=%d body=%.0f drift=(%.1f,%.1f) cover=%d seen n=%d in=%.2f m=(%.1f,%.1f) key=%d miss=%d doubt=%d\n", t.Newest(), o.id, o.state, x, y, o.track.patch.area(), o.body, o.track.drift[0], o.track.drift[1], c, o.track.seen.n, o.track.seen.inliers, o.track.seen.m.c, o.track.seen.m.f, o.key, o.misses, o.doubts)
	}
}
