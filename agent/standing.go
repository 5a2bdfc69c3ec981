package agent

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// standing are the prompts given at start, and by what they say the objects that those became which were met. One whose object is known
// from an earlier run is not asked again, unless that object never comes back.
type standing struct {
	mu       sync.Mutex
	prompts  []pipeline.Request
	asking   map[string]bool // being asked, or to be asked again
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
	s.objects, s.expected, s.asking = map[string]seg.ID{}, map[seg.ID]bool{}, map[string]bool{}
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

// all are the prompts in their order.
func (s *standing) all() []pipeline.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.prompts)
}

// add takes another prompt in; false where it is among them already.
func (s *standing) add(r *pipeline.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wants(keyOf(r)) {
		return false
	}
	s.prompts = append(s.prompts, *r)
	return true
}

// drop takes a prompt away. Its object, if it has one, is nobody's any more.
func (s *standing) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompts = slices.DeleteFunc(s.prompts, func(r pipeline.Request) bool { return keyOf(&r) == key })
	delete(s.objects, key)
}

// wants says that a prompt is among them; mu is held.
func (s *standing) wants(key string) bool {
	return slices.ContainsFunc(s.prompts, func(r pipeline.Request) bool { return keyOf(&r) == key })
}

// begin says whether a prompt is to be asked, which is then under way until its end is told.
func (s *standing) begin(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, met := s.objects[key]; met || s.asking[key] || !s.wants(key) {
		return false
	}
	s.asking[key] = true
	return true
}

// end is the end of asking.
func (s *standing) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.asking, key)
}

// open says that a prompt is still to be met.
func (s *standing) open(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, met := s.objects[key]
	return !met && s.wants(key)
}

// meet notes what a prompt became.
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
