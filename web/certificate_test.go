package web

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair writes a certificate of this name for 127.0.0.1 and its key.
func pair(t *testing.T, dir, name string, age time.Duration) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(file, then, then); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func shownName(t *testing.T, c *Certificate) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(c.newest().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.Subject.CommonName
}

// A certificate that is renewed is used without a restart; one that is broken leaves the old one.
func TestCertificateIsReadAgain(t *testing.T) {
	dir, log := t.TempDir(), new(bytes.Buffer)
	cert, key := pair(t, dir, "first", 3*time.Hour)
	c, err := LoadCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c.now = func() time.Time { now = now.Add(2 * lookEvery); return now }
	if got := shownName(t, c); got != "first" {
		t.Errorf("%s", got)
	}
	pair(t, dir, "second", 2*time.Hour)
	if got := shownName(t, c); got != "second" {
		t.Errorf("after a renewal: %s", got)
	}
	if err := os.WriteFile(cert, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := shownName(t, c); got != "second" {
			t.Errorf("after a broken renewal: %s", got)
		}
	}
	pair(t, dir, "third", time.Hour)
	if got := shownName(t, c); got != "third" {
		t.Errorf("after it was mended: %s", got)
	}
	if text := log.String(); strings.Count(text, "cannot be used") != 1 || strings.Count(text, "was read again") != 2 {
		t.Errorf("%s", text)
	}
	if _, err := LoadCertificate(cert, filepath.Join(dir, "none"), nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("%v", err)
	}
}

func TestThePageOverTLS(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "box", 0)
	c, err := LoadCertificate(cert, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	addr := l.Addr().String()
	stop := serveOn(t, tls.NewListener(l, c.Config()), newDoor(t, Options{Token: token}))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Get("https://" + addr + "/?token=" + token)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 || !res.Cookies()[0].Secure {
		t.Errorf("%d, cookies %v", res.StatusCode, res.Cookies())
	}
	plain, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(plain.Body)
	plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS") {
		t.Errorf("plain HTTP is told what it met: %d %s", plain.StatusCode, body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
