// Package webtest drives the page in a real browser: it starts a headless Chromium for a test, and records what a
// good page must not produce, errors on its console and requests to anywhere but its own host. For tests only; it
// knows the browser, not the agent.
package webtest

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browsers are the names under which distributions install it.
var browsers = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}

// Find is the path of a Chromium: SEGEDGE_CHROMIUM, else the first on PATH; empty where there is none.
func Find() string {
	if p := os.Getenv("SEGEDGE_CHROMIUM"); p != "" {
		return p
	}
	for _, name := range browsers {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// Chromium starts a headless browser with a profile of its own and returns the context of its first tab, for
// chromedp.Run and chromedp.Do. The browser ends with the test, or with the returned function. Without a Chromium the
// test is skipped, and says so. It believes the servers whose certificates it is given, though nobody vouches for them.
func Chromium(t testing.TB, trusted ...*x509.Certificate) (context.Context, context.CancelFunc) {
	t.Helper()
	path := Find()
	if path == "" {
		t.Skip("no Chromium on this machine: install the package chromium, or set SEGEDGE_CHROMIUM")
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(options(path, t.TempDir()), trusting(trusted))...)
	tab, closeTab := chromedp.NewContext(alloc, chromedp.WithErrorf(t.Logf))
	end := func() {
		shut, done := context.WithTimeout(tab, 10*time.Second)
		defer done()
		_ = chromedp.Cancel(shut) // waits for the process, so that its profile can be removed
		closeTab()
		stop()
	}
	t.Cleanup(end)
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return tab, end
}

// trusting is the flag that has the browser believe servers with the keys of these certificates.
func trusting(certificates []*x509.Certificate) chromedp.ExecAllocatorOption {
	var keys []string
	for _, c := range certificates {
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		keys = append(keys, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(keys, ","))
}

// options are the flags beside chromedp's own: no sandbox since tests often run as root in a container, nothing that
// talks to the outside, and video that starts without a gesture.
func options(path, profile string) []chromedp.ExecAllocatorOption {
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.WSURLReadTimeout(60*time.Second), // two busy cores start a browser slowly
	)
	for _, f := range []string{
		"no-sandbox", "disable-gpu", "no-first-run", "disable-component-update", "disable-quic", "no-default-browser-check",
	} {
		opts = append(opts, chromedp.Flag(f, true))
	}
	return opts
}
