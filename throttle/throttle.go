// Package throttle counts the failed logins of each address, so that who guesses has to wait. Who gets in is not its business, nor how many
// may be in at once.
package throttle

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Failed logins: an address may make a few at once, then one in a while. A token of 16 characters cannot be guessed at that rate, nor can
// the log be filled.
const (
	Burst      = 10
	Every      = 6 * time.Second
	maxStrange = 4096 // addresses remembered
)

// Throttle counts the failures of each address as a debt that time pays back. Safe for concurrent use.
type Throttle struct {
	now  func() time.Time
	mu   sync.Mutex
	owes map[netip.Addr]time.Time // when the debt is paid
}

// New is a throttle that reads the time with now.
func New(now func() time.Time) *Throttle {
	return &Throttle{now: now, owes: map[netip.Addr]time.Time{}}
}

// Wait is how long an address has to wait before it may try again; 0 if it may now.
func (t *Throttle) Wait(remote string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	debt := max(0, t.owes[stranger(remote)].Sub(t.now()))
	return max(0, debt-(Burst-1)*Every)
}

// Failed notes a failure.
func (t *Throttle) Failed(remote string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, who := t.now(), stranger(remote)
	if len(t.owes) >= maxStrange {
		t.forget(now)
	}
	from := t.owes[who]
	if from.Before(now) {
		from = now
	}
	t.owes[who] = from.Add(Every)
}

// forget drops the addresses that have paid, and all where none has: a flood from everywhere is let through rather than remembered.
func (t *Throttle) forget(now time.Time) {
	for who, until := range t.owes {
		if until.Before(now) {
			delete(t.owes, who)
		}
	}
	if len(t.owes) >= maxStrange {
		clear(t.owes)
	}
}

// stranger is whom an address belongs to: of IPv6 the network of 64 bits, which one host has to itself.
func stranger(remote string) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		p, _ := ip.Prefix(64) // 64 is always fine
		return p.Addr()
	}
	return ip
}
