package web

import (
	"net/netip"
	"sync"
	"time"
)

// Failed logins: an address may make a few at once, then one in a while. A token of 16 characters cannot be guessed at that rate, nor can
// the log be filled.
const (
	loginBurst = 10
	loginEvery = 6 * time.Second
	maxStrange = 4096 // addresses remembered
)

// throttle counts the failures of each address as a debt that time pays back.
type throttle struct {
	now  func() time.Time
	mu   sync.Mutex
	owes map[netip.Addr]time.Time // when the debt is paid
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, owes: map[netip.Addr]time.Time{}}
}

// wait is how long an address has to wait before it may try again; 0 if it may now.
func (t *throttle) wait(remote string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	debt := max(0, t.owes[stranger(remote)].Sub(t.now()))
	return max(0, debt-(loginBurst-1)*loginEvery)
}

// failed notes a failure.
func (t *throttle) failed(remote string) {
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
	t.owes[who] = from.Add(loginEvery)
}

// forget drops the addresses that have paid, and all where none has: a flood from everywhere is let through rather than remembered.
func (t *throttle) forget(now time.Time) {
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
	ip, err := netip.ParseAddr(hostname(remote))
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
