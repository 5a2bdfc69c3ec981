package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page's cookies are made with the secret of the state folder, so that who is in stays in over restarts.
func TestCookiesAreMadeWithTheKeptSecret(t *testing.T) {
	const boss = "boss-0123456789abcdef"
	l := startAgent(t, "cameras:\n- name: a\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\nhttp:\n  token: "+boss+"\n")
	file := filepath.Join(filepath.Dir(l.file), "state", "cookie-key")
	secret, err := os.ReadFile(file)
	if err != nil || len(secret) < 16 {
		t.Fatalf("%d bytes, %v", len(secret), err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	mac := hmac.New(sha256.New, []byte(strings.TrimSpace(string(secret))))
	mac.Write([]byte("segedge page cookie " + boss))
	page, err := url.Parse(l.page)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, l.page+"api/v1/info", http.NoBody)
	req.AddCookie(&http.Cookie{Name: "segedge_" + page.Port(), Value: hex.EncodeToString(mac.Sum(nil))})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s", res.Status)
	}
}
