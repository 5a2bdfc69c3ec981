package web

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/web/webtest"
)

// browser is the page on a fake agent, in a real Chromium.
type browser struct {
	*webtest.Page
	t      *testing.T
	agent  *fakeAgent
	whep   *fakeWHEP
	server *httptest.Server
}

func openPage(t *testing.T, cameras ...string) *browser {
	t.Helper()
	b := prepare(t, cameras...)
	b.open()
	return b
}

// prepare has everything but the browser, for what must be so before anybody looks.
func prepare(t *testing.T, cameras ...string) *browser {
	t.Helper()
	return prepareWith(t, Options{}, cameras...)
}

func prepareWith(t *testing.T, o Options, cameras ...string) *browser {
	t.Helper()
	testkit.Long(t)
	if webtest.Find() == "" {
		t.Skip("no Chromium on this machine: install the package chromium, or set SEGEDGE_CHROMIUM")
	}
	if len(cameras) == 0 {
		cameras = []string{"cam"}
	}
	b := &browser{agent: newFakeAgent(cameras...)}
	b.whep = newFakeWHEP(t, b.agent)
	door, err := New(Options{Service: b.agent, WHEP: b.whep, Picture: o.Picture, Clips: o.Clips, Token: o.Token, BasePath: o.BasePath, TrustedProxies: o.TrustedProxies})
	if err != nil {
		t.Fatal(err)
	}
	b.server = httptest.NewServer(door)
	t.Cleanup(b.server.Close)
	b.t = t
	return b
}

func (b *browser) open() { b.openAt(b.server.URL) }

func (b *browser) openAt(address string) { b.Page = webtest.Open(b.t, address) }

func eval[V any](b *browser, js string) V {
	b.T.Helper()
	return webtest.Eval[V](b.Page, js)
}

// eventually waits for what happens on this side.
func (b *browser) eventually(what string, done func() bool) {
	b.T.Helper()
	for deadline := time.Now().Add(webtest.Wait); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.T.Fatalf("%s never came; commands: %s; requests: %q; problems: %q", what, b.agent.verbs(), b.Watch.Requests(), b.Watch.Problems())
		}
	}
}

// command waits for the agent's nth command.
func (b *browser) command(n int) api.Command {
	b.T.Helper()
	b.eventually("the command", func() bool { return len(b.agent.asked()) >= n })
	return b.agent.asked()[n-1]
}

// requested waits until the browser reports a request: its reports come after the fact.
func (b *browser) requested(want string) {
	b.T.Helper()
	b.eventually(want, func() bool { return slices.Contains(b.Watch.Requests(), want) })
}

// shot keeps a picture where SEGEDGE_SHOTS names a folder, for people to look at.
func (b *browser) shot(name string) {
	b.T.Helper()
	dir := os.Getenv("SEGEDGE_SHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(name, ".png")+".png"), b.Screenshot(), 0o644); err != nil {
		b.T.Fatal(err)
	}
}
