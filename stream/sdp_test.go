package stream

import (
	"errors"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

const restartFragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" +
	"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n" +
	"a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2\r\na=end-of-candidates\r\n"

// TestFragmentOfTheRFC reads the example of RFC 9725, 4.3.2.
func TestFragmentOfTheRFC(t *testing.T) {
	f, err := parseFragment([]byte(restartFragment))
	if err != nil || f.ufrag != "EsAw" || f.pwd != "P2uYro0UCOQ4zxjKXaWCBui1" || f.mid != "0" || len(f.candidates) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	if !strings.HasPrefix(f.candidates[0], "candidate:1387637174 1 udp") {
		t.Errorf("candidate %q", f.candidates[0])
	}
	second, err := parseFragment([]byte(restartFragment + "m=video 9 X 0\r\na=mid:1\r\na=candidate:1 1 udp 1 192.0.2.9 1 typ host\r\n"))
	if err != nil || second.mid != "0" || len(second.candidates) != 2 {
		t.Errorf("candidates of a bundled medium were taken twice: %+v, %v", second, err)
	}
}

const someOffer = "v=0\r\no=- 5 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:top\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:oldoldoldoldoldoldoldold\r\na=candidate:9 1 udp 1 192.0.2.7 1 typ host\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=recvonly\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=ice-ufrag:old\r\na=ice-pwd:oldoldoldoldoldoldoldold\r\n"

func TestRestartOffer(t *testing.T) {
	f, err := parseFragment([]byte(restartFragment))
	if err != nil {
		t.Fatal(err)
	}
	out, err := restartOffer(someOffer, f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out, "old") || strings.Contains(out, "a=ice-ufrag:top") || strings.Contains(out, "192.0.2.7") {
		t.Errorf("old ICE parts are left:\n%s", out)
	}
	if strings.Count(out, "a=ice-ufrag:EsAw") != 2 || strings.Count(out, "a=candidate:") != 2 || !strings.Contains(out, "o=- 5 2 IN") || !strings.Contains(out, "H264/90000") {
		t.Errorf("offer:\n%s", out)
	}
	if ufragOf(out) != "EsAw" || ufragOf("v=0\r\n") != "" {
		t.Error("ufrag")
	}
	if _, err := restartOffer("hello", f); err == nil {
		t.Error("an offer that is no SDP was used")
	}
}

func TestFragmentOfAnAnswerComesBack(t *testing.T) {
	got, err := parseFragment([]byte(fragmentOf(someOffer)))
	if err != nil || got.ufrag != "old" || got.mid != "0" || len(got.candidates) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCheckOffer(t *testing.T) {
	if err := checkOffer([]byte(someOffer)); err != nil {
		t.Error(err)
	}
	many := someOffer + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", maxMedia)
	var r *refusal
	if err := checkOffer([]byte(many)); !errors.As(err, &r) || r.status != 422 {
		t.Errorf("%d media: %v", maxMedia+2, err)
	}
}

func FuzzOffer(f *testing.F) {
	f.Add([]byte(someOffer))
	f.Add([]byte("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 0 X 0\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := checkOffer(raw); err != nil {
			var r *refusal
			if !errors.As(err, &r) || r.status < 400 || r.status > 499 {
				t.Fatalf("%v", err)
			}
			return
		}
		prepared, undo := alone(string(raw))
		if again, _ := alone(prepared); again != prepared || prepared == string(raw) && undo("x") != "x" {
			t.Fatalf("%q became %q", raw, prepared)
		}
		if l := negotiatedLevel(prepared, string(raw)); l < 0 || l > 255 {
			t.Fatalf("level %d", l)
		}
		if err := checkAnswer(prepared); err != nil && !strings.Contains(err.Error(), "no way to send video") {
			t.Fatalf("%v", err)
		}
		out, err := restartOffer(string(raw), &fragment{ufrag: "u", pwd: "p", candidates: []string{"candidate:1"}})
		if err != nil {
			t.Fatal(err)
		}
		var d sdp.SessionDescription
		if err := d.Unmarshal([]byte(out)); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
	})
}

func FuzzFragment(f *testing.F) {
	f.Add([]byte(restartFragment))
	f.Add([]byte("a=candidate\r\nm=\r\na=mid\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := parseFragment(raw)
		if err != nil {
			var r *refusal
			if !errors.As(err, &r) || r.status < 400 || r.status > 499 {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(got.candidates) > maxCandidates || strings.ContainsAny(got.ufrag+got.pwd+got.mid, "\r\n") {
			t.Fatalf("%+v", got)
		}
	})
}

func TestNegotiatedLevel(t *testing.T) {
	offer := func(level string) string {
		return strings.Replace(someOffer, "packetization-mode=1", "packetization-mode=1;profile-level-id=42e0"+level, 1)
	}
	for _, c := range []struct {
		offer, answer string
		want          int
	}{
		{offer("28"), offer("1f"), 40},
		{offer("1e"), offer("1f"), 30},
		{someOffer, offer("1f"), commonLevel}, // nothing is said of it
		{offer("zz"), offer("1f"), commonLevel},
		{"", offer("1f"), commonLevel},
		{offer("28"), strings.Replace(offer("1f"), "m=video 9", "m=video 0", 1), commonLevel},
	} {
		if got := negotiatedLevel(c.offer, c.answer); got != c.want {
			t.Errorf("level %d, want %d", got, c.want)
		}
	}
}
