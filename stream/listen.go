package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// iceTimeouts: a viewer that is not heard for 5 s is disconnected, for 20 s more failed.
const (
	iceDisconnected = 5 * time.Second
	iceFailed       = 20 * time.Second
	iceKeepalive    = 2 * time.Second
)

// tcpWriteBuffer keeps a slow ICE-TCP viewer from blocking its writer for ever: what does not fit is dropped.
const tcpWriteBuffer = 4 << 20

// sockets are what the media goes through.
type sockets struct {
	api   *webrtc.API // that sends H.264
	vp8   *webrtc.API // that sends VP8
	addrs []string
	udp   ice.UDPMux
	tcp   ice.TCPMux
}

// listen opens the sockets and makes the WebRTC stack over them.
func listen(o *Options) (*sockets, error) {
	n := &sockets{}
	logs := loggers{o.Logger}
	var err error
	if n.udp, err = listenUDP(o.UDP, o.shows, logs); err != nil {
		return nil, fmt.Errorf("UDP %s: %w", o.UDP, err)
	}
	for _, a := range n.udp.GetListenAddresses() {
		n.addrs = append(n.addrs, a.String())
	}
	var e webrtc.SettingEngine
	e.LoggerFactory = logs
	e.SetICEUDPMux(n.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if o.TCP != "" {
		l, err := Early.Listen(context.Background(), "tcp", o.TCP)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("ICE-TCP %s: %w", o.TCP, err), n.close())
		}
		n.tcp = ice.NewTCPMuxDefault(
			ice.TCPMuxParams{Listener: l, Logger: logs.NewLogger("ice-tcp"), ReadBufferSize: 32, WriteBufferSize: tcpWriteBuffer},
		)
		e.SetICETCPMux(n.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(types)
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(o.shows)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	if err := publish(&e, o.PublicIPs); err != nil {
		return nil, errors.Join(err, n.close())
	}
	if n.api, err = newAPI(e, h264Profiles()); err == nil {
		n.vp8, err = newAPI(e, []webrtc.RTPCodecCapability{vp8Codec()})
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// shows reports whether viewers are told of an interface.
func (o *Options) shows(name string) bool {
	return len(o.Interfaces) == 0 || slices.Contains(o.Interfaces, name)
}

// publish puts the addresses of the router in front in place of the machine's own.
func publish(e *webrtc.SettingEngine, ips []string) error {
	if len(ips) == 0 {
		return nil
	}
	for _, ip := range ips {
		if net.ParseIP(ip) == nil {
			return fmt.Errorf("public address %q is not an IP address", ip)
		}
	}
	rule := webrtc.ICEAddressRewriteRule{External: ips, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace}
	if err := e.SetICEAddressRewriteRules(rule); err != nil {
		return fmt.Errorf("public addresses %v: %w", ips, err)
	}
	return nil
}

// listenUDP opens one socket for an address with a host, else one for each address of the machine.
func listenUDP(addr string, shows func(string) bool, logs loggers) (ice.UDPMux, error) {
	if addr == "" {
		addr = ":0"
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number of at most 65535", service)
	}
	log := logs.NewLogger("ice-udp")
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	if host != "" && !at.IP.IsUnspecified() {
		conn, err := Early.ListenPacket(context.Background(), "udp", addr) //nolint:contextcheck // it is an address, nothing is asked
		if err != nil {
			return nil, err
		}
		return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: log}), nil
	}
	return listenInterfaces(int(port), func() ([]netip.Addr, error) { return machineAddresses(shows) }, log)
}

// Early listens on addresses that no interface has yet (IP_FREEBIND of ip(7)): a box may start before it has a network.
var Early = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_FREEBIND, 1) }); e != nil {
		return e
	}
	return err
}}

func (n *sockets) close() error {
	var errs []error
	if n.udp != nil {
		errs = append(errs, n.udp.Close())
	}
	if n.tcp != nil {
		errs = append(errs, n.tcp.Close())
	}
	return errors.Join(errs...)
}

// feedback is what a viewer may tell us about the video.
func feedback() []webrtc.RTCPFeedback {
	return []webrtc.RTCPFeedback{
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
		{Type: "ccm", Parameter: "fir"},
		{Type: webrtc.TypeRTCPFBTransportCC},
	}
}

// h264 is the codec as it is offered to a track: constrained baseline, which every browser decodes.
func h264(profile string) webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: clockRate, RTCPFeedback: feedback(),
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile,
	}
}

// profiles are those whose decoders take constrained baseline (H.264, A.2.1), the exact one first.
var profiles = [...]string{"42e01f", "42c01f", "42001f", "4d001f", "4d0032", "640c1f", "64001f"}

func h264Profiles() (out []webrtc.RTPCodecCapability) {
	for _, p := range profiles {
		out = append(out, h264(p))
	}
	return out
}

func vp8Codec() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: clockRate, RTCPFeedback: feedback()}
}

// newAPI is the stack that sends these codecs.
func newAPI(e webrtc.SettingEngine, of []webrtc.RTPCodecCapability) (*webrtc.API, error) {
	m, r := &webrtc.MediaEngine{}, &interceptor.Registry{}
	for i, codec := range of {
		pt := webrtc.PayloadType(96 + 2*i)
		for _, c := range []webrtc.RTPCodecParameters{
			{RTPCodecCapability: codec, PayloadType: pt},
			{RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: clockRate, SDPFmtpLine: fmt.Sprintf("apt=%d", pt),
			}, PayloadType: pt + 1},
		} {
			if err := m.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
				return nil, fmt.Errorf("codec: %w", err)
			}
		}
	}
	r.Add(thrifty{}) // before the one that it has to stand before
	if err := errors.Join(
		webrtc.ConfigureNack(m, r),
		webrtc.ConfigureRTCPReports(r),
		webrtc.ConfigureTWCCHeaderExtensionSender(m, r),
		configurePlayout(m, r),
	); err != nil {
		return nil, fmt.Errorf("interceptors: %w", err)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(e)), nil
}

func iceServers(in []ICEServer) []webrtc.ICEServer {
	out := make([]webrtc.ICEServer, len(in))
	for i, s := range in {
		out[i] = webrtc.ICEServer{URLs: s.URLs, Username: s.Username}
		if s.Credential != "" {
			out[i].Credential = s.Credential
		}
	}
	return out
}
