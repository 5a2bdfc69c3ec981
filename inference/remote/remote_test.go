package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/remote/remotetest"
)

// twice is a graph that doubles x and tells the sum of n.
type twice struct{ seen func([]inference.Tensor) }

func (twice) Inputs() []inference.Port {
	return []inference.Port{{Name: "x", Type: "float32", Shape: []int64{-1, 3}}, {Name: "n", Type: "int64", Shape: []int64{2}}}
}

func (twice) Outputs() []inference.Port {
	return []inference.Port{{Name: "sum", Type: "float32", Shape: []int64{1}}, {Name: "y", Type: "float32", Shape: []int64{-1, 3}}}
}

func (g twice) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	if g.seen != nil {
		g.seen(in)
	}
	x, n := in[0], in[1]
	y := make([]float32, len(x.Float32))
	for i, v := range x.Float32 {
		y[i] = 2 * v
	}
	return []inference.Tensor{
		{Name: "sum", Shape: []int64{1}, Float32: []float32{float32(n.Int64[0] + n.Int64[1])}}, {Name: "y", Shape: x.Shape, Float32: y},
	}, func() {}, nil
}

func (twice) Close() error { return nil }

// ask is a call that twice can answer.
func ask() []inference.Tensor {
	return []inference.Tensor{
		{Name: "n", Shape: []int64{2}, Int64: []int64{-5, 1 << 20}},
		{Name: "x", Shape: []int64{2, 3}, Float32: []float32{1, 2, 3, -4, 0.5, 1e9}},
	}
}

// serve starts a server and a client of it.
func serve(t *testing.T, scheme string, srv *remotetest.Server, o Options) *Server {
	t.Helper()
	if srv.Graphs == nil {
		srv.Graphs = map[string]inference.Graph{"twice": twice{}}
	}
	addr, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Address = remotetest.Address(scheme, addr)
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), srv.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func loadTwice(t *testing.T, s *Server, outputs ...string) *Graph {
	t.Helper()
	c, err := s.Describe(t.Context(), Model{Name: "twice"})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Load(Model{Name: "twice"}, c, outputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func bothWays(t *testing.T, f func(t *testing.T, scheme string)) {
	for _, scheme := range []string{"http", "grpc"} {
		t.Run(scheme, func(t *testing.T) { f(t, scheme) })
	}
}

func TestAGraphRunsThere(t *testing.T) {
	bothWays(t, func(t *testing.T, scheme string) {
		s := serve(t, scheme, &remotetest.Server{Token: "secret"}, Options{Token: func() (string, error) { return "secret", nil }})
		if err := s.Ready(t.Context(), Model{Name: "twice"}); scheme == "grpc" && err != nil {
			t.Error(err)
		}
		g := loadTwice(t, s, "y", "sum")
		if got := g.Inputs(); len(got) != 2 || got[0].String() != "x float32 [? 3]" || got[1].String() != "n int64 [2]" {
			t.Errorf("inputs %v", got)
		}
		for range 3 { // memory comes again
			out, release, err := g.Run(t.Context(), ask())
			if err != nil {
				t.Fatal(err)
			}
			if len(out) != 2 || out[0].Name != "y" || out[0].Float32[4] != 1 || out[0].Float32[5] != 2e9 || out[0].Shape[0] != 2 || out[1].Float32[0] != 1<<20-5 {
				t.Fatalf("%+v", out)
			}
			release()
			release()
		}
		if tr := s.Traffic(); tr.Sent < 3*40 || tr.Received < 3*28 || tr.Failed != 0 {
			t.Errorf("traffic %+v", tr)
		}
		if _, _, err := g.Run(t.Context(), ask()[:1]); err == nil || !strings.Contains(err.Error(), `input "x" is missing`) {
			t.Error(err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := g.Run(t.Context(), ask()); err == nil {
			t.Error("a closed graph runs")
		}
	})
}

// Two calls at once do not share memory, and outputs stay until they are released.
func TestAnswersDoNotMix(t *testing.T) {
	bothWays(t, func(t *testing.T, scheme string) {
		g := loadTwice(t, serve(t, scheme, &remotetest.Server{}, Options{}), "y")
		errs := make(chan error, 8)
		for k := range cap(errs) {
			go func() {
				q := ask()
				for i := range q[1].Float32 {
					q[1].Float32[i] = float32(k)
				}
				for range 20 {
					out, release, err := g.Run(t.Context(), q)
					if err == nil && out[0].Float32[5] != float32(2*k) {
						err = errors.New("the answer is another's")
					}
					if err != nil {
						errs <- err
						return
					}
					release()
				}
				errs <- nil
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// Each way a server may fail gives one sentence, and none a panic, a wrong answer, or memory without bound.
func TestFaults(t *testing.T) {
	infer := func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "infer") || strings.HasSuffix(r.URL.Path, "ModelInfer")
	}
	status := func(code int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !infer(r) {
				return false
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	tamper := func(f func(out []inference.Tensor) []inference.Tensor) *remotetest.Server {
		return &remotetest.Server{Tamper: f}
	}
	for _, c := range []struct {
		name     string
		server   *remotetest.Server
		says     string
		http     string // where HTTP says something else
		attempts uint64 // 1, or 3 where it is worth to be repeated
	}{
		{"503", &remotetest.Server{Fault: status(503, `{"error":"no memory"}`)}, "503 Service Unavailable: no memory", "", 3},
		{"429", &remotetest.Server{Fault: status(429, "")}, "429 Too Many Requests", "", 3},
		{"400", &remotetest.Server{Fault: status(400, "a\n page \x00")}, "400 Bad Request: a page", "", 1},
		{"401", &remotetest.Server{Fault: status(401, "")}, "look at model.remote.token_file", "", 1},
		{"415", &remotetest.Server{Fault: status(415, "")}, "at its grpc:// address", "", 1},
		{"a page", &remotetest.Server{Fault: status(200, "<html>"+strings.Repeat("x", 300))}, "is this a gRPC address?", "its JSON", 0},
		{"elsewhere", &remotetest.Server{Fault: func(w http.ResponseWriter, r *http.Request) bool {
			if infer(r) {
				http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
			}
			return infer(r)
		}}, "307 Temporary Redirect", "", 1},
		{"cut off", &remotetest.Server{Fault: func(w http.ResponseWriter, r *http.Request) bool {
			if infer(r) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, "abc")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			return false
		}}, "cut off after 3 bytes", "", 3},
		{"huge", &remotetest.Server{Fault: func(w http.ResponseWriter, r *http.Request) bool {
			if infer(r) {
				w.Header().Set("Content-Length", "99999999999")
			}
			return infer(r)
		}}, "99999999999 bytes, and 65536 are the most", "", 1},
		{"endless", &remotetest.Server{Fault: func(w http.ResponseWriter, r *http.Request) bool {
			for infer(r) {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return true
				}
			}
			return false
		}}, "more than 65536 bytes", "", 1},
		{"wrong type", tamper(func(out []inference.Tensor) []inference.Tensor {
			out[0].Float32, out[0].Int64 = nil, []int64{7}
			return out
		}), `output "sum" is int64, and float32 by its metadata`, "", 1},
		{"unknown type", tamper(func(out []inference.Tensor) []inference.Tensor {
			out[0].Float32, out[0].Uint8 = nil, []byte{7}
			return out
		}), `output "sum" is UINT8: export the model with float32 outputs`, "", 1},
		{"wrong shape", tamper(func(out []inference.Tensor) []inference.Tensor {
			out[1].Shape = []int64{3, 2}
			return out
		}), `output "y" is [3 2], and [-1 3] by its metadata`, "", 1},
		{"shape without numbers", tamper(func(out []inference.Tensor) []inference.Tensor {
			out[1].Shape = []int64{1 << 40, 3}
			return out
		}), `output "y": 24 bytes for shape [1099511627776 3]`, "", 1},
		{"a shape below zero", tamper(func(out []inference.Tensor) []inference.Tensor {
			out[1].Shape = []int64{-2, -3}
			return out
		}), `output "y": 24 bytes for shape [-2 -3]`, "", 1},
		{"too few", tamper(func(out []inference.Tensor) []inference.Tensor { return out[:1] }), `lacks the output "y"`, "", 1},
		{"none", tamper(func([]inference.Tensor) []inference.Tensor { return nil }), `lacks the output "sum"`, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, scheme string) {
				srv := &remotetest.Server{Fault: c.server.Fault, Tamper: c.server.Tamper}
				s := serve(t, scheme, srv, Options{Retries: 2, MaxReply: 1 << 16})
				g := loadTwice(t, s)
				before := s.Traffic().Calls
				_, _, err := g.Run(t.Context(), ask())
				says := c.says
				if scheme == "http" && c.http != "" {
					says = c.http
				}
				if err == nil || !strings.Contains(err.Error(), says) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 500 {
					t.Errorf("it says %v, want …%s…", err, says)
				}
				if n := s.Traffic().Calls - before; c.attempts != 0 && n != c.attempts {
					t.Errorf("%d attempts, want %d", n, c.attempts)
				}
			})
		})
	}
}

// A failure that passes is not seen, but for the count.
func TestAPassingFailureIsRepeated(t *testing.T) {
	bothWays(t, func(t *testing.T, scheme string) {
		var bad atomic.Int32
		s := serve(t, scheme, &remotetest.Server{Fault: func(w http.ResponseWriter, _ *http.Request) bool {
			if bad.Add(-1) < 0 {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}}, Options{Retries: 2})
		g := loadTwice(t, s)
		bad.Store(2)
		if _, _, err := g.Run(t.Context(), ask()); err != nil {
			t.Error(err)
		}
		if n := s.Traffic().Failed; n != 2 {
			t.Errorf("%d failed", n)
		}
	})
}

// A server that does not answer holds nobody for longer than the limit, nor than the caller waits.
func TestASlowServerIsLeft(t *testing.T) {
	bothWays(t, func(t *testing.T, scheme string) {
		var hold atomic.Bool
		s := serve(t, scheme, &remotetest.Server{Fault: func(_ http.ResponseWriter, r *http.Request) bool {
			if !hold.Load() {
				return false
			}
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return true
		}}, Options{Retries: 5, Timeout: 300 * time.Millisecond})
		g := loadTwice(t, s)
		hold.Store(true)
		if _, _, err := g.Run(t.Context(), ask()); !errors.Is(err, errLate) {
			t.Errorf("the limit: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := g.Run(ctx, ask()); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller who went away: %v", err)
		}
	})
}

func TestWhatIsNoServer(t *testing.T) {
	for _, c := range []struct{ address, says string }{
		{"", "is none"}, {"gpu:8000", "write http://"}, {"ftp://gpu", `"ftp" is no way`}, {"http://", "is none"},
	} {
		if _, err := New(Options{Address: c.address}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v", c.address, err)
		}
	}
	s, err := New(Options{Address: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Describe(t.Context(), Model{Name: "m"}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
	other := serve(t, "grpc", &remotetest.Server{}, Options{})
	if _, err := other.Describe(t.Context(), Model{Name: "m"}); err == nil || !strings.Contains(err.Error(), `not found: model "m" is not found`) {
		t.Error(err)
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}abcd`), "88")
	f.Add([]byte{0x2a, 4, 10, 2, 'y', 'y', 0x32, 1, 0}, "")
	f.Fuzz(func(_ *testing.T, data []byte, length string) {
		a := answer{raw: data}
		_ = a.parseREST(length, []string{"y"})
		_ = a.parseInfer(data, []string{"y"})
	})
}
