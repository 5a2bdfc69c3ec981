package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/mqtt/client"
)

// brokerFile is the file of the state folder that says where the embedded broker is while the agent runs, for who speaks to it from this
// machine: it may have moved off its usual port.
const brokerFile = "broker"

// noteBroker writes brokerFile.
func noteBroker(folder, url string, log *slog.Logger) {
	if err := os.WriteFile(filepath.Join(folder, brokerFile), []byte(url+"\n"), 0o600); err != nil {
		log.Warn("where the embedded broker is cannot be noted: commands on this machine may need --broker", "broker", url, "err", err)
	}
}

// forgetBroker takes brokerFile away.
func forgetBroker(folder string) error {
	if err := os.Remove(filepath.Join(folder, brokerFile)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// likelyBrokers are the addresses at which the embedded broker of this machine may be, the likeliest first.
func likelyBrokers(cfg *config.Config) []string {
	var all []string
	if folder, err := stateDir(cfg.Agent.State); err == nil {
		if noted, err := os.ReadFile(filepath.Join(folder, brokerFile)); err == nil {
			all = append(all, strings.TrimSpace(string(noted)))
		}
	}
	for _, address := range append([]string{cfg.MQTT.Embedded}, broker.Usual()...) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			continue // none is configured
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		scheme := "tcp://"
		if cfg.MQTT.Cert != "" {
			scheme = "tls://"
		}
		if url := scheme + net.JoinHostPort(host, port); !slices.Contains(all, url) {
			all = append(all, url)
		}
	}
	return all
}

// How long one of several brokers may take to let a client in, and to say that the agent is there.
const (
	likelyConnect = 3 * time.Second
	likelyStatus  = time.Second
)

// findAgent connects to the first of some brokers on which the agent says that it is online; where it does on none, to the first that lets
// a client in.
func findAgent(ctx context.Context, o client.Options, addresses []string) (*client.Client, error) {
	o.ConnectTimeout = likelyConnect
	var first *client.Client
	var refused error
	for _, o.Broker = range addresses {
		c, err := client.Dial(ctx, o)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			continue
		case err != nil:
			refused = errors.Join(refused, err)
			continue
		case online(ctx, c):
			if first != nil {
				first.Close()
			}
			return c, nil
		case first == nil:
			first = c
			continue
		}
		c.Close()
	}
	switch {
	case first != nil:
		return first, nil
	case refused != nil:
		return nil, refused
	}
	return nil, fmt.Errorf("no broker answers at %s nor at the ports that an embedded one takes instead: start the agent (segedge run), "+
		"or say where it is with --broker tcp://HOST:1883, --url http://HOST:8080 or --state DIR", addresses[0])
}

// online reports whether the agent says on a broker that it is.
func online(ctx context.Context, c *client.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, likelyStatus)
	defer cancel()
	said := ""
	err := c.Watch(ctx, "", []string{"status"}, func(m client.Message) error {
		said = string(m.Payload)
		return errEnough
	})
	return errors.Is(err, errEnough) && said == "online"
}
