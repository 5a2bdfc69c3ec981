package stream

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// A box that had no network when it started, and whose address is another after a while, tells each viewer where it is now.
func TestAddressesThatComeAndGo(t *testing.T) {
	first, second := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	var now []netip.Addr
	n, err := listenInterfaces(0, func() ([]netip.Addr, error) { return now, nil }, loggers{slog.New(slog.DiscardHandler)}.NewLogger("test"))
	if err != nil {
		t.Fatal(err)
	}
	ports := map[netip.Addr]int{}
	for _, want := range [][]netip.Addr{nil, {first}, {first, second}, {second}, {}, {first}} {
		now = want
		var got []netip.Addr
		for _, a := range n.GetListenAddresses() {
			at := a.(*net.UDPAddr)
			ip := at.AddrPort().Addr().Unmap()
			got = append(got, ip)
			if port, known := ports[ip]; known && port != at.Port {
				t.Errorf("%v: another socket, %d after %d", ip, at.Port, port)
			}
			ports[ip] = at.Port
			if _, err := n.GetConn("ufrag", a); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("with %v viewers are told of %v", want, got)
		}
	}
	n.RemoveConnByUfrag("ufrag")
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	now = []netip.Addr{netip.MustParseAddr("127.0.0.3")}
	if got := n.GetListenAddresses(); len(got) != 0 {
		t.Errorf("a socket was opened after the end: %v", got)
	}
	if _, err := n.GetConn("ufrag", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 9)}); err == nil {
		t.Error("nothing listens there, and a connection was given")
	}
}

// An address that is not usable yet costs the others nothing; a port that is taken is told at the start.
func TestAddressesThatCannotBeListenedOn(t *testing.T) {
	usable, absent := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	addresses := func() ([]netip.Addr, error) { return []netip.Addr{absent, usable}, nil }
	log := loggers{slog.New(slog.DiscardHandler)}.NewLogger("test")
	n, err := listenInterfaces(0, addresses, log)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close() //nolint:errcheck // it is closed for the machine's sake
	at := n.GetListenAddresses()
	if len(at) != 1 {
		t.Fatalf("viewers are told of %v", at)
	}
	if again, err := listenInterfaces(at[0].(*net.UDPAddr).Port, addresses, log); err == nil {
		t.Errorf("a port that is taken: %v", again.Close())
	}
}

func TestAddressesThatNoViewerIsOffered(t *testing.T) {
	for text, want := range map[string]string{
		"192.168.1.4/24": "192.168.1.4", "fe80::1/64": "fe80::1%eth0", "2001:db8::1/64": "2001:db8::1", "fec0::1/64": "", "ff02::1/64": "", "nonsense": "",
	} {
		_, network, err := net.ParseCIDR(text)
		var a net.Addr = &net.UnixAddr{Name: text}
		if err == nil {
			ip, _, _ := net.ParseCIDR(text)
			a = &net.IPNet{IP: ip, Mask: network.Mask}
		}
		got, ok := addressOf(a, "eth0")
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v, %t", text, got, ok)
		}
	}
	all, err := machineAddresses(func(string) bool { return true })
	if err != nil || !slices.ContainsFunc(all, netip.Addr.IsLoopback) {
		t.Errorf("this machine has %v, %v", all, err)
	}
	if none, err := machineAddresses(func(string) bool { return false }); err != nil || len(none) != 0 {
		t.Errorf("of no interface: %v, %v", none, err)
	}
}

// The socket of an address that no interface has yet.
func TestEarlyListensOnAnAddressThatIsNotThereYet(t *testing.T) {
	l, err := Early.Listen(t.Context(), "tcp", "192.0.2.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	mux, err := listenUDP("192.0.2.1:0", nil, loggers{slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_ = mux.Close()
}
