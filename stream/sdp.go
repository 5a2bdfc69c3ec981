package stream

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/segedge/segedge/api"
)

// Bounds of what a client may send.
const (
	maxMedia      = 16
	maxCandidates = 64
)

func malformed(format string, a ...any) error {
	return &refusal{http.StatusBadRequest, api.BadRequest, fmt.Sprintf(format, a...)}
}

// checkOffer reports the first thing about an offer that cannot be answered: 400 for what is no SDP, 422 for what is no
// WHEP offer, 406 where the two sides have no codec in common.
func checkOffer(raw []byte) error {
	var d sdp.SessionDescription
	if err := d.Unmarshal(raw); err != nil {
		return malformed("the offer is not SDP: %v", err)
	}
	if len(d.MediaDescriptions) > maxMedia {
		return &refusal{
			http.StatusUnprocessableEntity,
			api.Unsupported,
			fmt.Sprintf("the offer has %d media, at most %d are read", len(d.MediaDescriptions), maxMedia),
		}
	}
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Media != "video" {
			continue
		}
		if _, sends := m.Attribute("sendonly"); sends {
			return &refusal{http.StatusUnprocessableEntity, api.Unsupported, "the offer only sends video: this is where video is watched (recvonly)"}
		}
		if _, stops := m.Attribute("inactive"); stops || rejected(m) {
			continue
		}
		return checkCodecs(m)
	}
	return &refusal{http.StatusUnprocessableEntity, api.Unsupported, "the offer has no video to receive"}
}

// alone prepares an offer that bundles nothing, as of players with one medium only: the stack answers only what is in a bundle, so its
// first video becomes one. undo takes that out of the answer again, which must not hold what was not offered (RFC 9143, 7.3).
func alone(offer string) (prepared string, undo func(answer string) string) {
	same := func(answer string) string { return answer }
	var d sdp.SessionDescription
	if d.Unmarshal([]byte(offer)) != nil {
		return offer, same
	}
	for _, a := range d.Attributes {
		if a.Key == "group" && strings.HasPrefix(a.Value, "BUNDLE") {
			return offer, same
		}
	}
	for _, m := range d.MediaDescriptions {
		mid, ok := m.Attribute("mid")
		if m.MediaName.Media != "video" || !ok || rejected(m) {
			continue
		}
		d.Attributes = append(d.Attributes, sdp.NewAttribute("group", "BUNDLE "+mid))
		b, err := d.Marshal()
		if err != nil {
			return offer, same
		}
		return string(b), func(answer string) string { return strings.Replace(answer, "a=group:BUNDLE "+mid+"\r\n", "", 1) }
	}
	return offer, same
}

// rejected reports whether a medium is not wanted: its port is 0, unless that only says that it is to be bundled (RFC 9143, 6).
func rejected(m *sdp.MediaDescription) bool {
	_, bundled := m.Attribute("bundle-only")
	return m.MediaName.Port.Value == 0 && !bundled
}

// checkAnswer reports an answer in which nothing would be sent: the stack takes what it can of an offer, which may be nothing.
func checkAnswer(raw string) error {
	var d sdp.SessionDescription
	if err := d.Unmarshal([]byte(raw)); err != nil {
		return fmt.Errorf("the answer is not SDP: %w", err)
	}
	for _, m := range d.MediaDescriptions {
		_, sends := m.Attribute("sendonly")
		_, both := m.Attribute("sendrecv")
		if m.MediaName.Media == "video" && (sends || both) && !rejected(m) {
			return nil
		}
	}
	return &refusal{
		http.StatusNotAcceptable,
		api.Unsupported,
		"the offer leaves no way to send video: offer one video medium to receive, bundled with the others",
	}
}

// checkCodecs reports why a medium cannot take what is sent.
func checkCodecs(m *sdp.MediaDescription) error {
	best := 0
	for _, c := range h264Codecs(m) {
		best = max(best, c.level)
	}
	switch {
	case best < lowLevel && hasCodec(m, "VP8/90000"):
		return nil
	case best == 0:
		return &refusal{
			http.StatusNotAcceptable, api.Unsupported, "the offer has neither H.264 with packetization mode 1 nor VP8, which is what is sent here",
		}
	case best < lowLevel:
		return &refusal{
			http.StatusNotAcceptable, api.Unsupported,
			fmt.Sprintf("the offer takes H.264 up to level %d.%d, and what is sent here is of level 3 at least", best/10, best%10),
		}
	}
	return nil
}

// h264Codec is a payload type with the level that its decoder promises to take.
type h264Codec struct {
	payload string
	level   int
}

// h264Codecs are those of a medium that can take what is sent, in its order: pictures in fragments, which packetization mode 0 does not
// know (RFC 6184, 5.4). Where no mode is said 0 is meant (8.1).
func h264Codecs(m *sdp.MediaDescription) []h264Codec {
	var out []h264Codec
	for _, payload := range m.MediaName.Formats {
		if !isH264(m, payload) {
			continue
		}
		format := formatOf(m, payload)
		if parameter(format, "packetization-mode") == "1" {
			out = append(out, h264Codec{payload, levelOf(format)})
		}
	}
	return out
}

// onlyVP8 reports an offer, one that checkOffer has let through, whose video takes VP8 and no H.264 that is sent here.
func onlyVP8(raw []byte) bool {
	var d sdp.SessionDescription
	if d.Unmarshal(raw) != nil {
		return false
	}
	for _, m := range d.MediaDescriptions {
		if _, stops := m.Attribute("inactive"); m.MediaName.Media != "video" || stops || rejected(m) {
			continue
		}
		usable := slices.ContainsFunc(h264Codecs(m), func(c h264Codec) bool { return c.level >= lowLevel })
		return !usable && hasCodec(m, "VP8/90000")
	}
	return false
}

// hasCodec reports whether a medium offers a codec, by its encoding name and clock rate.
func hasCodec(m *sdp.MediaDescription, name string) bool {
	return slices.ContainsFunc(m.MediaName.Formats, func(payload string) bool { return isCodec(m, payload, name) })
}

func isH264(m *sdp.MediaDescription, payload string) bool { return isCodec(m, payload, "H264/90000") }

func isCodec(m *sdp.MediaDescription, payload, name string) bool {
	return slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool {
		pt, codec, _ := strings.Cut(a.Value, " ")
		return a.Key == "rtpmap" && pt == payload && strings.EqualFold(strings.TrimSpace(codec), name)
	})
}

// formatOf is a payload type's parameters.
func formatOf(m *sdp.MediaDescription, payload string) string {
	for _, a := range m.Attributes {
		if pt, value, _ := strings.Cut(a.Value, " "); a.Key == "fmtp" && pt == payload {
			return value
		}
	}
	return ""
}

// parameter is the value of a key in a format's parameters; empty where it is not there.
func parameter(format, name string) string {
	for field := range strings.SplitSeq(format, ";") {
		if key, value, _ := strings.Cut(strings.TrimSpace(field), "="); strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// levelOf is the level of a format's profile-level-id (RFC 6184, 8.1). Where it is not said, level 1 would be meant; no player
// that leaves it out means that.
func levelOf(format string) int {
	value := parameter(format, "profile-level-id")
	if id, err := strconv.ParseUint(value, 16, 24); err == nil && len(value) == 6 {
		return int(id & 0xff)
	}
	return commonLevel
}

// negotiatedLevel is the level of the payload type that an answer takes from an offer.
func negotiatedLevel(offer, answer string) int {
	var o, a sdp.SessionDescription
	if o.Unmarshal([]byte(offer)) != nil || a.Unmarshal([]byte(answer)) != nil {
		return commonLevel
	}
	for i, m := range a.MediaDescriptions {
		if m.MediaName.Media != "video" || m.MediaName.Port.Value == 0 || i >= len(o.MediaDescriptions) {
			continue
		}
		for _, chosen := range h264Codecs(m) {
			for _, c := range h264Codecs(o.MediaDescriptions[i]) {
				if c.payload == chosen.payload {
					return c.level
				}
			}
		}
	}
	return commonLevel
}
