package stream

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/turn/v5"
	"github.com/pion/webrtc/v4"
)

// relay runs a TURN server that knows joe.
func relay(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(a *turn.RequestAttributes) (string, []byte, bool) {
			return a.Username, turn.GenerateAuthKey(a.Username, "test", "secret"), a.Username == "joe"
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn, RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return conn.LocalAddr().String()
}

// A viewer whom nothing reaches but a relay finds it in the Link header, and plays through it.
func TestViewerBehindARelay(t *testing.T) {
	addr := relay(t)
	st := start(t, func(o *Options) {
		o.ICEServers = []ICEServer{{URLs: []string{"turn:" + addr + "?transport=udp"}, Username: "joe", Credential: "secret"}}
	})
	resp, _ := st.do(http.MethodOptions, "/whep/cam", "", "")
	want := `<turn:` + addr + `?transport=udp>; rel="ice-server"; username="joe"; credential="secret"; credential-type="password"`
	if got := resp.Header.Get("Link"); got != want {
		t.Fatalf("Link %q, want %q", got, want)
	}
	resp, _ = st.do(http.MethodOptions, "/whep/cam", "", "", "Access-Control-Request-Method", "POST")
	if got := resp.Header.Get("Link"); got != "" {
		t.Errorf("a preflight, which anybody may send, is told %q", got)
	}
	p := newPeer(t, st, false)
	if err := p.pc.SetConfiguration(webrtc.Configuration{
		ICETransportPolicy: webrtc.ICETransportPolicyRelay,
		ICEServers:         []webrtc.ICEServer{{URLs: []string{"turn:" + addr + "?transport=udp"}, Username: "joe", Credential: "secret"}},
	}); err != nil {
		t.Fatal(err)
	}
	p.connect()
	begin(p, time.Now())
	pair, err := p.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair.Local.Typ != webrtc.ICECandidateTypeRelay {
		t.Errorf("pair %v, %v", pair, err)
	}
}

// The addresses of a router in front stand in the answer instead of the machine's own.
func TestPublicAddresses(t *testing.T) {
	st := start(t, func(o *Options) { o.PublicIPs = []string{"203.0.113.7"} })
	resp, body := st.do(http.MethodPost, "/whep/cam", typeSDP, offerOf(t, st))
	if resp.StatusCode != http.StatusCreated || !strings.Contains(body, " 203.0.113.7 ") || strings.Contains(body, " 127.0.0.1 ") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestInterfacesAreChosen(t *testing.T) {
	st := start(t, func(o *Options) { o.UDP, o.Interfaces = ":0", []string{"lo"} })
	_, body := st.do(http.MethodPost, "/whep/cam", typeSDP, offerOf(t, st))
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "a=candidate:") && !strings.Contains(line, " 127.0.0.1 ") && !strings.Contains(line, " ::1 ") {
			t.Errorf("%s", line)
		}
	}
	if !strings.Contains(body, " 127.0.0.1 ") {
		t.Errorf("no candidate in\n%s", body)
	}
}
