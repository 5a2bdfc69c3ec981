package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/segedge/segedge/secret"
)

// Connection says how a broker is reached. The zero values of the times are the defaults.
type Connection struct {
	// Broker is a URL: tcp://host:1883, tls://host:8883, ws://host/path, wss://host/path or unix:///path.
	Broker   string
	ClientID string
	Username string
	Password string
	// PasswordFile is read at every connection, so that a rotated secret needs no restart; it wins over Password.
	PasswordFile string
	TLS          TLS
	Version      int // of MQTT: 5, or 3.1.1 for everything else

	KeepAlive      time.Duration // 15 s: a broker that vanished is noticed within KeepAlive plus 5 s
	ConnectTimeout time.Duration // 5 s
	WriteTimeout   time.Duration // 3 s
	AckTimeout     time.Duration // 20 s: a broker that acknowledges nothing for so long is left and called again
	Logger         *slog.Logger
}

// TLS are the files of an encrypted connection, all optional.
type TLS struct {
	CA         string // PEM certificates to trust instead of the system's
	Cert, Key  string // PEM client certificate
	ServerName string // name in the broker's certificate, where it is not the URL's host
}

func (c *Connection) defaults() {
	set := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&c.KeepAlive, 15*time.Second)
	set(&c.ConnectTimeout, 5*time.Second)
	set(&c.WriteTimeout, 3*time.Second)
	set(&c.AckTimeout, 20*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// schemes are the URL schemes understood, with the port where none is given.
var schemes = map[string]string{
	"tcp": "1883", "mqtt": "1883", "tls": "8883", "ssl": "8883", "mqtts": "8883", "ws": "80", "wss": "443", "unix": "",
}

// parseBroker checks a broker's address and completes its port.
func parseBroker(s string) (*url.URL, error) {
	const help = "write tcp://host:1883, tls://host:8883, ws://host/path, wss://host/path or unix:///path"
	shown := secret.MaskValue(s)
	u, err := secret.ParseURL(s)
	if err != nil {
		return nil, fmt.Errorf("the broker's address %q is not a URL: %w; %s", shown, err, help)
	}
	port, ok := schemes[u.Scheme]
	if !ok {
		return nil, fmt.Errorf("the broker's address %q has no scheme that is understood: %s", shown, help)
	}
	if u.Scheme == "unix" {
		if u.Path == "" {
			return nil, fmt.Errorf("the broker's address %q names no socket: %s", shown, help)
		}
		return u, nil
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("the broker's address %q names no host: %s", shown, help)
	}
	if u.Port() == "" {
		u.Host += ":" + port
	}
	return u, nil
}

// redact is the broker's address without its secrets, in the form that names a journal's owner.
func redact(s string) string {
	u, err := secret.ParseURL(s)
	if err != nil {
		return secret.MaskValue(s)
	}
	u.User = nil
	return u.String()
}

func encrypted(scheme string) bool {
	switch scheme {
	case "tls", "ssl", "mqtts", "wss":
		return true
	default:
		return false
	}
}

// config reads the files and makes the TLS configuration for a broker.
func (t TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the broker's CA: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the broker's CA: %s holds no PEM certificate", t.CA)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errors.New("a client certificate needs both the certificate and its key")
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// credentials are the user and the password to connect with now.
func (c *Connection) credentials() (user, password string, err error) {
	user, password = c.Username, c.Password
	if u, parseErr := secret.ParseURL(c.Broker); parseErr == nil && u.User != nil && user == "" {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	if c.PasswordFile != "" {
		data, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", "", fmt.Errorf("read the broker's password: %w", err)
		}
		password = strings.TrimPrefix(strings.TrimRight(string(data), "\r\n"), "\ufeff") // as editors leave it
	}
	return user, password, nil
}

// check finds what can be found wrong before connecting.
func (c *Connection) check() error {
	u, err := parseBroker(c.Broker)
	if err != nil {
		return err
	}
	if !encrypted(u.Scheme) && (c.TLS.CA != "" || c.TLS.Cert != "") {
		return fmt.Errorf("certificates are given, but the broker's address %q is not encrypted: write tls:// or wss://", redact(c.Broker))
	}
	if _, err := c.TLS.config(u.Hostname()); err != nil {
		return err
	}
	user, _, err := c.credentials()
	if err == nil {
		err = errors.Join(validText(user), validText(c.ClientID))
	}
	return err
}
