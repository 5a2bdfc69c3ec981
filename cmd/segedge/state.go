package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// stateDir is the folder for what outlives a run: the one given, else systemd's, else the user's.
func stateDir(given string) (string, error) {
	switch {
	case given != "":
		return given, nil
	case os.Getenv("STATE_DIRECTORY") != "":
		first, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
		return first, nil
	case os.Getenv("XDG_STATE_HOME") != "":
		return filepath.Join(os.Getenv("XDG_STATE_HOME"), "segedge"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for the state: %w; give --state DIR", err)
	}
	return filepath.Join(home, ".local", "state", "segedge"), nil
}

// lockState makes the folder and takes it for this process, until the file that it returns is closed.
func lockState(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("state folder %s is used by another segedge: stop it, or give --state DIR", dir)
		}
		return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	return f, nil
}

// ranBefore reports whether an agent has run with this state folder: it may have given numbers to objects.
func ranBefore(dir string) bool {
	for _, file := range []string{"known.state", "commands.json", "outbox", "announced.json"} {
		if _, err := os.Lstat(filepath.Join(dir, file)); err == nil {
			return true
		}
	}
	return false
}

// keptToken is the token kept in the state folder; the first call makes it.
func keptToken(dir string) (string, error) { return keptSecret(dir, "token") }

// keptSecret is 144 random bits kept in a file of the state folder; the first call makes them.
func keptSecret(dir, file string) (string, error) {
	name := filepath.Join(dir, file)
	data, err := os.ReadFile(name)
	if kept := strings.TrimSpace(string(data)); err == nil && len(kept) >= 16 {
		return kept, nil
	}
	b := make([]byte, 18)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("making the %s: %w", file, err)
	}
	made := base64.RawURLEncoding.EncodeToString(b)
	if err := os.WriteFile(name, []byte(made+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keeping the %s: %w", file, err)
	}
	return made, nil
}
