package config

import (
	"slices"
	"time"

	"github.com/segedge/segedge/seg"
)

// Bounds of clips: the pictures before a clip wait in memory, and one file is to be one that a player opens.
const (
	mostPreRoll = time.Minute
	mostLongest = 24 * time.Hour
)

func (c *Config) checkClips(ps *Problems) {
	l := &c.Clips
	if l.PreRoll > mostPreRoll {
		ps.Add("clips.pre_roll", "%v is more than %v: what is kept for a clip lies in memory", l.PreRoll, mostPreRoll)
	}
	if l.Longest < time.Second || l.Longest > mostLongest {
		ps.Add("clips.longest", "%v is not within 1s..%v", l.Longest, mostLongest)
	} else if l.PostRoll > l.Longest {
		ps.Add("clips.post_roll", "%v is more than clips.longest, %v", l.PostRoll, l.Longest)
	}
	checkEvents("clips.events", l.Events, ps)
	if slices.Contains(l.Events, string(seg.ClipFinished)) {
		ps.Add("clips.events", "a clip of the end of every clip would never end: leave %s out", seg.ClipFinished)
	}
}

// checkEvents holds that a list is of types of events.
func checkEvents(key string, list []string, ps *Problems) {
	var known []string
	for _, t := range seg.EventTypes() {
		known = append(known, string(t))
	}
	for _, e := range list {
		if !slices.Contains(known, e) {
			ps.Add(key, "%s is no type of event, such as %s%s", shownWord(e), seg.ZoneEntered, meant(e, known))
		}
	}
}
