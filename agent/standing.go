package agent

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// standing are the prompts given at start that were met, by what they say, and the objects that they became. One whose object is known from
// an earlier run is not asked again, unless that object never comes back.
type standing struct {
	mu       sync.Mutex
	objects  map[string]seg.ID
	expected map[seg.ID]bool // known from an earlier run, and not seen since
}

// keyOf is what a prompt says.
func keyOf(r *pipeline.Request) string {
	key, err := json.Marshal([]any{r.Name, r.Prompt.Text, r.Prompt.Clicks, r.Prompt.Box})
	if err != nil { // it is plain data
		return ""
	}
	return string(key)
}

// recall takes up what was met in an earlier run, as far as the objects are known.
func (s *standing) recall(k *Known) {
	s.objects, s.expected = map[string]seg.ID{}, map[seg.ID]bool{}
	if k == nil {
		return
	}
	for i := range k.Objects {
		for _, m := range k.Standing {
			if m.Object == k.Objects[i].ID {
				s.objects[m.Prompt], s.expected[m.Object] = m.Object, true
			}
		}
	}
}

func (s *standing) met(r *pipeline.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.objects[keyOf(r)]
	return ok
}

func (s *standing) meet(key string, id seg.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = id
}

// found notes that an object of an earlier run has come back.
func (s *standing) found(id seg.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.expected, id)
}

// unmet are the prompts of an object that ended while it was expected from an earlier run: they are not met any more.
func (s *standing) unmet(id seg.ID) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.expected[id] {
		return nil
	}
	delete(s.expected, id)
	maps.DeleteFunc(s.objects, func(key string, o seg.ID) bool {
		if o == id {
			keys = append(keys, key)
		}
		return o == id
	})
	return keys
}

// forgo takes it that nothing is expected any more: a person has said so.
func (s *standing) forgo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.expected)
}

// save is what was met, in the order of what the prompts say.
func (s *standing) save() (met []Met) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		met = append(met, Met{key, s.objects[key]})
	}
	return met
}

// askAgain asks a prompt given at start once more, whose object of an earlier run has not come back.
func (c *camera) askAgain(id seg.ID) {
	keys := c.standing.unmet(id)
	if len(keys) == 0 || c.waitForScene() {
		return
	}
	c.background(func(ctx context.Context) {
		for _, r := range c.o.Prompts {
			if slices.Contains(keys, keyOf(&r)) {
				c.askStanding(ctx, r, 0)
			}
		}
	})
}
