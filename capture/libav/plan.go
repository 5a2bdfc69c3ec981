package libav

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/segedge/segedge/capture"
)

// plan is what FFmpeg is to be told.
type plan struct {
	target    string // path or address
	options   string // "name;value|name;value"
	protocols string // that it may use: an answer from the network must not open files
	described bool   // the server describes its streams
}

// optionsEnv adds options for network streams, in the form that OpenCV made known: "name;value|name;value".
const optionsEnv = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

// newPlan decides how to open a source.
func newPlan(s capture.Spec) (plan, error) {
	switch s.Kind {
	case capture.KindFile:
		// With its protocol, nothing in a name is taken for one, or for a pattern.
		return plan{target: "file:" + s.Address, protocols: "file,crypto,data"}, nil
	case capture.KindRTSP:
		// TCP first, since packets lost on UDP become grey smears; UDP where a camera has nothing else.
		return plan{
			target: lowerScheme(s.Address), described: true, options: withEnv("rtsp_flags;prefer_tcp"),
			protocols: "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto",
		}, nil
	case capture.KindHTTP:
		return plan{target: lowerScheme(s.Address), options: withEnv(""), protocols: "http,https,httpproxy,tcp,tls,crypto,data"}, nil
	default:
		return plan{}, capture.Permanent(fmt.Errorf("open %s: sources of kind %q are not read through FFmpeg", s, s.Kind))
	}
}

func withEnv(options string) string {
	return strings.Trim(options+"|"+os.Getenv(optionsEnv), "|")
}

// lowerScheme writes the scheme as FFmpeg compares it.
func lowerScheme(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	return strings.ToLower(scheme) + "://" + rest
}

// resolve looks the host up where the context can end that, and says what is wrong if it cannot be found.
func resolve(ctx context.Context, s capture.Spec) error {
	if s.Kind == capture.KindFile {
		return nil
	}
	u, err := url.Parse(s.Address)
	if err != nil || net.ParseIP(u.Hostname()) != nil {
		return nil //nolint:nilerr // FFmpeg will say
	}
	_, err = net.DefaultResolver.LookupHost(ctx, u.Hostname())
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("open %s: no such host is known", s)
	case err != nil:
		return fmt.Errorf("open %s: the name service does not answer", s)
	}
	return nil
}
