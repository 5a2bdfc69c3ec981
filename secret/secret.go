// Package secret keeps passwords and tokens out of what people read: logs, errors, pages, the lines at start. Mask hides what looks like
// one in addresses, pipelines and settings; ParseURL reads an address and refuses one whose password would be read as something else. It
// guards no memory and encrypts nothing.
package secret

import (
	"regexp"
	"strings"
	"unicode"
)

// Hidden stands where a secret was.
const Hidden = "***"

// pair is a key that names a secret, with its value: of an address's query or path, of a GStreamer pipeline. The words are those of
// cameras' own interfaces, of storage services and of signed addresses.
var pair = regexp.MustCompile(
	`(?i)([\w.-]*(?:passw|passphrase|pwd|psw|token|secret|api_?key|accesskey|signature|credential|username|login|basic_?auth|authbasic)` +
		`[\w.-]*|` +
		`(?:\b|_)(?:pass|pas|pw|psk|key|auth|authorization|sig|hmac|sas|user|usr|user-id|user-pw|proxy-id|proxy-pw)_?)(\s*=\s*)` +
		`("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^&\s"']+)`,
)

// following begins what some recorders write into their paths behind a user or a password: user=a_password=b_channel=1_stream=0.sdp.
var following = regexp.MustCompile(`(?i)[_;,](?:password|passwd|pwd|channel|chan|ch|stream|subtype)=`)

// maskPairs hides the values of keys that name a secret. One that names the file with it is shown.
func maskPairs(s string) string {
	return pair.ReplaceAllStringFunc(s, func(whole string) string {
		m := pair.FindStringSubmatch(whole)
		key, is, value := m[1], m[2], m[3]
		if strings.HasSuffix(strings.ToLower(key), "_file") {
			return whole
		}
		if next := following.FindStringIndex(value); next != nil && value[0] != '"' && value[0] != '\'' {
			return key + is + Hidden + value[next[0]:next[0]+1] + maskPairs(value[next[0]+1:])
		}
		return key + is + Hidden + value[len(strings.TrimRight(value, ":,;")):] // which belong to the text
	})
}

// Mask hides user names and passwords of addresses, and values of keys that name a secret, in text that is to be read by people. Of an
// address, everything before its last @ is hidden: a password that was not percent-encoded may hold any of / # ? : @ %.
func Mask(s string) string {
	for range looks {
		masked := maskPairs(maskBare(relay.ReplaceAllString(maskUsers(s), "${1}"+Hidden+"@")))
		if masked == s {
			break
		}
		s = masked
	}
	return s
}

// looks bounds how often a text is looked at: what was hidden may show that what is before it belongs to it.
const looks = 4

// relay is the address of a TURN or STUN server (RFC 7065) with a user before its host, where none belongs.
var relay = regexp.MustCompile(`(?i)\b((?:turn|stun)s?:)[^\s"']*@`)

// bare is a user and a password before a host, without "://" in front: it was forgotten, or mistyped.
var bare = regexp.MustCompile(`(^|[\s"'=(,/])((?i:(?:rtsps?|https?|mqtts?|wss?|tcp|tls|ssl):/*)?)[^\s"'=(,/@:]+:[^\s"']*@`)

// maskBare hides them, where none is hidden already.
func maskBare(s string) string {
	return bare.ReplaceAllStringFunc(s, func(whole string) string {
		if strings.HasSuffix(whole, Hidden+"@") || strings.Contains(whole, "://") {
			return whole
		}
		m := bare.FindStringSubmatch(whole)
		return m[1] + m[2] + Hidden + "@"
	})
}

// maskUsers hides what stands before the @ of every address in a text.
func maskUsers(s string) string {
	const mark = "://"
	var out strings.Builder
	for {
		i := strings.Index(s, mark)
		if i < 0 {
			out.WriteString(s)
			return out.String()
		}
		i += len(mark)
		out.WriteString(s[:i])
		s = s[i:]
		if at := userEnd(s[:userArea(s)]); at >= 0 {
			out.WriteString(Hidden)
			s = s[at:]
		} else if from, to := noPort(s[:addressEnd(s)]); from < to {
			out.WriteString(s[:from] + Hidden)
			s = s[to:]
		}
	}
}

// userEnd is where the @ after an address's user and password stands, or -1. An @ in a path alone is none.
func userEnd(s string) int {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || strings.ContainsAny(s[:at], "/?#") && !strings.ContainsAny(s[:at], ":@") {
		return -1
	}
	return at
}

// noPort is what follows the colon of an address's host and is no port: a user's password, whose host was forgotten. It goes on to the end,
// for a password may hold a slash; what belongs to the text around it is not counted.
func noPort(s string) (from, to int) {
	host := s
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		host = s[:end]
	}
	behind := strings.LastIndexByte(host, ']') + 1 // an IPv6 address
	colon := strings.IndexByte(host[behind:], ':')
	if colon < 0 {
		return 0, 0
	}
	from, to = behind+colon+1, len(strings.TrimRight(s, ".,:;)]}"))
	if end := min(len(host), to); from >= end || !portless(s[:end]) {
		return 0, 0
	}
	return from, to
}

// userArea is how much of a text an address's user and password may take: the address, or beyond it up to the next @ where it ends
// within what is no host with a port. White space and quotation marks may be part of a password.
func userArea(s string) int {
	end := addressEnd(s)
	if strings.ContainsAny(s[:end], "@/?#") || !portless(strings.TrimRight(s[:end], ".,:;)]}")) {
		return end
	}
	rest, _, _ := strings.Cut(s[end:], "\n")
	rest, _, _ = strings.Cut(rest, "://")
	at := strings.IndexByte(rest, '@')
	if at < 0 {
		return end
	}
	return end + at + 1 + addressEnd(rest[at+1:])
}

// addressEnd is where an address in a text ends: at white space, at a quotation mark that is followed by what follows one in prose or
// JSON, or where another address begins.
func addressEnd(s string) int {
	for i, r := range s {
		switch {
		case unicode.IsSpace(r) || r == '|' && strings.HasPrefix(s[i:], "| "):
			return i
		case r == '"' || r == '\'':
			if rest := s[i+1:]; rest == "" || strings.ContainsRune(",:;)]} \n\t", rune(rest[0])) {
				return i
			}
		}
	}
	return len(s)
}

// setting is a line of a configuration file that holds a secret.
var setting = regexp.MustCompile(`(?im)^(.*?\b(?:token|password|secret|username)["']?[ \t]*:[ \t]*)(\S.*)$`)

// MaskYAML is MaskValue for the values in lines of a configuration file, with what keys of secrets have.
func MaskYAML(s string) string {
	lines := strings.Split(setting.ReplaceAllString(s, "${1}"+Hidden), "\n")
	for i, line := range lines {
		value := len(yamlKey.FindString(line))
		lines[i] = line[:value] + MaskValue(line[value:])
	}
	return Mask(strings.Join(lines, "\n"))
}

// yamlKey is what stands before a value in a line.
var yamlKey = regexp.MustCompile(`^[\s>|\d-]*(?:[\w.-]+["']?[ \t]*:[ \t]+)?`)

// MaskValue is Mask for one setting's value, of which everything belongs together: white space too may be part of a password.
func MaskValue(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Mask(s)
	}
	user := len(relayScheme.FindString(s[:at]))
	if _, rest, ok := strings.Cut(s[:at], "://"); ok {
		user = at - len(rest)
	}
	name := s[user:at]
	if user == 0 && !strings.Contains(name, ":") || strings.ContainsAny(name, "/?#") && !strings.ContainsAny(name, ":@") {
		return Mask(s)
	}
	return Mask(s[:user] + Hidden + s[at:])
}

var relayScheme = regexp.MustCompile(`(?i)^["']?(?:turn|stun)s?:`)
