package webtest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Watch records what a tab does wrong. Safe for concurrent use.
type Watch struct {
	host string

	mu       sync.Mutex
	problems []string
	requests []string
}

// NewWatch listens to the tab of ctx: console errors, uncaught exceptions, and requests that leave host
// ("127.0.0.1:8080"). Call it before the page is opened.
func NewWatch(ctx context.Context, host string) (*Watch, error) {
	w := &Watch{host: host}
	if err := chromedp.Listen(ctx, w.see); err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return nil, err
	}
	_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
	return w, err
}

// Problems are the things seen so far that a good page does not do.
func (w *Watch) Problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.problems...)
}

// Requests are the addresses asked for so far, in order.
func (w *Watch) Requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.requests...)
}

func (w *Watch) see(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.requests = append(w.requests, e.Request.Method+" "+e.Request.URL)
		if !Inside(e.Request.URL, w.host) {
			w.problems = append(w.problems, "outside request: "+e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		w.problems = append(w.problems, "exception: "+thrown(e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.problems = append(w.problems, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			w.problems = append(w.problems, "console: "+words(e.Args))
		}
	}
}

// Inside reports whether an address stays on host, or needs no network at all (data:, blob:, about:).
func Inside(address, host string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "data", "blob", "about", "chrome":
		return true
	}
	return u.Host == host
}

func words(args []*runtime.RemoteObject) string {
	out := make([]string, 0, len(args))
	for _, a := range args {
		if len(a.Value) > 0 {
			out = append(out, string(a.Value))
		} else {
			out = append(out, a.Description)
		}
	}
	return strings.Join(out, " ")
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}
