package stream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
)

// maxAddresses bounds the sockets that wait for an address to come back.
const maxAddresses = 64

// interfaces is a UDP socket for each of the machine's addresses: a reply must leave by the address that the viewer wrote to. A box may
// start before it has a network, and be given another address while it runs, so each viewer is told of the addresses that are there when
// it comes. The socket of one that has gone stays, since it may come back. Safe for concurrent use.
type interfaces struct {
	port      int
	addresses func() ([]netip.Addr, error) // those of the machine now
	log       logging.LeveledLogger

	mu     sync.Mutex
	muxes  map[netip.Addr]ice.UDPMux
	closed bool
}

var _ ice.UDPMux = (*interfaces)(nil)

// listenInterfaces opens a socket for each address that there is now. A port of 0 is another for each.
func listenInterfaces(port int, addresses func() ([]netip.Addr, error), log logging.LeveledLogger) (*interfaces, error) {
	n := &interfaces{port: port, addresses: addresses, log: log, muxes: map[netip.Addr]ice.UDPMux{}}
	if _, err := n.look(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// look opens what is missing and gives the addresses that are there. An IPv6 address may be there and not yet usable: it is passed over.
func (n *interfaces) look() (present []net.Addr, err error) {
	now, err := n.addresses()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range now {
		mux := n.muxes[a]
		if mux == nil && !n.closed && len(n.muxes) < maxAddresses {
			conn, e := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, uint16(n.port))))
			if e != nil {
				if !errors.Is(e, syscall.EADDRNOTAVAIL) {
					err = errors.Join(err, e)
				}
				continue
			}
			mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: n.log, UDPConn: conn})
			n.muxes[a] = mux
		}
		if mux != nil {
			present = append(present, mux.GetListenAddresses()...)
		}
	}
	return present, err
}

// GetListenAddresses is called for each viewer that comes.
func (n *interfaces) GetListenAddresses() []net.Addr {
	present, err := n.look()
	if err != nil {
		n.log.Errorf("not every address can be listened on: %v", err)
	}
	return present
}

func (n *interfaces) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	at, ok := addr.(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("%v is no UDP address", addr)
	}
	ip := at.AddrPort().Addr().Unmap()
	n.mu.Lock()
	mux := n.muxes[ip]
	n.mu.Unlock()
	if mux == nil {
		return nil, fmt.Errorf("nothing listens on %v", addr)
	}
	return mux.GetConn(ufrag, addr)
}

func (n *interfaces) RemoveConnByUfrag(ufrag string) {
	for _, mux := range n.all() {
		mux.RemoveConnByUfrag(ufrag)
	}
}

// Close closes the sockets; none is opened any more.
func (n *interfaces) Close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	var errs []error
	for _, mux := range n.all() {
		errs = append(errs, mux.Close())
	}
	return errors.Join(errs...)
}

func (n *interfaces) all() (muxes []ice.UDPMux) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, mux := range n.muxes {
		muxes = append(muxes, mux)
	}
	return muxes
}

// machineAddresses are the addresses of the interfaces that are up and that shows holds for; what no viewer may be offered
// (RFC 8445, section 5.1.1.1) is left out.
func machineAddresses(shows func(name string) bool) ([]netip.Addr, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || !shows(i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			if ip, ok := addressOf(a, i.Name); ok {
				found = append(found, ip)
			}
		}
	}
	return found, nil
}

func addressOf(a net.Addr, name string) (netip.Addr, bool) {
	text, _, _ := strings.Cut(a.String(), "/")
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return ip, false
	}
	ip = ip.Unmap()
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(name)
	}
	siteLocal := ip.Is6() && netip.MustParsePrefix("fec0::/10").Contains(ip.WithZone(""))
	return ip, !siteLocal && !ip.IsMulticast()
}
