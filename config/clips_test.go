package config

import (
	"strings"
	"testing"
	"time"
)

func TestClips(t *testing.T) {
	for _, c := range []struct{ set, says string }{
		{"clips.pre_roll=5s", ""}, {"clips.events=zone.entered,object.lost", ""}, {"clips.max_age=0s", ""},
		{"clips.pre_roll=-1s", "is negative"}, {"clips.pre_roll=2m", "lies in memory"}, {"clips.longest=0s", "is not within 1s..24h"},
		{"clips.post_roll=1h", "more than clips.longest, 10m"}, {"clips.max_size=1", "is not within 10..100000000"},
		{"clips.events=clip.finished", "would never end"},
		{"clips.events=zone.enterd", `"zone.enterd" is no type of event, such as zone.entered; did you mean zone.entered?`},
	} {
		key, value, _ := strings.Cut(c.set, "=")
		cfg := Default()
		if err := cfg.Set(key, value); err != nil {
			t.Fatal(err)
		}
		ps := cfg.Check()
		if c.says == "" && len(ps) > 0 || c.says != "" && (len(ps) != 1 || !strings.Contains(ps[0].Text, c.says)) {
			t.Errorf("%s: %v", c.set, ps)
		}
	}
	if c := Default().Clips; c.PreRoll != 0 || c.Longest != 10*time.Minute {
		t.Errorf("%+v: the encoder is off until somebody wants it", c)
	}
}
