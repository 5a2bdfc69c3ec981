package capture

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLinesAreFewAndWithoutSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := NewLines(slog.New(slog.NewTextHandler(&out, nil)))
		for i := range 1000 {
			l.Say(true, "error while decoding MB "+strings.Repeat("x", i%7))
		}
		l.Say(true, "method DESCRIBE of rtsp://admin:geheim@cam/a failed")
		l.Say(false, "for debugging alone")
		time.Sleep(linesPeriod)
		l.Say(true, "again rtsp://admin:geheim@cam/a\n")
		l.Say(true, "again rtsp://admin:geheim@cam/a\n")
		l.Say(true, " \n")
		got := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(got) != linesMost+2 || strings.Contains(out.String(), "geheim") || strings.Contains(out.String(), "debugging") {
			t.Errorf("%d lines:\n%s", len(got), out.String())
		}
		if !strings.Contains(got[linesMost], "996 more lines") || !strings.Contains(got[linesMost+1], "rtsp://***@cam/a") {
			t.Errorf("then:\n%s", strings.Join(got[linesMost:], "\n"))
		}
	})
}
