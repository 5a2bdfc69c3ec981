package main

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/provider"
	"github.com/segedge/segedge/inference/remote/remotetest"
	"github.com/segedge/segedge/seg"
)

// TestAServerThatGoesAwayAndComesBack runs the encoder, and both graphs, on a server: nobody who asks is refused while it is away, and it
// serves again by itself.
func TestAServerThatGoesAwayAndComesBack(t *testing.T) {
	rt, err := onnx.Open(onnx.Options{})
	if errors.Is(err, onnx.ErrNoLibrary) {
		t.Skipf("SKIPPED, no model was run elsewhere: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	}()
	graphs, err := servedGraphs(rt, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, g := range graphs {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	tokens := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokens, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ scheme, decoder string }{{"http", ""}, {"grpc", "decoder"}} {
		t.Run(c.scheme, func(t *testing.T) {
			serve := func(addr string) (*remotetest.Server, string) {
				s := &remotetest.Server{Graphs: graphs, Token: "secret"}
				got, err := s.Listen(addr)
				if err != nil {
					t.Fatal(err)
				}
				return s, got.String()
			}
			server, addr := serve("127.0.0.1:0")
			cfg := config.Default().Model
			cfg.Remote.Address, cfg.Remote.Encoder, cfg.Remote.Decoder = c.scheme+"://"+addr, "encoder", c.decoder
			cfg.Remote.TokenFile, cfg.Remote.Timeout = tokens, time.Minute
			m, err := openOn(t.Context(), rt, cfg, t.TempDir(), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}()
			ask := func(where string) {
				t.Helper()
				if i := m.Info(); i.Provider != where || (i.Away == "") != (where == "remote") {
					t.Errorf("it runs on %s, want %s: %s", i.Provider, where, i.Away)
				}
				emb, err := m.Embed(t.Context(), provider.TestPicture())
				if err != nil {
					t.Fatal(err)
				}
				defer emb.Close()
				a, err := emb.Decode(t.Context(), []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: 0.32, Y: 0.5}, Label: seg.Positive}}}})
				if err != nil || a[0].Best() == nil {
					t.Fatalf("%v %+v", err, a)
				}
			}
			ask("remote")
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			fallen, err := m.Embed(t.Context(), provider.TestPicture()) // nobody has noticed yet
			if err != nil {
				t.Fatal(err)
			}
			if err := fallen.Close(); err != nil {
				t.Error(err)
			}
			ask("cpu")
			e, _ := m.(*elsewhere)
			if err := e.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Error(err)
			}
			server, _ = serve(addr)
			if err := e.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			ask("remote")
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
