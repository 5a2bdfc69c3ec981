package stream

import (
	"bufio"
	"bytes"
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
	case best == 0:
		return &refusal{http.StatusNotAcceptable, api.Unsupported, "the offer has no H.264 with packetization mode 1, which is what is sent here"}
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
// know (RFC 6184, 5.4). Where no mode is said 0 would be meant; no player that leaves it out means that.
func h264Codecs(m *sdp.MediaDescription) []h264Codec {
	var out []h264Codec
	for _, payload := range m.MediaName.Formats {
		if !isH264(m, payload) {
			continue
		}
		format := formatOf(m, payload)
		if mode := parameter(format, "packetization-mode"); mode == "" || mode == "1" {
			out = append(out, h264Codec{payload, levelOf(format)})
		}
	}
	return out
}

func isH264(m *sdp.MediaDescription, payload string) bool {
	return slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool {
		pt, codec, _ := strings.Cut(a.Value, " ")
		return a.Key == "rtpmap" && pt == payload && strings.EqualFold(strings.TrimSpace(codec), "H264/90000")
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

// fragment is an SDP fragment (RFC 8840): ICE credentials, and candidates for one bundle.
type fragment struct {
	ufrag, pwd string
	mid        string // of the first media description; the others are in its bundle
	candidates []string
}

// parseFragment reads a fragment. It is not a full SDP: there is no v=, o= or s= line.
func parseFragment(raw []byte) (*fragment, error) {
	f := &fragment{}
	media := 0
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, MaxBody+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' || strings.ContainsAny(line, "\r\x00") {
			return nil, malformed("line %d of the fragment is not of SDP", n)
		}
		if line[0] == 'm' {
			media++
		}
		key, value, _ := strings.Cut(line[2:], ":")
		if line[0] == 'a' {
			f.attribute(key, value, media)
		}
		if len(f.candidates) > maxCandidates {
			return nil, &refusal{http.StatusUnprocessableEntity, api.Overloaded, fmt.Sprintf("the fragment has over %d candidates", maxCandidates)}
		}
	}
	if len(f.candidates) == 0 && f.ufrag == "" && !bytes.Contains(raw, []byte("a=end-of-candidates")) {
		return nil, malformed("the fragment has neither candidates nor ICE credentials")
	}
	return f, nil
}

func (f *fragment) attribute(key, value string, media int) {
	switch key {
	case "ice-ufrag":
		f.ufrag = value
	case "ice-pwd":
		f.pwd = value
	case "mid":
		if f.mid == "" {
			f.mid = value
		}
	case "candidate":
		if media <= 1 { // later media are bundled with the first
			f.candidates = append(f.candidates, "candidate:"+value)
		}
	}
}

// restartOffer is the offer again with other ICE credentials and candidates.
func restartOffer(offer string, f *fragment) (string, error) {
	var d sdp.SessionDescription
	if err := d.Unmarshal([]byte(offer)); err != nil {
		return "", fmt.Errorf("the session's offer: %w", err)
	}
	d.Origin.SessionVersion++
	ice := func(a sdp.Attribute) bool {
		return a.Key == "ice-ufrag" || a.Key == "ice-pwd" || a.Key == "candidate" || a.Key == "end-of-candidates"
	}
	d.Attributes = slices.DeleteFunc(d.Attributes, ice)
	for i, m := range d.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, ice)
		m.Attributes = append(m.Attributes, sdp.NewAttribute("ice-ufrag", f.ufrag), sdp.NewAttribute("ice-pwd", f.pwd))
		if i > 0 {
			continue
		}
		for _, c := range f.candidates {
			m.Attributes = append(m.Attributes, sdp.NewAttribute("candidate", strings.TrimPrefix(c, "candidate:")))
		}
	}
	b, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("the session's offer: %w", err)
	}
	return string(b), nil
}

// fragmentOf is what an answer says of ICE, as a fragment.
func fragmentOf(answer string) string {
	var ufrag, pwd, mid, media string
	var candidates []string
	for line := range strings.Lines(answer) {
		line = strings.TrimRight(line, "\r\n")
		key, value, _ := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "m=") && media == "":
			media = line
		case key == "a=ice-ufrag":
			ufrag = value
		case key == "a=ice-pwd":
			pwd = value
		case key == "a=mid" && mid == "":
			mid = value
		case key == "a=candidate" && !slices.Contains(candidates, line):
			candidates = append(candidates, line)
		}
	}
	out := []string{"a=ice-ufrag:" + ufrag, "a=ice-pwd:" + pwd, media, "a=mid:" + mid}
	out = append(out, candidates...)
	return strings.Join(append(out, "a=end-of-candidates"), "\r\n") + "\r\n"
}

// ufragOf is the first ICE user fragment of a description.
func ufragOf(description string) string {
	for line := range strings.Lines(description) {
		if v, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "a=ice-ufrag:"); ok {
			return v
		}
	}
	return ""
}
