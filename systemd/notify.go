// Package systemd tells the service manager how the agent is: ready, busy, stopping, and alive only as long as work
// gets on. It holds the unit as well (segedge.service, and segedge-gpu.conf for a box with a GPU). Without systemd
// every call does nothing.
package systemd

import (
	"fmt"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Notifier speaks to the service manager (sd_notify(3)) through the socket named by NOTIFY_SOCKET. The zero value is
// ready to use; without the variable it is silent.
type Notifier struct{}

// Ready says that the agent serves: cameras are being read, doors are open.
func (n Notifier) Ready(status string) error { return n.send(daemon.SdNotifyReady, statusLine(status)) }

// Status is the line that systemctl status shows.
func (n Notifier) Status(status string) error { return n.send(statusLine(status)) }

// Stopping says that a clean exit has begun.
func (n Notifier) Stopping(status string) error {
	return n.send(daemon.SdNotifyStopping, statusLine(status))
}

// Alive feeds the watchdog once.
func (n Notifier) Alive() error { return n.send(daemon.SdNotifyWatchdog) }

// statusLine is a status on one line; a line break would begin another assignment.
func statusLine(s string) string {
	if s == "" {
		return ""
	}
	return "STATUS=" + strings.Join(strings.Fields(s), " ")
}

func (Notifier) send(lines ...string) error {
	var set []string
	for _, l := range lines {
		if l = strings.TrimSuffix(l, "\n"); l != "" {
			set = append(set, l)
		}
	}
	if _, err := daemon.SdNotify(false, strings.Join(set, "\n")); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}
