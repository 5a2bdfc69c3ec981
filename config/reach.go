package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// checkReach checks how viewers reach the agent.
func (c *Config) checkReach(ps *Problems) {
	h := &c.HTTP
	if h.ICETCP != "" {
		_, port, err := net.SplitHostPort(h.ICETCP)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n > 65535 {
			ps.Add("http.ice_tcp", "%q is no [host]:port, such as :8443", h.ICETCP)
		}
	}
	turn := false
	for _, s := range h.ICEServers {
		scheme, rest, _ := strings.Cut(s, ":")
		turn = turn || scheme == "turn" || scheme == "turns"
		host, query, _ := strings.Cut(rest, "?")
		known := scheme == "stun" || scheme == "stuns" || scheme == "turn" || scheme == "turns"
		if !known || host == "" || strings.ContainsAny(host, "/@ ") || query != "" && query != "transport=udp" && query != "transport=tcp" {
			ps.Add(
				"http.ice_servers",
				"%q is none of stun:host:port, turn:host:port and turn:host:port?transport=tcp; user and password go to http.ice_credentials_file",
				s,
			)
		}
	}
	if turn && h.ICECredentials == "" {
		ps.Add("http.ice_credentials_file", "a TURN server asks who comes: name a file with user:password in it")
	}
	for _, ip := range h.PublicIPs {
		if _, err := netip.ParseAddr(ip); err != nil {
			ps.Add("http.public_ips", "%q is no IP address", ip)
		}
	}
	if b := h.BasePath; b != "" &&
		(b[0] != '/' || strings.ContainsAny(b, "?#%\\;\"' ") || strings.Contains(b, "//") || strings.Contains(b+"/", "/../")) {
		ps.Add("http.base_path", "%q: write it as /cam/yard", b)
	}
	for _, p := range h.TrustedProxies {
		_, bad := netip.ParseAddr(p)
		if _, err := netip.ParsePrefix(p); err != nil && bad != nil {
			ps.Add("http.trusted_proxies", "%q is neither an address nor a network such as 10.0.0.0/8", p)
		}
	}
}
