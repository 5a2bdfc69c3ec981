package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestModelsAreSwappedUnderLoad goes once around the families by command while four people click without a pause, each at a new place, and
// remove what came of it. Each click is answered: by an object, or by a refusal that says why and is not the agent's fault. What was
// followed before is followed afterwards, and nothing fails.
func TestModelsAreSwappedUnderLoad(t *testing.T) {
	folder := t.TempDir()
	for _, f := range swapped {
		giveFamily(t, f.graphs, filepath.Join(folder, "models", f.name))
	}
	config := filepath.Join(folder, "segedge.yaml")
	if err := os.WriteFile(config, []byte("model:\n  name: "+swapped[0].name+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, "--source", still(t), "--config", config, "--state", folder)
	r.await("the first frames", func(s state) bool { return s.Processed > 2 })
	if status, reply := r.post("prompt", `{"points":[{"x":0.42,"y":0.36,"label":1}]}`); status != 200 {
		t.Fatalf("%d %v", status, reply)
	}
	var id string
	r.await("the object", func(state) bool {
		ids := r.followedIDs()
		if len(ids) == 1 {
			id = ids[0]
		}
		return id != ""
	})
	clicks := &clicker{page: r.page, kept: id, answers: map[string]int{}, done: make(chan struct{})}
	for i := range 4 {
		clicks.wait.Go(func() { clicks.click(0.40+0.05*float64(i), 0.32) })
	}
	for i := range swapped {
		next := swapped[(i+1)%len(swapped)].name
		if status, reply := r.post("model", `{"name":"`+next+`"}`); status != 200 {
			t.Errorf("to %s: %d %v", next, status, reply)
		}
		answered := clicks.count()
		s := r.await("clicks that "+next+" answers", func(state) bool { return r.family() == next && clicks.count() > answered+8 })
		if s.ModelErrors+s.Panics != 0 {
			t.Errorf("%s: %+v", next, s)
		}
	}
	close(clicks.done)
	clicks.wait.Wait()
	t.Logf("%d clicks: %v", clicks.count(), clicks.answers)
	if clicks.failed != "" {
		t.Error(clicks.failed)
	}
	r.await(id+", which was followed before", func(state) bool { return slices.Contains(r.followedIDs(), id) }) // others may hide it for a moment
}

// clicker clicks and removes what came of it, many at once.
type clicker struct {
	page, kept string
	done       chan struct{}
	wait       sync.WaitGroup

	mu      sync.Mutex
	answers map[string]int // by code
	failed  string
}

func (c *clicker) count() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.answers {
		n += k
	}
	return n
}

func (c *clicker) click(x, y float64) {
	for n := 0; ; n++ {
		select {
		case <-c.done:
			return
		default:
		}
		id := c.send("prompt", fmt.Sprintf(`{"points":[{"x":%.4f,"y":%.4f,"label":1}]}`, x, y+0.005*float64(n%60)))
		if id != "" && id != c.kept { // the same thing is the same object
			c.send("remove", `{"object":"`+id+`"}`)
		}
	}
}

// send posts a command and notes how it was answered. It returns the object of the reply.
func (c *clicker) send(verb, body string) string {
	resp, err := http.Post(c.page+"api/v1/cameras/camera/"+verb, "application/json", strings.NewReader(body))
	var reply struct {
		Result struct {
			Object string `json:"object"`
		} `json:"result"`
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&reply)
		_ = resp.Body.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.failed = verb + ": " + err.Error()
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusServiceUnavailable:
		c.failed = fmt.Sprintf("%s: %d %s", verb, resp.StatusCode, reply.Error.Code)
	}
	if verb == "prompt" && err == nil {
		c.answers[fmt.Sprintf("%d %s", resp.StatusCode, reply.Error.Code)]++
	}
	return reply.Result.Object
}
