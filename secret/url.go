package secret

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// ErrEncoding is an address that a person understands and a program does not.
var ErrEncoding = errors.New("a character of the user's name or password means something else in an address: percent-encode it " +
	"(@ is %40, also in a path, : is %3A, / is %2F, # is %23, ? is %3F, % is %25, a space is %20)")

// errPort is an address with a colon behind its host and no port behind that.
var errPort = errors.New("what follows the colon is no port; where it is a password, the host behind it is missing")

// ParseURL is url.Parse with errors that repeat nothing of the address, and with a refusal of addresses whose password was not
// percent-encoded and would be taken for a host, a path or a fragment, or may be.
func ParseURL(s string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if ok && straddles(scheme, rest) {
		return nil, ErrEncoding
	}
	u, err := url.Parse(s)
	if err == nil {
		return u, nil
	}
	if strings.Contains(rest, "@") {
		return nil, ErrEncoding
	}
	if host, _, _ := strings.Cut(rest, "/"); portless(host) {
		return nil, errPort
	}
	if ue, ok := errors.AsType[*url.Error](err); ok { // its text repeats the address
		err = ue.Err
	}
	return nil, err
}

// pathless are the schemes behind whose host nothing stands.
var pathless = map[string]bool{"tcp": true, "mqtt": true, "tls": true, "ssl": true, "mqtts": true, "grpc": true, "grpcs": true}

// straddles reports whether a password may go on beyond what a parser takes for the host, which ends at the first / ? #: an @ comes after,
// and before it stands an @ as well, or what is no host with a port, or what is one although no path with an @ in it belongs behind it. A
// host's path with an @ in it can be written with %40.
func straddles(scheme, rest string) bool {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || !strings.Contains(rest[end:], "@") {
		return false
	}
	host, path := rest[:end], rest[end:]
	switch {
	case pathless[strings.ToLower(scheme)] || strings.Contains(host, "@") || portless(host):
		return true
	case !strings.Contains(host, ":"):
		return false
	}
	if query := strings.IndexAny(path, "?#"); query > 0 {
		path = path[:query]
	}
	return strings.Contains(path, "@")
}

// portless reports whether what follows a host's colon is no port.
func portless(host string) bool {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return false
	}
	_, err := strconv.ParseUint(host[colon+1:], 10, 16)
	return err != nil
}
