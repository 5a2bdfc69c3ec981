package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/secret"
)

// viewKey says what a camera looks at: where two keys are the same, what was known of the one picture holds for the other. It has no
// secrets. Of an address the login and a query's tokens do not count, nor whether it is encrypted; and of a camera that has its name from
// a configuration file the port does not either: that is the same camera behind another door. What turns or cuts the picture counts.
func viewKey(c *config.Camera, named bool) string {
	key := sourceKey(c.Source, named)
	if c.Rotate != 0 || c.Flip != "" || len(c.Crop) > 0 {
		key += fmt.Sprintf(" rotate=%d flip=%s crop=%v", c.Rotate, c.Flip, c.Crop)
	}
	return key
}

// sourceKey is what viewKey says of the source.
func sourceKey(source string, named bool) string {
	spec, err := capture.ParseSource(source)
	switch {
	case err != nil && strings.Contains(source, "://"), spec.Kind == capture.KindRTSP, spec.Kind == capture.KindHTTP:
		return addressKey(source, named)
	case err != nil: // a file that is not there yet
		spec.Address = source
	case spec.Kind == capture.KindGStreamer:
		return "gst: " + strings.Join(strings.Fields(capture.Mask(spec.Address)), " ")
	case spec.Kind != capture.KindFile && spec.Kind != capture.KindImages:
		return spec.String()
	}
	if whole, err := filepath.Abs(spec.Address); err == nil {
		return whole
	}
	return spec.Address
}

// defaultPorts are those that an address means where it names none.
var defaultPorts = map[string]string{"rtsp": "554", "http": "80", "rtsps": "322", "https": "443"}

// addressKey is what viewKey says of a stream's address.
func addressKey(address string, named bool) string {
	u, err := secret.ParseURL(strings.TrimSpace(address))
	if err != nil {
		return capture.Mask(address)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
	if scheme == "file" {
		return u.Path
	}
	if port := u.Port(); !named && port != "" && port != defaultPorts[scheme] {
		host += ":" + port
	}
	key := url.URL{Scheme: strings.TrimSuffix(scheme, "s"), Host: host, Path: u.Path, RawQuery: u.RawQuery}
	return capture.Mask(key.String())
}

// named reports whether the cameras have their names from a configuration file, and not from a command line with one source.
func (b *builder) named() bool { return b.run.Config != "" && b.run.Source == "" }

// sameView leaves of what was known what was known of what the cameras look at now. The others begin anew, which is said.
func (b *builder) sameView(known []agent.Known) []agent.Known {
	return slices.DeleteFunc(known, func(k agent.Known) bool {
		c := b.cfg.Camera(k.Camera)
		if c == nil {
			return false
		}
		now := viewKey(c, b.named())
		if k.View == "" || k.View == now { // programs before this one did not say
			return false
		}
		b.log.Warn("the camera looks at something else than when it last ran: it begins anew, without the objects, zones and lines of then",
			"camera", k.Camera, "then", k.View, "now", now, "objects", len(k.Objects))
		return true
	})
}
