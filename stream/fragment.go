package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"github.com/segedge/segedge/api"
)

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
