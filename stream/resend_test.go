package stream

import (
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// A viewer that asks for everything again, and again, gets a burst, and then half as much as is sent anew.
func TestWhatIsSentAgainIsBounded(t *testing.T) {
	i, err := thrifty{}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	var lost []uint16
	for n := range uint16(1000) {
		lost = append(lost, 100+2*n)
	}
	raw, err := (&rtcp.TransportLayerNack{MediaSSRC: 7, Nacks: rtcp.NackPairsFromSequenceNumbers(lost)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	reader := i.BindRTCPReader(interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		return copy(b, raw), a, nil
	}))
	asked := func() (n int) {
		t.Helper()
		b := make([]byte, 4096)
		size, a, err := reader.Read(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		packets, err := a.GetRTCPPackets(b[:size])
		if err != nil || len(packets) != 1 {
			t.Fatalf("%v, %v", packets, err)
		}
		for _, pair := range packets[0].(*rtcp.TransportLayerNack).Nacks {
			n += len(pair.PacketList())
		}
		return n
	}
	if n := asked(); n > resendBurst || n < resendBurst-17 {
		t.Errorf("at first %d are sent again", n)
	}
	if n := asked(); n > 17 {
		t.Errorf("then %d more", n)
	}
	writer := i.BindLocalStream(&interceptor.StreamInfo{SSRC: 7}, interceptor.RTPWriterFunc(
		func(*rtp.Header, []byte, interceptor.Attributes) (int, error) { return 0, nil },
	))
	for n := range 200 {
		for _, ssrc := range []uint32{7, 8} { // the second is what is sent again
			if _, err := writer.Write(&rtp.Header{SSRC: ssrc, SequenceNumber: uint16(n)}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := asked(); n > 117 || n < 83 {
		t.Errorf("after 200 packets %d are sent again", n)
	}
}

// What is no list of lost packets, or no RTCP at all, goes through as it is.
func TestThriftTouchesNothingElse(t *testing.T) {
	i, _ := thrifty{}.NewInterceptor("")
	for _, raw := range [][]byte{{1, 2, 3}, nil} {
		reader := i.BindRTCPReader(interceptor.RTCPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
			return copy(b, raw), a, nil
		}))
		if n, _, err := reader.Read(make([]byte, 64), nil); err != nil || n != len(raw) {
			t.Errorf("%v: %d, %v", raw, n, err)
		}
	}
}
