package config

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
)

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	notAllowed = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)
)

// hostName is the agent's name where none is set: this machine's, or one of its own where the machine has none that tells it from others.
func hostName() string {
	h, _ := os.Hostname()
	id, _ := os.ReadFile("/etc/machine-id")
	return nameOf(h, strings.TrimSpace(string(id)))
}

// nameOf makes a name of a host's, else of its machine-id, hashed as machine-id(5) asks for.
func nameOf(host, id string) string {
	host = strings.Trim(notAllowed.ReplaceAllString(host, "-"), "-.")
	host = host[:min(len(host), 64)]
	switch {
	case nameForm.MatchString(host) && host != "localhost" && host != "localhost.localdomain":
		return host
	case id == "":
		return "edge"
	}
	sum := sha256.Sum256([]byte("segedge agent " + id))
	return "edge-" + hex.EncodeToString(sum[:4])
}
