package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/web"
)

// discoveryPrefix is where Home Assistant looks for devices, and says that it is there.
const discoveryPrefix = "homeassistant"

// buildMQTT makes the client, and a broker where none is configured.
func (b *builder) buildMQTT() error {
	c := b.cfg.MQTT
	brokerName := ""
	if c.Broker == "" {
		if err := b.buildBroker(&c); err != nil {
			return err
		}
		brokerName = "embedded" // the journal belongs to it whatever port it found
	}
	discovery := ""
	if c.Discovery {
		discovery = discoveryPrefix
	}
	var picture func(context.Context, string) ([]byte, error)
	if c.Images {
		picture = func(ctx context.Context, camera string) ([]byte, error) { return b.Snapshot(ctx, camera, api.Shot{}) }
	}
	reached := connection(&c)
	reached.ClientID, reached.Logger = c.ClientID, b.log
	client, err := mqtt.New(mqtt.Options{
		Connection: reached,
		Agent:      b.cfg.Agent.Name, Prefix: c.Prefix, StateDir: b.state, Service: b.agent, Commands: b.commands, BrokerName: brokerName,
		UpdateInterval: b.cfg.Events.UpdateInterval, MasksInterval: c.Masks, Discovery: discovery, Picture: picture,
		Also: b.post, Group: c.Group, Confined: b.broker != nil && len(c.Users) > 0, PageURL: b.pageForOthers,
	})
	if err != nil {
		return err
	}
	b.client, b.relay.to = client, client
	b.cfg.MQTT.Broker = c.Broker
	if b.broker != nil {
		b.cfg.MQTT.Broker = b.broker.Public()
	}
	return nil
}

// buildBroker makes the embedded broker, and has the agent's own connection lead to it.
func (b *builder) buildBroker(c *config.MQTT) error {
	c.Prefix, c.ClientID = cmp.Or(c.Prefix, "segedge/"+b.cfg.Agent.Name), cmp.Or(c.ClientID, "segedge-"+b.cfg.Agent.Name)
	o := broker.Options{
		Listen: c.Embedded, Users: users(c.Users), Prefix: c.Prefix, AgentID: c.ClientID, Discovery: discoveryPrefix, Logger: b.log,
	}
	if c.Cert != "" {
		pair, err := web.LoadCertificate(c.Cert, c.Key, b.log)
		if err != nil {
			return configFault{fmt.Errorf("mqtt.cert: %w", err)}
		}
		o.TLS = pair.Config()
		o.TLS.NextProtos = nil // those are the page's
	}
	var err error
	if b.broker, err = broker.Listen(o); err != nil {
		return err
	}
	noteBroker(b.state, b.broker.Public(), b.log)
	c.Broker = b.broker.URL()
	c.Username, c.Password = b.broker.Login()
	c.PasswordFile, c.CA, c.Cert, c.Key = "", "", "", ""
	return nil
}
