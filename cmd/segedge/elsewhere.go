package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/failover"
	"github.com/segedge/segedge/inference/known"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/onnx"
	remotemodel "github.com/segedge/segedge/inference/remote"
)

// elsewhere is a model whose graphs an inference server runs, with the built-in one beside it.
type elsewhere struct {
	*failover.Model
	server *remotemodel.Server
}

// openElsewhere opens the built-in model and asks the server for the other once. A server that is away, or whose model is refused, is asked
// again while the agent runs.
func openElsewhere(ctx context.Context, rt *onnx.Runtime, c config.Model, state string, log *slog.Logger) (served, error) {
	server, err := newServer(&c.Remote)
	if err != nil {
		return nil, err
	}
	parts, err := remoteParts(rt, c, state)
	if err != nil {
		return nil, err
	}
	local, err := openAny(ctx, rt, config.Model{Provider: c.Provider, Threads: c.Threads, Input: c.Input}, state, log)
	if err != nil {
		return nil, err
	}
	m := failover.New(failover.Options{
		Local: local, Where: c.Remote.Address, Logger: log,
		Connect: func(ctx context.Context) (inference.Segmenter, error) { return connect(ctx, server, parts, c) },
	})
	if err := m.Connect(ctx); err != nil {
		log.Warn("the inference server's model does not serve: the built-in one does until then", "server", c.Remote.Address, "reason", err)
	}
	return &elsewhere{m, server}, nil
}

// connect makes the server's model, and proves it by pictures whose answers are known.
func connect(ctx context.Context, server *remotemodel.Server, parts remotemodel.Parts, c config.Model) (inference.Segmenter, error) {
	m, err := server.Open(ctx, parts, inference.Options{Name: c.Remote.Encoder, Side: c.Input})
	if err != nil {
		return nil, err
	}
	if err := known.Prove(ctx, m); err != nil {
		_ = m.Close()
		return nil, fmt.Errorf("model %s on %s is refused: %w", c.Remote.Encoder, c.Remote.Address, err)
	}
	return m, nil
}

// newServer makes the client of the configured server.
func newServer(c *config.Remote) (*remotemodel.Server, error) {
	o := remotemodel.Options{Address: c.Address, Timeout: c.Timeout, Retries: c.Retries}
	if c.TokenFile != "" {
		o.Token = func() (string, error) {
			text, err := os.ReadFile(c.TokenFile)
			if err != nil {
				return "", fmt.Errorf("model.remote.token_file: %w", err)
			}
			return strings.TrimSpace(string(text)), nil
		}
	}
	if c.CA != "" || c.Cert != "" {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("model.remote.ca: %w", err)
		}
		if o.TLS.RootCAs = x509.NewCertPool(); !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("model.remote.ca: %s has no certificate in PEM", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("model.remote.cert: %w", err)
		}
		o.TLS.Certificates = []tls.Certificate{pair}
	}
	return remotemodel.New(o)
}

// remoteParts says which graphs are on the server, and which file is the decoder where it is not.
func remoteParts(rt *onnx.Runtime, c config.Model, state string) (remotemodel.Parts, error) {
	p := remotemodel.Parts{
		Encoder: remotemodel.Model{Name: c.Remote.Encoder}, Decoder: remotemodel.Model{Name: c.Remote.Decoder},
		Family: c.Family, JPEG: c.Remote.Picture == "jpeg",
		Load: rt.Loader(onnx.SessionOptions{Threads: c.Threads}),
	}
	switch {
	case c.Remote.Decoder != "":
	case c.Decoder != "":
		p.Local = []inference.File{{Path: c.Decoder}}
	default:
		_, files, err := modelFiles(c, state)
		if err != nil {
			return p, err
		}
		if r, err := memory.Recognise(files...); err == nil {
			return p, fmt.Errorf("%s is %s: its parts run together, not on two machines", c.Name, r.Title)
		}
		p.Local = files
	}
	return p, nil
}
