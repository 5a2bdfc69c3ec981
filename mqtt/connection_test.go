package mqtt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBrokerAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"tcp://host": "tcp://host:1883", "mqtt://host:9": "mqtt://host:9", "tls://host": "tls://host:8883", "wss://host/mqtt": "wss://host:443/mqtt",
		"unix:///run/m.sock": "unix:///run/m.sock", "tcp://[::1]": "tcp://[::1]:1883",
	} {
		if u, err := parseBroker(in); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v, want %s", in, u, err, want)
		}
	}
	for _, bad := range []string{"", "host", "host:1883", "http://host", "tcp://", "unix://", "tcp://a b", "://"} {
		if _, err := parseBroker(bad); err == nil || !strings.Contains(err.Error(), "write tcp://host:1883") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if got := redact("tcp://user:secret@host:1883"); strings.Contains(got, "secret") {
		t.Errorf("a secret shows: %s", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	dir := t.TempDir()
	for want, change := range map[string]func(*Options){
		"cannot be part of a topic": func(o *Options) { o.Agent = "a/b" },
		"needs a service":           func(o *Options) { o.Service = nil },
		"cannot begin a topic":      func(o *Options) { o.Prefix = "a/#" },
		"no scheme":                 func(o *Options) { o.Broker = "host:1883" },
		"is not encrypted":          func(o *Options) { o.TLS.CA = "ca.pem" },
		"read the broker's CA":      func(o *Options) { o.Broker, o.TLS.CA = "tls://host", dir+"/none" },
		"both the certificate":      func(o *Options) { o.Broker, o.TLS.Cert = "tls://host", dir+"/c" },
		"client certificate: open":  func(o *Options) { o.Broker, o.TLS.Cert, o.TLS.Key = "tls://host", dir+"/c", dir+"/k" },
		"broker's password: open":   func(o *Options) { o.PasswordFile = dir + "/none" },
	} {
		o := testOptions(t, "tcp://host", &agent{})
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestPasswordFileIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	c := Connection{Broker: "tcp://url:fromurl@host", PasswordFile: file}
	for _, want := range []string{"one", "two words "} {
		if err := os.WriteFile(file, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if user, got, err := c.credentials(); user != "url" || got != want || err != nil {
			t.Errorf("got %q %q %v", user, got, err)
		}
	}
	if err := os.WriteFile(file, []byte("\ufeffgeheim 1\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, got, err := c.credentials(); got != "geheim 1" || err != nil {
		t.Errorf("as an editor left it: %q %v", got, err)
	}
}

// certificate makes a self-signed certificate for loopback and returns its two files.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestTLSAndPasswordAgainstMosquitto(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	passwd, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("SKIPPED: mosquitto_passwd is not installed")
	}
	if out, err := exec.Command(passwd, "-b", "-c", filepath.Join(dir, "users"), "box", "secret").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m := startMosquitto(t, "allow_anonymous false\npassword_file "+filepath.Join(dir, "users")+"\ncertfile "+cert+"\nkeyfile "+key+"\n")
	o := testOptions(t, strings.Replace(m.url(), "tcp", "tls", 1), &agent{})
	o.Username, o.Password, o.TLS.CA = "box", "wrong", cert
	c, stop := start(t, o)
	until(t, "the wrong password is told", func() bool { return strings.Contains(c.Ready().Error(), "not Authorized") })
	stop()
	o.Password, o.StateDir = "secret", t.TempDir()
	c, stop = start(t, o)
	until(t, "the right one lets it in", func() bool { return c.Ready() == nil })
	stop()
	o.TLS.CA = ""
	o.StateDir = t.TempDir()
	c, _ = start(t, o)
	until(t, "an unknown authority is told", func() bool { return strings.Contains(c.Ready().Error(), "certificate") })
}

// TestEveryScheme connects over a WebSocket and a Unix socket.
func TestEveryScheme(t *testing.T) {
	socket, port := filepath.Join(t.TempDir(), "m.sock"), freePort(t)
	m := startMosquitto(t, fmt.Sprintf("listener %d 127.0.0.1\nprotocol websockets\nlistener 0 %s\n", port, socket))
	ears := listen(t, m.url(), "ears", "segedge/#")
	for _, url := range []string{fmt.Sprintf("ws://127.0.0.1:%d/mqtt", port), "unix://" + socket} {
		before := len(ears.all("/status"))
		_, stop := start(t, testOptions(t, url, &agent{}))
		until(t, url, func() bool { return len(ears.all("/status")) > before && ears.last("/status") == StatusOnline })
		stop()
		until(t, "stopped", func() bool { return ears.last("/status") == StatusStopped })
	}
}

// answered is a message that the broker has taken.
type answered struct{ done chan struct{} }

func (a answered) Done() <-chan struct{} { return a.done }
func (answered) Error() error            { return nil }

// TestAnAcknowledgementBeforeTheEndCounts: else what the broker took is sent again.
func TestAnAcknowledgementBeforeTheEndCounts(t *testing.T) {
	over := make(chan struct{})
	close(over)
	l := &Link{lost: over, err: ErrLinkLost, ack: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // select takes any that is ready
		if err := l.Await(ctx, Token{p: answered{over}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Await(t.Context(), Token{p: answered{make(chan struct{})}}); !errors.Is(err, ErrLinkLost) {
		t.Errorf("without an answer: %v", err)
	}
}

// TestRefusalsAreTold: what a broker refuses a connection for is said in its own sense, and is no other fault.
func TestRefusalsAreTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for code, want := range []string{
		1: "it does not speak MQTT 3.1.1", 2: "refuses the client id", 3: "it is not available", 4: "refuses the user name or the password",
		5: "this client is not authorised",
	} {
		if want == "" {
			continue
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = c.Read(make([]byte, 512))
			_, _ = c.Write([]byte{0x20, 2, 0, byte(code)})
			_, _ = io.Copy(io.Discard, c)
		}()
		_, err := Dial(t.Context(), Connection{Broker: "tcp://" + l.Addr().String(), ClientID: "c"}, nil, false, func(Message) {})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "?") {
			t.Errorf("%d: %v", code, err)
		}
	}
}
