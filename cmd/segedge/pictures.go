package main

import (
	"context"
	"errors"
	"sync"

	"github.com/segedge/segedge/supervise"
	"github.com/segedge/segedge/video"
)

// pictures are the video sinks of the cameras, which come and go with them.
type pictures struct {
	mu     sync.RWMutex
	sinks  map[string]*video.Sink
	whole  map[string]bool // those that lose no picture, since they are recorded
	groups map[string]*supervise.Group
	start  func(name string, s *video.Sink) // set while they run

	sparing bool // every second picture is left out
}

// sink is a camera's, nil where there is none.
func (p *pictures) sink(name string) *video.Sink {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sinks[name]
}

// put adds a camera's sink, and runs it if the others run. One that is recorded loses no picture to a machine that stands back.
func (p *pictures) put(name string, s *video.Sink, recorded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sinks == nil {
		p.sinks, p.groups, p.whole = map[string]*video.Sink{}, map[string]*supervise.Group{}, map[string]bool{}
	}
	p.sinks[name], p.whole[name] = s, recorded
	s.Spare(p.sparing && !recorded)
	if p.start != nil {
		p.start(name, s)
	}
}

// spare has every camera's video lose every second picture, those that come later too, but for what is recorded.
func (p *pictures) spare(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sparing = on
	for name, s := range p.sinks {
		s.Spare(on && !p.whole[name])
	}
}

// drop stops a camera's sink and joins it.
func (p *pictures) drop(name string) error {
	p.mu.Lock()
	g := p.groups[name]
	delete(p.sinks, name)
	delete(p.groups, name)
	p.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.Stop()
}

// run runs all sinks until ctx ends, and joins them.
func (p *pictures) run(ctx context.Context) error {
	p.mu.Lock()
	p.start = func(name string, s *video.Sink) {
		g := supervise.NewGroup(context.WithoutCancel(ctx))
		p.groups[name] = g
		g.Run("video of "+name, s.Run)
	}
	for name, s := range p.sinks {
		p.start(name, s)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.start = nil
	groups := p.groups
	p.groups = map[string]*supervise.Group{}
	p.mu.Unlock() // a sink that is being joined may look itself up: a viewer's keyframe is asked of it
	var all []error
	for _, g := range groups {
		all = append(all, g.Stop())
	}
	return errors.Join(all...)
}
