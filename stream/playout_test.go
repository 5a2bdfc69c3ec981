package stream

import (
	"bytes"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// Who asks for the extension is told in each packet to show a picture at once; who does not gets no extension.
func TestPicturesAreShownAtOnce(t *testing.T) {
	i, err := (&playout{}).NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		asked []interceptor.RTPHeaderExtension
		id    uint8
	}{
		{"asked", []interceptor.RTPHeaderExtension{{URI: "urn:other", ID: 3}, {URI: playoutDelayURI, ID: 5}}, 5},
		{"not asked", []interceptor.RTPHeaderExtension{{URI: "urn:other", ID: 3}}, 0},
		{"a number for two bytes", []interceptor.RTPHeaderExtension{{URI: playoutDelayURI, ID: 15}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sent rtp.Header
			w := i.BindLocalStream(&interceptor.StreamInfo{SSRC: 7, RTPHeaderExtensions: c.asked}, interceptor.RTPWriterFunc(
				func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
					sent = *h
					return len(payload), nil
				},
			))
			if n, err := w.Write(&rtp.Header{SSRC: 7}, []byte("picture"), nil); n != 7 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			switch got := sent.GetExtension(c.id); {
			case c.id == 0 && sent.Extension:
				t.Errorf("an extension is sent: %v", sent.Extensions)
			case c.id != 0 && !bytes.Equal(got, []byte{0, 0, 0}):
				t.Errorf("%v is sent", got)
			}
		})
	}
}
