package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// coturn runs a TURN server that knows joe, and gives its address.
func coturn(t *testing.T, more ...string) string {
	t.Helper()
	port, dir := strconv.Itoa(freePort(t)), t.TempDir()
	args := append([]string{
		"-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout", "--pidfile", filepath.Join(dir, "pid"), "--userdb", filepath.Join(dir, "db"),
		"-L", "127.0.0.1", "-E", "127.0.0.1", "-p", port, "-a", "-u", "joe:secret", "-r", "test", "--allow-loopback-peers",
	}, more...)
	cmd := exec.Command(need(t, "turnserver", "coturn"), args...)
	said, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = said.Close()
		if log, err := os.ReadFile(said.Name()); err == nil && t.Failed() {
			t.Logf("turnserver said:\n%.4000s", log)
		}
	})
	address := "127.0.0.1:" + port
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("turnserver does not answer: %v", err)
		}
	}
}

// watchOver plays an agent's camera by a WebRTC stack of these settings until pictures have come, and gives the way that they took.
func watchOver(t *testing.T, r *running, e webrtc.SettingEngine, c webrtc.Configuration) *webrtc.ICECandidatePair {
	t.Helper()
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m)).NewPeerConnection(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	receiving := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receiving); err != nil {
		t.Fatal(err)
	}
	came := make(chan struct{})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for range 100 {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
		}
		close(came)
	})
	_, answer := negotiate(t, pc, r.page+"whep/camera")
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-came:
	case <-ctx.Done():
		t.Fatalf("no video came: the connection is %s", pc.ConnectionState())
	}
	pair, err := pc.GetTransceivers()[0].Receiver().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// What a network lets through is enough, with a TURN server that people really run: a relay alone, reached over UDP or, where that is
// blocked, over TCP; and TCP to the agent itself.
func TestNetworksThatLetLittleThrough(t *testing.T) {
	for name, c := range map[string]struct {
		server    []string // what it is told beside
		transport string   // to the relay; empty is without one
	}{
		"relay only":              {nil, "udp"},
		"relay only, UDP blocked": {[]string{"--no-udp"}, "tcp"},
		"TCP only":                {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"--set", "cameras.0.width=640", "--set", "cameras.0.height=360"}
			var e webrtc.SettingEngine
			var config webrtc.Configuration
			if c.transport == "" {
				args = append(args, "--set", "http.ice_tcp=127.0.0.1:"+strconv.Itoa(freePort(t)))
				e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
			} else {
				credentials := filepath.Join(t.TempDir(), "turn")
				if err := os.WriteFile(credentials, []byte("joe:secret\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				url := "turn:" + coturn(t, c.server...) + "?transport=" + c.transport
				args = append(args, "--set", "http.ice_servers="+url, "--set", "http.ice_credentials_file="+credentials)
				config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
				config.ICEServers = []webrtc.ICEServer{{URLs: []string{url}, Username: "joe", Credential: "secret"}}
			}
			pair := watchOver(t, start(t, args...), e, config)
			t.Logf("by %s", pair)
			if c.transport != "" && pair.Local.Typ != webrtc.ICECandidateTypeRelay {
				t.Errorf("it goes by %s", pair)
			}
			if c.transport == "" && pair.Local.Protocol != webrtc.ICEProtocolTCP {
				t.Errorf("it goes by %s", pair)
			}
		})
	}
}
