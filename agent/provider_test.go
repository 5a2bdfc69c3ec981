package agent

import (
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
)

// moving is a model whose provider changes while it runs, as one does whose engine was built in the background.
type moving struct {
	*inferencetest.Segmenter
	mu   sync.Mutex
	info inference.Info
}

func (m *moving) Info() inference.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.Segmenter.Info()
	i.Provider, i.Why, i.Building, i.Since = m.info.Provider, m.info.Why, m.info.Building, m.info.Since
	return i
}

func (m *moving) set(i inference.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.info = i
}

func TestInfoAndStateFollowTheProvider(t *testing.T) {
	model := &moving{Segmenter: inferencetest.New(inferencetest.Options{})}
	since := time.Now()
	model.set(inference.Info{Provider: inference.CUDA, Why: "tensorrt builds its engine", Building: inference.TensorRT, Since: since})
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Model = model })
	i := r.Info()
	if i.Provider != inference.CUDA || i.Why != "tensorrt builds its engine" || i.Building == nil || i.Building.Provider != inference.TensorRT || !i.Building.Since.Equal(since) {
		t.Errorf("while it builds: %+v", i)
	}
	if s, _ := r.State("cam"); s.Provider != inference.CUDA || s.Building == nil || s.Building.Provider != inference.TensorRT {
		t.Errorf("state while it builds: %+v", s)
	}
	model.set(inference.Info{Provider: inference.TensorRT, Why: "the best one there is"})
	if i := r.Info(); i.Provider != inference.TensorRT || i.Building != nil || i.Why != "the best one there is" {
		t.Errorf("after the swap: %+v", i)
	}
	if s, _ := r.State("cam"); s.Provider != inference.TensorRT || s.Building != nil {
		t.Errorf("state after the swap: %+v", s)
	}
}
