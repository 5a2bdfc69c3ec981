package web

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// lookEvery bounds how often a certificate's files are looked at.
const lookEvery = time.Second

// Certificate is a certificate and its key in two PEM files, read again when they change. Where the new ones do not fit together, the
// old ones go on and the log says why.
type Certificate struct {
	cert, key string
	log       *slog.Logger
	now       func() time.Time

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  string // what the files looked like when they were read last
	looked time.Time
}

// LoadCertificate reads the files. log may be nil.
func LoadCertificate(cert, key string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{cert: cert, key: key, log: log, now: time.Now}
	c.stamp = c.look()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s with key %s: %w", cert, key, err)
	}
	c.pair, c.looked = &pair, c.now()
	return c, nil
}

// Config is TLS 1.2 and later with the newest certificate.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.newest(), nil },
	}
}

// newest reads the files again where they have changed.
func (c *Certificate) newest() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < lookEvery {
		return c.pair
	}
	c.looked = now
	stamp := c.look()
	if stamp == c.stamp {
		return c.pair
	}
	c.stamp = stamp
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.log.Error("the new certificate cannot be used, the old one goes on", "cert", c.cert, "err", err)
		return c.pair
	}
	c.log.Info("the certificate was read again", "cert", c.cert)
	c.pair = &pair
	return c.pair
}

// look is what both files look like: their times and sizes.
func (c *Certificate) look() string {
	var stamp strings.Builder
	for _, name := range []string{c.cert, c.key} {
		if st, err := os.Stat(name); err == nil {
			stamp.WriteString(fmt.Sprintf("%d %d;", st.ModTime().UnixNano(), st.Size()))
		}
	}
	return stamp.String()
}
