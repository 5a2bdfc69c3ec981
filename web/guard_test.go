package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const token = "correct-horse-battery"

func TestWithoutToken(t *testing.T) {
	door := newDoor(t, Options{})
	const clear = "/api/v1/cameras/cam/clear"
	for _, c := range []struct {
		name, method, target string
		headers              []string
		status               int
	}{
		{"localhost", "GET", "/", []string{"Host: localhost:8080"}, 200},
		{"no port", "GET", "/", []string{"Host: localhost"}, 200},
		{"trailing dot", "GET", "/", []string{"Host: LOCALHOST.:80"}, 200},
		{"a name under localhost", "GET", "/", []string{"Host: segedge.localhost:80"}, 200},
		{"IPv4", "GET", "/", []string{"Host: 127.0.0.1:8080"}, 200},
		{"all of 127/8", "GET", "/", []string{"Host: 127.8.8.8"}, 200},
		{"IPv6", "GET", "/", []string{"Host: [::1]:8080"}, 200},
		{"IPv6, no port", "GET", "/", []string{"Host: [::1]"}, 200},
		{"mapped", "GET", "/", []string{"Host: [::ffff:127.0.0.1]:80"}, 200},
		{"rebound name", "GET", "/", []string{"Host: evil.example:8080"}, 421},
		{"rebound name that looks like it", "GET", "/", []string{"Host: localhost.evil.example"}, 421},
		{"another", "GET", "/", []string{"Host: notlocalhost"}, 421},
		{"network address", "GET", "/", []string{"Host: 192.168.1.7:8080"}, 421},
		{"no host", "GET", "/", []string{"Host: "}, 421},
		{"health from anywhere", "GET", "/healthz", []string{"Host: evil.example"}, 200},
		{"metrics not from anywhere", "GET", "/metrics", []string{"Host: evil.example"}, 421},
		{"own page", "POST", clear, []string{"Origin: http://localhost:8080", "Sec-Fetch-Site: same-origin"}, 200},
		{"no page", "POST", clear, nil, 200},
		{"own page, whose Host a proxy has rewritten", "POST", clear, []string{"Origin: https://box.lan", "Sec-Fetch-Site: same-origin"}, 200},
		{"another page", "POST", clear, []string{"Origin: http://evil.example"}, 403},
		{"another port", "POST", clear, []string{"Origin: http://localhost:9090"}, 403},
		{"a sandboxed page", "POST", clear, []string{"Origin: null"}, 403},
		{"another site, says the browser", "POST", clear, []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"the same site's other port, says the browser", "POST", clear, []string{"Sec-Fetch-Site: same-site"}, 403},
		{"no origin that parses", "POST", clear, []string{"Origin: http://%zz"}, 403},
		{"reading from another page: CORS keeps it from the answer", "GET", "/api/v1/info", []string{"Origin: http://evil.example"}, 200},
	} {
		if res := ask(door, c.method, c.target, "", c.headers...); res.StatusCode != c.status {
			body, _ := io.ReadAll(res.Body)
			t.Errorf("%s: %d, want %d: %s", c.name, res.StatusCode, c.status, body)
		}
	}
}

func TestWithToken(t *testing.T) {
	whep := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	door := newDoor(t, Options{Token: token, WHEP: whep})
	cookie := "Cookie: segedge_8080=" + cookieOf(token)
	const host, clear = "Host: box.lan:8080", "/api/v1/cameras/cam/clear"
	for _, c := range []struct {
		name, method, target string
		headers              []string
		status               int
	}{
		{"nothing", "GET", "/api/v1/info", nil, 401},
		{"bearer", "GET", "/api/v1/info", []string{"Authorization: Bearer " + token}, 200},
		{"wrong bearer", "GET", "/api/v1/info", []string{"Authorization: Bearer " + token + "x"}, 401},
		{"empty bearer", "GET", "/api/v1/info", []string{"Authorization: Bearer "}, 401},
		{"basic", "GET", "/api/v1/info", []string{"Authorization: Basic " + token}, 401},
		{"cookie", "GET", "/", []string{cookie}, 200},
		{"the token as cookie", "GET", "/", []string{"Cookie: segedge_8080=" + token}, 401},
		{"another port's cookie", "GET", "/", []string{"Cookie: segedge_9090=" + cookieOf(token)}, 401},
		{"an old cookie beside a good one", "GET", "/", []string{"Cookie: segedge_8080=old; " + strings.TrimPrefix(cookie, "Cookie: ")}, 200},
		{"health", "GET", "/healthz", nil, 200},
		{"readiness", "GET", "/readyz", nil, 401},
		{"metrics", "GET", "/metrics", nil, 401},
		{"metrics for Prometheus", "GET", "/metrics", []string{"Authorization: Bearer " + token}, 200},
		{"WHEP", "POST", "/whep/cam", nil, 401},
		{"WHEP from a player elsewhere", "POST", "/whep/cam", []string{"Authorization: Bearer " + token, "Origin: http://player.example"}, 204},
		{"preflight", "OPTIONS", "/whep/cam", []string{"Origin: http://player.example", "Access-Control-Request-Method: POST"}, 204},
		{"no preflight", "OPTIONS", "/whep/cam", nil, 401},
		{"command, own page", "POST", clear, []string{cookie, "Origin: http://box.lan:8080"}, 200},
		{"command, own page, Host rewritten", "POST", clear, []string{cookie, "Origin: https://cams.example", "Sec-Fetch-Site: same-origin"}, 200},
		{"command, another page", "POST", clear, []string{cookie, "Origin: http://evil.example"}, 403},
		{"command, the cookie's host on another port", "POST", clear, []string{cookie, "Origin: http://box.lan:9090"}, 403},
		{"token in a command's address", "POST", clear + "?token=" + token, nil, 401},
		{"wrong token in the address", "GET", "/?token=nope", nil, 401},
	} {
		if res := ask(door, c.method, c.target, "", append([]string{host}, c.headers...)...); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.status)
		} else if res.StatusCode == 401 && res.Header.Get("WWW-Authenticate") != `Bearer realm="segedge"` {
			t.Errorf("%s: no WWW-Authenticate", c.name)
		}
	}
}

func TestLogin(t *testing.T) {
	door := newDoor(t, Options{Token: token})
	for target, want := range map[string]string{
		"/?token=" + token:                     "./",
		"/?camera=2&token=" + token:            "./?camera=2",
		"//evil.example/?token=" + token:       "./",
		"/%5Cevil.example?token=" + token:      "./evil.example",
		"/http:evil.example?token=" + token:    "./http:evil.example",
		"/api/v1/info?token=" + token + "&a=b": "./info?a=b",
	} {
		res := ask(door, "GET", target, "", "Host: box.lan:8080")
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != want {
			t.Errorf("%s: %d to %q, want 303 to %q", target, res.StatusCode, got, want)
			continue
		}
		c := res.Cookies()[0]
		if c.Name != "segedge_8080" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" || strings.Contains(c.Value, token) {
			t.Errorf("%s: cookie %+v", target, c)
		}
		if in := ask(door, "GET", "/", "", "Host: box.lan:8080", "Cookie: "+c.Name+"="+c.Value); in.StatusCode != 200 {
			t.Errorf("the cookie opens nothing: %d", in.StatusCode)
		}
	}
}

func TestLoginPage(t *testing.T) {
	door := newDoor(t, Options{Token: token})
	res := ask(door, "GET", "/", "", "Accept: text/html,*/*")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 401 || !strings.Contains(string(body), `name="token"`) || res.Header.Get("Content-Security-Policy") != loginPolicy {
		t.Errorf("%d %s %s", res.StatusCode, res.Header, body)
	}
	if strings.Contains(string(body), token) {
		t.Error("the token is on the page")
	}
	body, _ = io.ReadAll(ask(door, "GET", "/api/v1/info", "").Body)
	if !strings.Contains(string(body), `"code":"unauthorised"`) {
		t.Errorf("programs get %s", body)
	}
}

func TestCheckListen(t *testing.T) {
	for _, c := range []struct{ addr, token, want string }{
		{"127.0.0.1:8080", "", ""},
		{"localhost:0", "", ""},
		{"[::1]:8080", "", ""},
		{":8080", token, ""},
		{"0.0.0.0:8080", token, ""},
		{":8080", "", "http.listen :8080 can be reached from the network and there is no token: give one of 16 characters or more with --token TOKEN or SEGEDGE_HTTP_TOKEN=TOKEN, or as http.token in the file; or listen on 127.0.0.1:8080"},
		{"0.0.0.0:80", "", "listen on 127.0.0.1:80"},
		{"[::]:80", "", "no token"},
		{"192.168.1.7:80", "", "no token"},
		{"box.lan:80", "", "no token"},
		{":8080", "12345", "at least 16 characters"},
		{"8080", "", `http.listen "8080" is no host:port`},
		{"", "", "is no host:port"},
	} {
		err := CheckListen(c.addr, c.token)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q with token %q: %v, want %q", c.addr, c.token, err, c.want)
		}
	}
}
