package config

import (
	"net"
	"net/url"
	"strings"

	"github.com/segedge/segedge/secret"
)

// check reports what makes no sense about the inference server.
func (r *Remote) check(ps *Problems) {
	if r.Address == "" {
		if r.Encoder != "" || r.Decoder != "" {
			ps.Add("model.remote.address", "it is missing: which inference server runs the graphs that model.remote names?")
		}
		return
	}
	u, err := secret.ParseURL(r.Address)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		ps.Add(
			"model.remote.address",
			"%q is no address such as http://host:8000 or grpc://host:8001; a token goes to model.remote.token_file",
			r.Address,
		)
		return
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "grpc" && u.Scheme != "grpcs":
		ps.Add("model.remote.address", "%q: write http, https, grpc or grpcs", u.Scheme)
		return
	case strings.HasPrefix(u.Scheme, "grpc") && strings.Trim(u.Path, "/") != "":
		ps.Add("model.remote.address", "%q: gRPC knows no path", r.Address)
	}
	encrypted := u.Scheme == "https" || u.Scheme == "grpcs"
	if !encrypted && (r.CA != "" || r.Cert != "" || r.Key != "") {
		ps.Add("model.remote.address", "certificates are given, but %s is not encrypted: write https:// or grpcs://", u.Scheme)
	}
	if r.TokenFile != "" && !encrypted && !loopback(hostPort(u)) {
		ps.Add("model.remote.token_file", "a token would go over the network for everybody to read: write https:// or grpcs://")
	}
	if (r.Cert == "") != (r.Key == "") {
		ps.Add("model.remote", "cert and key come together")
	}
	if r.Encoder == "" {
		ps.Add("model.remote.encoder", "it is missing: what is the encoder called on the server?")
	}
}

// hostPort is the address with a port, whether it has one or not.
func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), "0") }
