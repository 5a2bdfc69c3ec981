package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// sighting is an object as a look at the list shows it.
type sighting struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	State string     `json:"state"`
	Box   [4]float64 `json:"box"`
}

func (s *sighting) seen() bool { return s.State == "tracking" || s.State == "uncertain" }

// overlap is the IoU of the boxes of two.
func (s *sighting) overlap(o *sighting) float64 {
	w := max(0, min(s.Box[2], o.Box[2])-max(s.Box[0], o.Box[0]))
	h := max(0, min(s.Box[3], o.Box[3])-max(s.Box[1], o.Box[1]))
	area := func(b [4]float64) float64 { return (b[2] - b[0]) * (b[3] - b[1]) }
	return w * h / max(area(s.Box)+area(o.Box)-w*h, 1e-9)
}

// TestFollowedWithoutDoubles: what is kept looked for becomes objects, and no thing two of them: no two that are seen overlap by half, and
// never are there more than the scene has. The built-in scene has two balls that come and go; SEGEDGE_TEST_CLIPS names a folder with clips
// of one dog and of three cups, which then are looped, and SEGEDGE_TEST_FOLLOW is how long to look.
func TestFollowedWithoutDoubles(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("SEGEDGE_TEST_FOLLOW"))
	if err != nil {
		long = 5 * time.Second
	}
	for _, c := range []struct {
		source, phrase string
		most           int
	}{{"synthetic", "every ball", 2}, {"01_dog.mp4", "every dog", 1}, {"02_cups.mp4", "every cup", 3}} {
		t.Run(c.source, func(t *testing.T) {
			source := c.source
			if source != "synthetic" {
				dir := os.Getenv("SEGEDGE_TEST_CLIPS")
				if dir == "" {
					t.Skip("SKIPPED: SEGEDGE_TEST_CLIPS names no folder with clips")
				}
				source = filepath.Join(dir, c.source)
			}
			r := start(t, "--source", source, "--loop", "--prompt", "follow:"+c.phrase)
			r.await("something is followed", func(s state) bool { return s.Objects > 0 })
			var ids []string
			most, looks := 0, 0
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
				var list struct {
					Objects []sighting `json:"objects"`
				}
				r.get("api/v1/cameras/camera/objects", &list)
				looks++
				most = max(most, r.judge(list.Objects, &ids))
			}
			t.Logf("| %s | %s | %s | %d | %d | %d |", c.source, c.phrase, long, looks, len(ids), most)
			if most > c.most {
				t.Errorf("%d were seen at once where there are %d", most, c.most)
			}
		})
	}
}

// judge counts what is seen, notes new ids, and fails where two are one thing.
func (r *running) judge(objects []sighting, ids *[]string) (seen int) {
	r.t.Helper()
	for i := range objects {
		o := &objects[i]
		if !slices.Contains(*ids, o.ID) {
			*ids = append(*ids, o.ID)
		}
		if !o.seen() {
			continue
		}
		seen++
		for k := range i {
			if objects[k].seen() && o.overlap(&objects[k]) > 0.5 {
				r.t.Errorf("%s and %s are one thing: %v, %v", objects[k].ID, o.ID, objects[k].Box, o.Box)
			}
		}
	}
	return seen
}
