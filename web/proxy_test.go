package web

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

func TestFrontIsChecked(t *testing.T) {
	for base, ok := range map[string]bool{"": true, "/": true, "/cam": true, "/cam/yard/": true, "cam": false, "/a//b": false, "/a/../b": false, "/a?b": false, `/a"b`: false} {
		if _, err := newFront(base, nil); (err == nil) != ok {
			t.Errorf("base %q: %v", base, err)
		}
	}
	for proxy, ok := range map[string]bool{"127.0.0.1": true, "10.0.0.0/8": true, "fd00::/8": true, "proxy": false, "10.0.0.0/99": false} {
		if _, err := newFront("", []string{proxy}); (err == nil) != ok {
			t.Errorf("proxy %q: %v", proxy, err)
		}
	}
}

// What a request looks like to the door, by what lies in front.
func TestFront(t *testing.T) {
	f, err := newFront("/cam/yard", []string{"192.0.2.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	var got string
	door := f.wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = fmt.Sprint(r.Host, " ", r.URL.Path, " ", hostname(r.RemoteAddr), " ", isSecure(r))
	}))
	const proxy, stranger = "192.0.2.9:1000", "203.0.113.5:1000"
	for _, c := range []struct {
		from, path string
		headers    []string
		want       string
	}{
		{stranger, "/", nil, "box / 203.0.113.5 false"},
		{stranger, "/cam/yard/api/v1/info", nil, "box /api/v1/info 203.0.113.5 false"},
		{stranger, "/cam/yardstick", nil, "box /cam/yardstick 203.0.113.5 false"},
		{stranger, "/", []string{"X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-For: 127.0.0.1"}, "box / 203.0.113.5 false"},
		{proxy, "/", []string{"X-Forwarded-Host: cams.example", "X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7"}, "cams.example / 198.51.100.7 true"},
		{proxy, "/", []string{"X-Forwarded-For: 127.0.0.1, 198.51.100.7, 192.0.2.8"}, "box / 198.51.100.7 false"},
		{proxy, "/", []string{"X-Forwarded-For: rubbish", "X-Forwarded-Host: a, b"}, "box / 192.0.2.9 false"},
		{proxy, "/", []string{"X-Forwarded-Host: localhost"}, "box / 192.0.2.9 false"},
		{proxy, "/", []string{"X-Forwarded-Host: 127.0.0.1:8080"}, "box / 192.0.2.9 false"},
		{proxy, "/", nil, "box / 192.0.2.9 false"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Host, r.RemoteAddr = "box", c.from
		for _, h := range c.headers {
			name, value, _ := strings.Cut(h, ": ")
			r.Header.Set(name, value)
		}
		door.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s %s %q: %s, want %s", c.from, c.path, c.headers, got, c.want)
		}
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, httptest.NewRequest("GET", "/cam/yard?a=b", nil))
	if w.Code != http.StatusPermanentRedirect || w.Header().Get("Location") != "/cam/yard/?a=b" {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
}

// The cookie of a page below a path is that page's alone, and is secure where the proxy's client came over TLS.
func TestLoginBehindAProxy(t *testing.T) {
	door := newDoor(t, Options{Token: token, BasePath: "/cam/", TrustedProxies: []string{"192.0.2.1"}}) // httptest's client
	res := ask(door, "GET", "/cam/?token="+token, "", "X-Forwarded-Proto: https", "X-Forwarded-Host: cams.example")
	c := res.Cookies()
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "./" || len(c) != 1 || c[0].Path != "/cam/" || !c[0].Secure || c[0].Name != "segedge" {
		t.Errorf("%d %v %+v", res.StatusCode, res.Header, c)
	}
}

// throughProxy opens the page as it is reached through a proxy, and does what a person does.
func throughProxy(t *testing.T, b *browser, address string) {
	t.Helper()
	b.agent.set(func(f *fakeAgent) {
		f.next, f.objects = 7, []seg.Object{{ID: 7, Name: "dog", State: seg.Tracking, Mask: disc(0.2, 0.2, 0.1)}}
	})
	b.openAt(address + "?token=" + token)
	b.Live()
	b.Click(0.5, 0.5)
	b.command(1)
	status := eval[int](b, `fetch("api/v1/cameras/cam/clear", {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}).then((r) => r.status)`)
	if status != 200 {
		t.Errorf("a command over HTTP: %d", status)
	}
	b.eventually("everything is under the proxy's path", func() bool {
		for _, r := range b.Watch.Requests() {
			if !strings.Contains(r, address) {
				t.Errorf("%s is not below %s", r, address)
			}
		}
		return true
	})
	if here := eval[string](b, `location.href`); here != address {
		t.Errorf("the address is %s, want %s", here, address)
	}
	b.Clean()
}

func TestPageBehindAProxy(t *testing.T) {
	for name, c := range map[string]struct {
		base, path, strip string
	}{
		"Host rewritten":               {"", "/", ""},
		"below a path, taken off":      {"", "/cam/yard/", "/cam/yard"},
		"below a path, which is known": {"/cam/yard", "/cam/yard/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := prepareWith(t, Options{Token: token, BasePath: c.base})
			to, _ := url.Parse(b.server.URL)
			proxy := httptest.NewServer(http.StripPrefix(c.strip, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}))
			t.Cleanup(proxy.Close)
			throughProxy(t, b, proxy.URL+c.path)
		})
	}
}

// A real nginx with its defaults, which rewrite Host and take the path off.
func TestPageBehindNginx(t *testing.T) {
	nginx := os.Getenv("SEGEDGE_NGINX")
	if nginx == "" {
		nginx, _ = exec.LookPath("nginx")
	}
	if nginx == "" {
		t.Skip("no nginx on this machine: install the package nginx, or set SEGEDGE_NGINX")
	}
	b := prepareWith(t, Options{Token: token})
	l := listen(t)
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;
events {}
http {
	access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen %[2]s; location /cam/yard/ { proxy_pass %[3]s/; } }
}`, dir, addr, b.server.URL)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nginx, "-p", dir, "-e", "stderr", "-c", file)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			break
		} else if time.Now().After(end) {
			t.Fatalf("nginx does not listen: %v", err)
		}
	}
	throughProxy(t, b, "http://"+addr+"/cam/yard/")
}

// The page takes the STUN and TURN servers that the agent names.
func TestPageUsesTheAgentsServers(t *testing.T) {
	b := prepare(t, "cam", "yard")
	b.whep.links = []string{
		`<stun:127.0.0.1:9>; rel="ice-server"`,
		`<turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="jo\"e"; credential="a,b;c"; credential-type="password"`,
		`<https://127.0.0.1/help>; rel="help"`,
	}
	b.open()
	b.Live()
	got := eval[string](b, `new Promise(async (done) => { const real = window.RTCPeerConnection;
		window.RTCPeerConnection = function (c) { done(JSON.stringify(c.iceServers)); return new real(c); };
		const s = document.getElementById("camera"); s.value = "yard"; s.dispatchEvent(new Event("change")); })`)
	if want := `[{"urls":"stun:127.0.0.1:9"},{"urls":"turn:127.0.0.1:9?transport=udp","username":"jo\"e","credential":"a,b;c"}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
