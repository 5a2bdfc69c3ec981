package web

import (
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	links    = regexp.MustCompile(`(?:href|src)="([^"]+)"|from "([^"]+)"`)
	absolute = regexp.MustCompile("[`\"'](/api/|/whep/|/js/|/style|/icon)[^`\"']*")
	outside  = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}`)
)

// Every file that the page names is there, and nothing is fetched from outside.
func TestPageIsWhole(t *testing.T) {
	p, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range p {
		if a.contentType == "" {
			t.Errorf("%s has no content type", name)
		}
		for _, m := range links.FindAllStringSubmatch(string(a.body), -1) {
			target := m[1] + m[2]
			if strings.HasPrefix(target, "/") {
				t.Errorf("%s names %s: below a path of a proxy that is somebody else's", name, target)
			}
			target = path.Join(path.Dir(name), target)
			if _, ok := p[target]; !ok {
				t.Errorf("%s names %s, which is not there", name, target)
			}
		}
		for _, m := range absolute.FindAllString(string(a.body), -1) {
			t.Errorf("%s asks for %s: below a path of a proxy that is somebody else's", name, m)
		}
		for _, u := range outside.FindAllString(string(a.body), -1) {
			if u != "http://www.w3.org" { // the SVG namespace, fetched by nobody
				t.Errorf("%s names %s", name, u)
			}
		}
		if strings.Contains(string(a.body), "innerHTML") {
			t.Errorf("%s uses innerHTML: names come from strangers", name)
		}
	}
}

func TestPageIsRevalidated(t *testing.T) {
	door := newDoor(t, Options{})
	first := ask(door, "GET", "/js/app.js", "")
	etag := first.Header.Get("ETag")
	if etag == "" || first.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("ETag %q, Cache-Control %q", etag, first.Header.Get("Cache-Control"))
	}
	again := ask(door, "GET", "/js/app.js", "", "If-None-Match: "+etag)
	if body, _ := io.ReadAll(again.Body); again.StatusCode != 304 || len(body) != 0 {
		t.Errorf("%d with %d bytes, want 304 with none", again.StatusCode, len(body))
	}
	if other := ask(door, "GET", "/", "", "If-None-Match: "+etag); other.StatusCode != 200 {
		t.Errorf("%d for another file's tag", other.StatusCode)
	}
}

// The whole page is small: it opens at once on a phone, over a bad network.
func TestPageIsSmall(t *testing.T) {
	p, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, a := range p {
		total += len(a.body)
	}
	if total > 160<<10 {
		t.Errorf("the page has %d bytes", total)
	}
}
