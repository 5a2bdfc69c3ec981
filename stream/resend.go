package stream

import (
	"math/bits"
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// What a viewer may have sent again: a packet for each two that it is sent, and as many as a large keyframe has at once. A path that
// carries a tenth of the video would else be sent several times as much as one that is well: its viewer asks for every lost packet
// again and again (RFC 4585, 6.2.1), and what is sent again is lost too.
const (
	resendShare = 0.5
	resendBurst = 512
)

// thrift leaves out of what a viewer asks for what it may not have. It stands before the interceptor that answers.
type thrift struct {
	interceptor.NoOp

	mu   sync.Mutex
	left float64 // packets
}

// thrifty makes one for each viewer.
type thrifty struct{}

func (thrifty) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &thrift{left: resendBurst}, nil
}

// BindLocalStream counts what is sent for the first time.
func (t *thrift) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if h.SSRC == info.SSRC {
			t.mu.Lock()
			t.left = min(t.left+resendShare, resendBurst)
			t.mu.Unlock()
		}
		return next.Write(h, payload, a)
	})
}

// BindRTCPReader shortens the lists of lost packets. Those who read after it are given the same parsed packets.
func (t *thrift) BindRTCPReader(from interceptor.RTCPReader) interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, a, err := from.Read(b, a)
		if err != nil {
			return n, a, err
		}
		if a == nil {
			a = interceptor.Attributes{}
		}
		packets, err := a.GetRTCPPackets(b[:n])
		if err != nil {
			return n, a, nil //nolint:nilerr // who reads after it says so
		}
		for _, p := range packets {
			if nack, ok := p.(*rtcp.TransportLayerNack); ok {
				nack.Nacks = t.allowed(nack.Nacks)
			}
		}
		return n, a, nil
	})
}

// allowed is the part of a list, from its beginning, that may be sent again.
func (t *thrift) allowed(lost []rtcp.NackPair) []rtcp.NackPair {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, pair := range lost {
		n := float64(1 + bits.OnesCount16(uint16(pair.LostPackets)))
		if n > t.left {
			return lost[:i]
		}
		t.left -= n
	}
	return lost
}
