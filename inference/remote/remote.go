// Package remote runs graphs on another machine: a server that speaks the Open Inference Protocol (KServe's second), as Triton, OpenVINO
// Model Server, KServe and MLServer do, over HTTP with binary tensors or over gRPC. Its Graph is an inference.Graph, so a model's encoder,
// or both of its graphs, may run there. It chooses no model and falls back to none: inference/failover does.
//
// Source: the protocol's description (github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md and
// inference_grpc.md) and Triton's extension for binary tensors (docs/protocol/extension_binary_data.md).
package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/secret"
)

// Provider is what a model that runs here says of where it runs.
const Provider = "remote"

// Options of a Server.
type Options struct {
	// Address is where the server listens: http://host:8000, https://host, grpc://host:8001 or grpcs://host.
	Address string
	// TLS are the settings of https and grpcs; nil are the system's.
	TLS *tls.Config
	// Token gives the bearer token of a call; nil sends none. It is asked at every call, so that a new one counts at once.
	Token func() (string, error)
	// Timeout bounds a call with all its repetitions; 0 is 2 s.
	Timeout time.Duration
	// Retries are the repetitions of a call that may go better the next time: refused, cut off, 5xx.
	Retries int
	// MaxReply is the longest reply in bytes that is read; 0 is 64 MiB. The largest of the published models' is a quarter of that.
	MaxReply int64
}

// Traffic is what went over the network, of all calls.
type Traffic struct {
	Sent, Received uint64 // bytes of requests and replies, without what HTTP and TLS add
	Calls          uint64 // repetitions count
	Failed         uint64 // calls that brought no answer
}

// Server is an inference server. Safe for concurrent use. It connects when it is first called.
type Server struct {
	o     Options
	link  *link
	speak protocol

	sent, received, calls, failed atomic.Uint64
}

// Model names a model of a server.
type Model struct {
	Name    string
	Version string // empty is the server's choice
}

func (m Model) String() string { return m.Name }

// protocol is one of the ways to speak to a server. Its calls are repeated by the Server, where that may help.
type protocol interface {
	// ready reports why a model does not serve.
	ready(ctx context.Context, m Model) error
	// describe asks for a model's inputs and outputs.
	describe(ctx context.Context, m Model) (inputs, outputs []inference.Port, err error)
	// infer runs a model. The answer has the outputs asked for, in that order.
	infer(ctx context.Context, m Model, q *question, a *answer) error
}

// New makes a client; it connects to nothing yet.
func New(o Options) (*Server, error) {
	u, err := secret.ParseURL(o.Address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("the address %q of the inference server is none: write http://host:8000 or grpc://host:8001",
			secret.MaskValue(o.Address))
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.MaxReply <= 0 {
		o.MaxReply = 64 << 20
	}
	s := &Server{o: o}
	var protocols http.Protocols
	switch u.Scheme {
	case "http", "https":
		protocols.SetHTTP1(true)
		s.link = newLink(s, u.Scheme+"://"+u.Host+u.Path, &protocols)
		s.speak = &rest{s.link}
	case "grpc", "grpcs":
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(u.Scheme == "grpc")
		s.link = newLink(s, map[string]string{"grpc": "http", "grpcs": "https"}[u.Scheme]+"://"+u.Host, &protocols)
		s.speak = &rpc{s.link}
	default:
		return nil, fmt.Errorf("%q is no way to an inference server: write http, https, grpc or grpcs", u.Scheme)
	}
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.o.Address }

// Traffic is what went over the network so far.
func (s *Server) Traffic() Traffic {
	return Traffic{Sent: s.sent.Load(), Received: s.received.Load(), Calls: s.calls.Load(), Failed: s.failed.Load()}
}

// Ready reports why a model does not serve; nil when it does.
func (s *Server) Ready(ctx context.Context, m Model) error {
	return s.call(ctx, func(ctx context.Context) error { return s.speak.ready(ctx, m) })
}

// Describe asks what a model takes and gives.
func (s *Server) Describe(ctx context.Context, m Model) (*inference.Contract, error) {
	c := &inference.Contract{}
	err := s.call(ctx, func(ctx context.Context) (err error) {
		c.Inputs, c.Outputs, err = s.speak.describe(ctx, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("model %s on %s: %w", m, s.o.Address, err)
	}
	if len(c.Inputs) == 0 || len(c.Outputs) == 0 {
		return nil, fmt.Errorf("model %s on %s: the server does not say what it takes and gives: give the model there its metadata",
			m, s.o.Address)
	}
	return c, nil
}

// Close ends connections that are idle. Graphs are closed first.
func (s *Server) Close() error {
	s.link.client.CloseIdleConnections()
	return nil
}

// call does something within the time limit, and again where that may help.
func (s *Server) call(ctx context.Context, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var err error
	for n := 0; ; n++ {
		s.calls.Add(1)
		if err = do(limited); err == nil {
			return nil
		}
		s.failed.Add(1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if limited.Err() != nil {
			return fmt.Errorf("the server has not answered within %v: %w", s.o.Timeout, errLate)
		}
		if _, again := errors.AsType[*passing](err); !again || n >= s.o.Retries {
			return err
		}
		select {
		case <-limited.Done():
		case <-time.After(retryWait << min(n, 4)):
		}
	}
}

// retryWait is how long the first repetition waits; the next twice as long.
const retryWait = 20 * time.Millisecond

// errLate is a call that took too long.
var errLate = errors.New("it is too slow, or away")

// ErrReply is a reply that the protocol does not allow, or that is not what the model said it gives.
var ErrReply = errors.New("the server's reply is wrong")

// passing is a failure that may be gone the next time.
type passing struct{ error }

func (p *passing) Unwrap() error { return p.error }
