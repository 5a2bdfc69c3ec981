package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/stream"
)

// iceServers are the STUN and TURN servers with their credentials.
func iceServers(c *config.HTTP) ([]stream.ICEServer, error) {
	var out []stream.ICEServer
	for _, u := range c.ICEServers {
		s := stream.ICEServer{URLs: []string{u}}
		if strings.HasPrefix(u, "turn") {
			var err error
			if s.Username, s.Credential, err = credentials(c.ICECredentials); err != nil {
				return nil, fmt.Errorf("http.ice_credentials_file: %w", err)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

var errNoCredentials = errors.New("the file must hold one line, user:password")

// credentials are the user and the password in a file of the form user:password.
func credentials(file string) (user, password string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", err
	}
	user, password, ok := strings.Cut(strings.TrimSpace(string(data)), ":")
	if !ok || user == "" || password == "" || strings.ContainsAny(user+password, "\r\n") {
		return "", "", &os.PathError{Op: "read", Path: file, Err: errNoCredentials}
	}
	return user, password, nil
}
