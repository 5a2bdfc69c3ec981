package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/segedge/segedge/dataset/review"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/web"
)

// dataReviewCmd serves the review page by itself, for a folder that was brought from a box.
type dataReviewCmd struct {
	dataFlags
	Listen string `default:"127.0.0.1:8090" help:"Address of the page, on this machine." placeholder:"HOST:PORT"`
}

func (c *dataReviewCmd) Run(e *env) (err error) {
	if !loopback(c.Listen) {
		return fmt.Errorf(
			"--listen %s can be reached from the network, and this page asks for no token: take 127.0.0.1, or /review of the agent", c.Listen,
		)
	}
	cfg, store, err := c.open()
	if err != nil {
		return err
	}
	m, err := openModel(e.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	page, err := review.New(review.Options{Store: store, Model: func() inference.Segmenter { return m.served }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, page.Close()) }()
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "review of %s: http://%s/ ; Ctrl-C stops\n", store.Dir(), l.Addr())
	return web.Serve(e.ctx, l, web.Local(page))
}

// buildReview makes the review page of the agent, where pictures are kept.
func (b *builder) buildReview() (http.Handler, error) {
	if b.data.collector == nil {
		return nil, nil
	}
	store, err := openData(&b.cfg, b.state)
	if err != nil {
		return nil, err
	}
	b.data.review, err = review.New(review.Options{Store: store, Model: b.agent.Segmenter, Logger: b.log})
	return b.data.review, err
}
