package systemd

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manager is a service manager's end of the socket.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return &manager{t, conn}
}

func (m *manager) hears() string {
	m.t.Helper()
	buf := make([]byte, 4096)
	_ = m.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := m.conn.Read(buf)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(buf[:n])
}

func TestNotifications(t *testing.T) {
	m := newManager(t)
	var n Notifier
	for _, c := range []struct {
		say  func() error
		want string
	}{
		{func() error { return n.Ready("2 cameras") }, "READY=1\nSTATUS=2 cameras"},
		{func() error { return n.Ready("") }, "READY=1"},
		{func() error { return n.Status("30 fps\nMAINPID=1") }, "STATUS=30 fps MAINPID=1"},
		{func() error { return n.Stopping("bye") }, "STOPPING=1\nSTATUS=bye"},
		{n.Alive, "WATCHDOG=1"},
	} {
		if err := c.say(); err != nil {
			t.Fatal(err)
		}
		if got := m.hears(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := (Notifier{}).Ready("x"); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSocketThatIsGone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	if err := (Notifier{}).Ready("x"); err == nil || !strings.Contains(err.Error(), "notify systemd") {
		t.Errorf("got %v", err)
	}
}
