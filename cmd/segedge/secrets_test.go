package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A service's journal is read by many: neither the lines at start nor errors nor the page show a password.
func TestPasswordsAreNeverShown(t *testing.T) {
	l := startAgent(t, "http:\n  token: geheim-0123456789\ncameras:\n- name: a\n  source: rtsp://user:geheim@127.0.0.1:1/x\n",
		"--set", "mqtt.broker=tcp://user:geheim@127.0.0.1:1")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, l.page+"readyz", http.NoBody)
	req.Header.Set("Authorization", "Bearer geheim-0123456789")
	l.until("both failures are told", func() bool {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		if strings.Contains(string(body), "geheim") {
			t.Fatalf("readyz: %s", body)
		}
		return strings.Contains(string(body), "127.0.0.1:1")
	})
	l.stop()
	if code := <-l.ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	l.ended <- 0
	if all := l.out.String() + l.log.String(); strings.Contains(all, "geheim") || !strings.Contains(all, "http.token") {
		t.Error(all)
	}
}

// An address whose password was not encoded says what to do, and shows nothing of it.
func TestPasswordsThatNeedEncoding(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	for _, args := range [][]string{
		{"--source", "rtsp://user:geheim/9@127.0.0.1:1/x"}, {"--source", "rtsp://user:geheim#9@127.0.0.1:1/x"}, {"--source", "rtsp://user:geheim%9@127.0.0.1:1/x"},
		{"--set", "mqtt.broker=tcp://user:geheim/9@127.0.0.1:1"}, {"--set", "mqtt.broker=tcp://user:geheim#9@127.0.0.1:1"},
	} {
		var out bytes.Buffer
		code := execute(t.Context(), append([]string{"run", "--listen", "127.0.0.1:0"}, args...), &out, &out)
		if s := out.String(); code == 0 || strings.Contains(s, "geheim") || !strings.Contains(s, "percent-encode it") {
			t.Errorf("%v: exit code %d, %s", args, code, s)
		}
	}
}

func TestWhatIsAJournal(t *testing.T) {
	st, err := os.Stderr.Stat()
	if err != nil {
		t.Fatal(err)
	}
	sys := st.Sys().(*syscall.Stat_t)
	for env, want := range map[string]bool{"": false, "1:2": false, fmt.Sprintf("%d:%d", sys.Dev, sys.Ino): true} {
		t.Setenv("JOURNAL_STREAM", env)
		if toJournal(os.Stderr) != want || toJournal(io.Discard) {
			t.Errorf("JOURNAL_STREAM=%q: %t", env, !want)
		}
	}
}
