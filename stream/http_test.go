package stream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
)

// offerOf is an offer by a second stack.
func offerOf(t *testing.T, st *station) string {
	t.Helper()
	return newPeer(t, st, false).describe()
}

func TestStatusCodes(t *testing.T) {
	st := start(t, func(o *Options) { o.ICEServers = []ICEServer{{URLs: []string{"stun:stun.test:3478"}}} })
	good := offerOf(t, st)
	p := newPeer(t, st, false)
	p.post()
	vp8 := strings.ReplaceAll(good, "H264/90000", "H263/90000")
	audio := strings.ReplaceAll(good, "m=video", "m=audio")
	cand := "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
	for name, c := range map[string]struct {
		method, path, kind, body string
		header                   []string
		want                     int
	}{
		"endpoint options":        {"OPTIONS", "/whep/cam", "", "", nil, 204},
		"endpoint get":            {"GET", "/whep/cam", "", "", nil, 200},
		"endpoint head":           {"HEAD", "/whep/cam", "", "", nil, 200},
		"endpoint put":            {"PUT", "/whep/cam", typeSDP, good, nil, 405},
		"no such camera":          {"POST", "/whep/nope", typeSDP, good, nil, 404},
		"no such camera, get":     {"GET", "/whep/nope", "", "", nil, 404},
		"no such camera, options": {"OPTIONS", "/whep/nope", "", "", nil, 404},
		"no camera":               {"POST", "/whep/", typeSDP, good, nil, 404},
		"stopped camera":          {"POST", "/whep/off", typeSDP, good, nil, 409},
		"wrong type":              {"POST", "/whep/cam", "text/plain", good, nil, 415},
		"no type":                 {"POST", "/whep/cam", "", good, nil, 415},
		"type with parameter":     {"POST", "/whep/cam", typeSDP + "; charset=utf-8", "v=", nil, 400},
		"no SDP":                  {"POST", "/whep/cam", typeSDP, "hello", nil, 400},
		"empty":                   {"POST", "/whep/cam", typeSDP, "", nil, 422},
		"too long":                {"POST", "/whep/cam", typeSDP, strings.Repeat("a", MaxBody+1), nil, 413},
		"answer not accepted":     {"POST", "/whep/cam", typeSDP, good, []string{"Accept", "application/json, text/*;q=0.5"}, 406},
		"no H.264":                {"POST", "/whep/cam", typeSDP, vp8, nil, 406},
		"no video":                {"POST", "/whep/cam", typeSDP, audio, nil, 422},
		"sends only":              {"POST", "/whep/cam", typeSDP, strings.ReplaceAll(good, "a=recvonly", "a=sendonly"), nil, 422},
		"inactive":                {"POST", "/whep/cam", typeSDP, strings.ReplaceAll(good, "a=recvonly", "a=inactive"), nil, 422},
		"no ICE":                  {"POST", "/whep/cam", typeSDP, strings.ReplaceAll(good, "a=ice-", "a=nice-"), nil, 400},
		"no fingerprint":          {"POST", "/whep/cam", typeSDP, strings.ReplaceAll(good, "a=fingerprint", "a=finger"), nil, 400},
		"session get":             {"GET", p.location, "", "", nil, 200},
		"session head":            {"HEAD", p.location, "", "", nil, 200},
		"session options":         {"OPTIONS", p.location, "", "", nil, 204},
		"session post":            {"POST", p.location, typeSDP, good, nil, 405},
		"no such session":         {"GET", "/whep/cam/0123", "", "", nil, 404},
		"other camera's session":  {"GET", strings.Replace(p.location, "cam", "off", 1), "", "", nil, 404},
		"patch no session":        {"PATCH", "/whep/cam/0123", typeFragment, cand, []string{"If-Match", "*"}, 404},
		"patch wrong type":        {"PATCH", p.location, typeSDP, cand, []string{"If-Match", p.etag}, 415},
		"patch too long":          {"PATCH", p.location, typeFragment, strings.Repeat("a=x\r\n", MaxBody/4), []string{"If-Match", p.etag}, 413},
		"patch without match":     {"PATCH", p.location, typeFragment, cand, nil, 428},
		"patch other match":       {"PATCH", p.location, typeFragment, cand, []string{"If-Match", `"other"`}, 412},
		"patch no SDP":            {"PATCH", p.location, typeFragment, "hello", []string{"If-Match", p.etag}, 400},
		"patch nothing":           {"PATCH", p.location, typeFragment, "a=mid:0\r\n", []string{"If-Match", p.etag}, 400},
		"patch bad candidate":     {"PATCH", p.location, typeFragment, "a=candidate:x\r\n", []string{"If-Match", p.etag}, 400},
		"patch candidate":         {"PATCH", p.location, typeFragment, "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + cand, []string{"If-Match", p.etag}, 204},
		"patch end":               {"PATCH", p.location, typeFragment, "a=end-of-candidates\r\n", []string{"If-Match", p.etag}, 204},
		"patch other credentials": {"PATCH", p.location, typeFragment, "a=ice-ufrag:else\r\na=ice-pwd:elseelseelseelseelseelse\r\n" + cand, []string{"If-Match", p.etag}, 422},
		"patch flood":             {"PATCH", p.location, typeFragment, strings.Repeat(cand, 100), []string{"If-Match", p.etag}, 422},
		"restart without secrets": {"PATCH", p.location, typeFragment, cand, []string{"If-Match", "*"}, 422},
		"delete no session":       {"DELETE", "/whep/cam/0123", "", "", nil, 404},
		"elsewhere":               {"GET", "/elsewhere", "", "", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := st.do(c.method, c.path, c.kind, c.body, c.header...)
			if resp.StatusCode != c.want {
				t.Fatalf("%s, want %d: %s", resp.Status, c.want, body)
			}
			checkRefusal(t, resp, body)
		})
	}
}

// checkRefusal holds that a refusal has a code and a sentence, except those of the mux.
func checkRefusal(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode < 400 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return
	}
	var r api.Reply
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.OK || r.Error == nil || r.Error.Code == "" || len(r.Error.Message) < 8 {
		t.Errorf("refusal %s, %v", body, err)
	}
	if (resp.StatusCode == 409 || resp.StatusCode == 503) && resp.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestHeaders(t *testing.T) {
	st := start(t, func(o *Options) {
		o.ICEServers = []ICEServer{{URLs: []string{"stun:stun.test:3478"}}, {URLs: []string{"turn:turn.test"}, Username: "me", Credential: "pass"}}
	})
	resp, body := st.do("POST", "/whep/cam", typeSDP, offerOf(t, st), "Origin", "http://elsewhere.test", "Accept", "application/sdp")
	h := resp.Header
	if resp.StatusCode != 201 || h.Get("Content-Type") != typeSDP || !strings.HasPrefix(h.Get("Location"), "/whep/cam/") || !strings.HasPrefix(h.Get("ETag"), `"`) {
		t.Fatalf("%s %v", resp.Status, h)
	}
	want := []string{`<stun:stun.test:3478>; rel="ice-server"`, `<turn:turn.test>; rel="ice-server"; username="me"; credential="pass"; credential-type="password"`}
	if got := h.Values("Link"); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Link %q", got)
	}
	if h.Get("Access-Control-Allow-Origin") != "http://elsewhere.test" || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Location") {
		t.Errorf("CORS %v", h)
	}
	for _, want := range []string{"a=sendonly", "H264/90000", "42e01f", "127.0.0.1", "a=end-of-candidates"} {
		if !strings.Contains(body, want) {
			t.Errorf("the answer has no %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, ".local") {
		t.Error("mDNS candidate in the answer")
	}
	resp, _ = st.do("OPTIONS", "/whep/cam", "", "", "Origin", "http://elsewhere.test", "Access-Control-Request-Method", "POST")
	h = resp.Header
	if h.Get("Accept-Post") != typeSDP || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "If-Match") {
		t.Errorf("OPTIONS %v", h)
	}
}

func TestOtherOriginsMayBeKeptOut(t *testing.T) {
	st := start(t, func(o *Options) { o.AllowOrigin = func(string) bool { return false } })
	for origin, want := range map[string]int{"http://elsewhere.test": 403, "https://own.test": 200, "null": 403, st.url: 200, "": 200} {
		var h []string
		if origin != "" {
			h = []string{"Origin", origin}
		}
		if strings.HasPrefix(origin, "https://own.") { // a proxy rewrites Host
			h = append(h, "Sec-Fetch-Site", "same-origin")
		}
		resp, _ := st.do("GET", "/whep/cam", "", "", h...)
		if resp.StatusCode != want || (want == 403) != (resp.Header.Get("Access-Control-Allow-Origin") == "" && origin != "") {
			t.Errorf("origin %q: %s, %v", origin, resp.Status, resp.Header)
		}
	}
}

func TestOffersAreRefusedWhileNotRunning(t *testing.T) {
	st := start(t)
	offer := offerOf(t, st)
	s, err := New(Options{Service: newAgent()})
	if err != nil {
		t.Fatal(err)
	}
	st.Server.mux.ServeHTTP(nopWriter{}, mustRequest(t)) // a writer that fails must not hurt
	if _, _, full := s.reserve("192.0.2.1"); full == nil || full.status != 503 {
		t.Errorf("%v", full)
	}
	st.mu.Lock()
	st.rtc = nil
	st.mu.Unlock()
	if resp, body := st.do("POST", "/whep/cam", typeSDP, offer); resp.StatusCode != 503 || !strings.Contains(body, "not_ready") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

// An offer that comes before video runs is answered when it does: the page is there a moment earlier.
func TestAnEarlyOfferWaitsForTheVideo(t *testing.T) {
	offer := offerOf(t, start(t))
	s, err := New(Options{Service: newAgent(), UDP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		s.ServeHTTP(w, r)
	}))
	defer web.Close()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Post(web.URL+"/whep/cam", typeSDP, strings.NewReader(offer))
		if err != nil {
			answered <- err.Error()
			return
		}
		_ = resp.Body.Close()
		answered <- resp.Status
	}()
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if got := <-answered; got != "201 Created" {
		t.Errorf("answered %s", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type nopWriter struct{}

func (nopWriter) Header() http.Header       { return http.Header{} }
func (nopWriter) Write([]byte) (int, error) { return 0, http.ErrHandlerTimeout }
func (nopWriter) WriteHeader(int)           {}

func mustRequest(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "/whep/cam", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOccupiedPortsAreNamed(t *testing.T) {
	st := start(t, func(o *Options) { o.TCP = "127.0.0.1:0" })
	st.mu.RLock()
	udp := st.addrs[0]
	st.mu.RUnlock()
	for name, o := range map[string]Options{
		"udp": {UDP: udp}, "bad port": {UDP: "127.0.0.1:port"}, "no port": {UDP: "127.0.0.1"}, "bad host": {UDP: "256.0.0.1:1"},
		"tcp": {TCP: "256.0.0.1:1"}, "public": {PublicIPs: []string{"nowhere"}},
	} {
		o.Service = newAgent()
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = s.Run(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), "stream: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a server without a service was made")
	}
}
