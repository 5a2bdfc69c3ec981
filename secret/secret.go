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

// pair is a key that names a secret, with its value: of an address's query, of a GStreamer pipeline.
var pair = regexp.MustCompile(
	`(?i)\b(pass|passwd|password|pwd|token|secret|key|api_key|apikey|auth|user|username|user-id|user-pw|proxy-pw)=` +
		`("[^"]*"|[^&\s"']+)`,
)

// Mask hides user names and passwords of addresses, and values of keys that name a secret, in text that is to be read by people. Of an
// address, everything before its last @ is hidden: a password that was not percent-encoded may hold any of / # ? : @ %.
func Mask(s string) string {
	return pair.ReplaceAllString(relay.ReplaceAllString(maskUsers(s), "${1}"+Hidden+"@"), "${1}="+Hidden)
}

// relay is the address of a TURN or STUN server (RFC 7065) with a user before its host, where none belongs.
var relay = regexp.MustCompile(`(?i)\b((?:turn|stun)s?:)[^\s"']*@`)

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
		if at := userEnd(s[:addressEnd(s)]); at >= 0 {
			out.WriteString(Hidden)
			s = s[at:]
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

// MaskYAML is Mask for lines of a configuration file.
func MaskYAML(s string) string {
	return Mask(setting.ReplaceAllString(s, "${1}"+Hidden))
}
