package stream

import (
	"fmt"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// playoutDelayURI names the header extension by which a sender says how long a receiver may hold a picture before it is shown.
const playoutDelayURI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

// playout tells every viewer that asks for the extension to show a picture when it is there. A browser else holds pictures back until they
// come evenly, a hundred milliseconds and more; who points at something in them wants the newest.
type playout struct{ interceptor.NoOp }

func (p *playout) NewInterceptor(string) (interceptor.Interceptor, error) { return p, nil }

// BindLocalStream adds the extension to what is sent: both limits are 0.
func (*playout) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	id := 0
	for _, e := range info.RTPHeaderExtensions {
		if e.URI == playoutDelayURI {
			id = e.ID
		}
	}
	if id <= 0 || id > 14 { // RFC 8285, 4.2: what a one-byte header can name
		return next
	}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if err := h.SetExtension(uint8(id), []byte{0, 0, 0}); err != nil {
			return 0, fmt.Errorf("playout delay: %w", err)
		}
		return next.Write(h, payload, a)
	})
}

// configurePlayout registers the extension and what writes it.
func configurePlayout(m *webrtc.MediaEngine, r *interceptor.Registry) error {
	r.Add(&playout{})
	return m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelayURI}, webrtc.RTPCodecTypeVideo)
}
