package webhook

import (
	"bufio"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

// The consumer in deploy/ takes what the client sends, each event once, and refuses who has not its token.
func TestThePythonConsumer(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: no python3 on this machine")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "../deploy/webhook/consumer.py", fmt.Sprint(port), "swordfish")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := make(chan string, 10)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	stranger, _ := run(t, Options{URL: url, Token: "guess"})
	stranger.Publish(event("attic", 1), 0)
	c, _ := run(t, Options{URL: url, Token: "swordfish"})
	c.Publish(seg.Event{Camera: "yard", Type: seg.ObjectNew, Time: time.Unix(1, 0), After: &seg.Object{ID: 3, Name: "cup", State: seg.Tracking}}, 0)
	c.Publish(event("yard", 2), 0)
	for _, want := range []string{"yard object.new cup ", "yard zone.entered - 2"} {
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("it prints %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("it does not print %q", want)
		}
	}
}
