package main

import (
	"context"
	"errors"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
)

// openModel opens another model beside the running one. Unlike the configuration, a command names no path of this machine.
func (b *builder) openModel(ctx context.Context, name string) (inference.Segmenter, error) {
	if err := listed(name, b.state); err != nil {
		return nil, err
	}
	c := b.cfg.Model
	c.Name, c.Encoder, c.Decoder, c.Family, c.Remote = name, "", "", "", config.Remote{}
	return b.openBeside(ctx, c)
}

// openBeside opens a model beside the running one, which it is about to replace.
func (b *builder) openBeside(ctx context.Context, c config.Model) (inference.Segmenter, error) {
	m, err := openOn(ctx, b.model.runtime, c, b.state, b.log)
	if err != nil {
		return nil, err
	}
	if err := require(b.run.Require, m.Info()); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	b.watch(m)
	b.parts.Run("model "+c.Name, m.Run)
	b.newest.Store(&c)
	return m, nil
}

// watch tells the agent when a model becomes another by itself, and keeps it for the metrics.
func (b *builder) watch(m served) {
	e, _ := m.(*elsewhere)
	b.elsewhere.Store(e)
	if e != nil {
		e.Notify(func() { b.agent.Renew(context.Background()) })
	}
}
