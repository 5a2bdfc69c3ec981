package secret

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// errEncoding is an address that a person understands and a program does not.
var errEncoding = errors.New("a character of the user's name or password means something else in an address: percent-encode it " +
	"(@ is %40, : is %3A, / is %2F, # is %23, ? is %3F, % is %25, a space is %20)")

// ParseURL is url.Parse with errors that repeat nothing of the address, and with a refusal of addresses whose password was not
// percent-encoded and would be taken for a host, a path or a fragment.
func ParseURL(s string) (*url.URL, error) {
	_, rest, ok := strings.Cut(s, "://")
	if ok && straddles(rest) {
		return nil, errEncoding
	}
	u, err := url.Parse(s)
	if err == nil {
		return u, nil
	}
	if strings.Contains(rest, "@") {
		return nil, errEncoding
	}
	if ue, ok := errors.AsType[*url.Error](err); ok { // its text repeats the address
		err = ue.Err
	}
	return nil, err
}

// straddles reports whether a password goes on beyond what a parser takes for the host: before the first / ? # stands something that is
// no host with a port, and an @ comes after.
func straddles(rest string) bool {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 || !strings.Contains(rest[end:], "@") {
		return false
	}
	host := rest[:end]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return portless(host)
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
