package provider

import (
	"context"
	"time"

	"github.com/segedge/segedge/inference"
)

// loadEngine is load; an engine that cannot be read is wiped and built again, once.
func (m *Model) loadEngine(s step) (inference.Segmenter, error) {
	if s.engine == nil {
		return m.load(s)
	}
	stale := s.engine.ready()
	if err := s.engine.prepare(); err != nil {
		return nil, err
	}
	model, err := m.load(s)
	if err == nil || !stale {
		return model, err
	}
	m.opts.Logger.Warn("the kept engine is not usable and is built again", "folder", s.engine.dir, "reason", err)
	if err := s.engine.wipe(); err != nil {
		return nil, err
	}
	return m.load(s)
}

// Run builds the engines that Open left for later, one after the other, and swaps the model in when one agrees. It returns
// when nothing is left to do, when the model is closed, or when ctx ends; a build under way cannot be stopped and is waited for.
func (m *Model) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.life, cancel)()
	for len(m.plan) > 0 && ctx.Err() == nil && m.life.Err() == nil {
		s := m.plan[0]
		m.plan = m.plan[1:]
		m.building(s.provider.Name)
		model, err := m.build(ctx, s)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			m.refuse(s.provider.Name, err)
			m.building("")
			continue
		}
		m.install(model, s.provider.Name)
		return nil
	}
	return nil
}

// build makes the engine and compares it with a fresh model on the CPU.
func (m *Model) build(ctx context.Context, s step) (inference.Segmenter, error) {
	reference, err := m.reference()
	if err != nil {
		return nil, err
	}
	model, err := m.try(ctx, s, reference)
	if closing := reference.Close(); closing != nil {
		m.opts.Logger.Warn("closing a model", "error", closing)
	}
	return model, err
}

// building notes that a provider's engine is being built, or with an empty name that none is any more.
func (m *Model) building(name string) {
	m.mu.Lock()
	m.status.Building, m.status.Since = name, time.Time{}
	m.status.Why = m.why(m.status.Provider)
	if name != "" {
		m.status.Since = time.Now()
		m.status.Why = name + " builds its engine, which can take ten minutes; until then this serves"
	}
	m.mu.Unlock()
	m.changed()
}
