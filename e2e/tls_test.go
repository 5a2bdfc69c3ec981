package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// selfSigned writes a certificate for 127.0.0.1 that nobody vouches for, and its key.
func selfSigned(t *testing.T) (certificate *x509.Certificate, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "box"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, cert, key
}

// With a certificate of its own the agent gives the page a secure context without a proxy: the video plays, and a click makes an object that
// the page lists.
func TestPageOverTheAgentsOwnTLS(t *testing.T) {
	certificate, cert, key := selfSigned(t)
	r := start(t, "--set", "http.cert="+cert, "--set", "http.key="+key, "--set", "cameras.0.source="+still(t))
	if !strings.HasPrefix(r.page, "https://") {
		t.Fatalf("the agent says that the page is %s", r.page)
	}
	p := open(t, r.page, certificate)
	v := p.until("the video plays", 0.5, 0.5, func(v picture) bool { return v.W == 640 && v.Frames > 1 })
	p.until("frames go on", 0.5, 0.5, func(now picture) bool { return now.Frames > v.Frames+10 })
	p.has("secure context", `isSecureContext && location.protocol === "https:" && document.body.dataset.link === "live"`)
	p.do(chromedp.MouseClickXY(v.Left+0.5*float64(v.W)*v.Scale, v.Top+0.5*float64(v.H)*v.Scale))
	p.listed(1)
	p.has("selected object", `document.querySelector(".object.selected") !== null`)
	p.shot("tls")
}
