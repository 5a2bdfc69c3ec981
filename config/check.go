package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/segedge/segedge/secret"
)

// Check reports everything that makes no sense by itself, each with its key. Whether files, models and presets exist is not its business.
func (c *Config) Check() Problems {
	var ps Problems
	checkBounds(reflect.ValueOf(c).Elem(), "", &ps)
	if c.Agent.Name != "" && !nameForm.MatchString(c.Agent.Name) {
		ps.Add("agent.name", "%s: letters, digits, '_', '.' and '-' only, at most 64", shownWord(c.Agent.Name))
	} else if c.Agent.Name == "all" {
		ps.Add("agent.name", "all is the name of all agents: none may be called so")
	}
	if !(c.Tracker.Budget > 0 && c.Tracker.Budget <= 1) {
		ps.Add("tracker.budget", "%g is not within 0..1", c.Tracker.Budget)
	}
	if !(c.Grounding.Budget > 0 && c.Grounding.Budget <= 1) {
		ps.Add("grounding.budget", "%g is not within 0..1", c.Grounding.Budget)
	}
	c.checkCameras(&ps)
	c.checkModel(&ps)
	c.checkClips(&ps)
	c.checkHTTP(&ps)
	c.checkMQTT(&ps)
	c.checkWebhooks(&ps)
	c.Telemetry.check(&ps)
	if c.Debug.Listen != "" && !checkAddress("debug.listen", c.Debug.Listen, &ps) && !loopback(c.Debug.Listen) {
		ps.Add("debug.listen", "%s can be reached from the network: profiles are for this machine only, such as 127.0.0.1:6060", c.Debug.Listen)
	}
	return ps
}

// checkBounds holds the tags enum, min and max.
func checkBounds(v reflect.Value, key string, ps *Problems) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := join(key, f.Tag.Get("yaml"))
			checkBounds(v.Field(i), name, ps)
			checkField(v.Field(i), f.Tag, name, ps)
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkBounds(v.Index(i), join(key, strconv.Itoa(i)), ps)
		}
	}
}

func checkField(v reflect.Value, tag reflect.StructTag, key string, ps *Problems) {
	if list, ok := tag.Lookup("enum"); ok && !slices.Contains(strings.Split(list, ","), fmt.Sprint(v.Interface())) {
		ps.Add(key, "%s is none of %s", shownWord(fmt.Sprint(v.Interface())), strings.Join(strings.FieldsFunc(list, isComma), ", "))
	}
	low, hasLow := tag.Lookup("min")
	if !hasLow {
		return
	}
	least, _ := strconv.ParseInt(low, 10, 64)
	if d, ok := reflect.TypeAssert[time.Duration](v); ok {
		if int64(d) < least {
			ps.Add(key, "%v is negative", d)
		}
		return
	}
	if most, _ := strconv.ParseInt(tag.Get("max"), 10, 64); v.Int() < least || v.Int() > most {
		ps.Add(key, "%d is not within %s..%s", v.Int(), low, tag.Get("max"))
	}
}

func isComma(r rune) bool { return r == ',' }

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func (c *Config) checkModel(ps *Problems) {
	decoderAlone := c.Model.Remote.Address != "" && c.Model.Encoder == ""
	if (c.Model.Encoder == "") != (c.Model.Decoder == "") && !decoderAlone {
		ps.Add("model", "encoder and decoder come together")
	}
	c.Model.Remote.check(ps)
	checkInput("model.input", c.Model.Input, ps)
}

func checkInput(key string, n int, ps *Problems) {
	if n != 0 && (n < 64 || n%32 != 0) {
		ps.Add(key, "%d is not a multiple of 32 within 64..2048", n)
	}
}

func (c *Config) checkHTTP(ps *Problems) {
	h := &c.HTTP
	if h.Listen != "" {
		checkAddress("http.listen", h.Listen, ps)
	}
	c.checkReach(ps)
	if c.RTSP.Listen != "" {
		checkAddress("rtsp.listen", c.RTSP.Listen, ps)
	}
	if h.Token != "" && h.TokenFile != "" {
		ps.Add("http.token_file", "the token is given twice: keep http.token or http.token_file")
	}
	if (h.Cert == "") != (h.Key == "") {
		ps.Add("http", "cert and key come together")
	}
	c.checkNames(ps)
}

func (c *Config) checkMQTT(ps *Problems) {
	m := &c.MQTT
	if strings.ContainsAny(m.Prefix, "+#") || !printable(m.Prefix) || len(m.Prefix) > 256 {
		ps.Add("mqtt.prefix", "%q has a wildcard or a control character in it, or is longer than 256", m.Prefix)
	} else if strings.HasPrefix(m.Prefix, "$") || strings.HasPrefix(m.Prefix, "/") || strings.HasSuffix(m.Prefix, "/") {
		ps.Add("mqtt.prefix", "%q: a prefix neither begins with $ or / nor ends with /", m.Prefix)
	}
	if m.Prefix == "all" || strings.HasSuffix(m.Prefix, "/all") {
		ps.Add("mqtt.prefix", "%q ends in all, the name of all agents: none may be called so", m.Prefix)
	}
	if !printable(m.ClientID) || len(m.ClientID) > 128 {
		ps.Add("mqtt.client_id", "%q has a control character in it, or is longer than 128", m.ClientID)
	}
	if !printable(m.Username) || len(m.Username) > 1024 {
		ps.Add("mqtt.username", "%q has a control character in it, or is longer than 1024", m.Username)
	}
	if m.Password != "" && m.PasswordFile != "" {
		ps.Add("mqtt.password_file", "the password is given twice: keep mqtt.password or mqtt.password_file")
	}
	if (m.Cert == "") != (m.Key == "") {
		ps.Add("mqtt", "cert and key come together")
	}
	c.checkUsers(ps)
	if m.Embedded != "" && !checkAddress("mqtt.embedded", m.Embedded, ps) && !loopback(m.Embedded) && m.Broker == "" && len(m.Users) == 0 {
		ps.Add(
			"mqtt.embedded",
			"%s is open to the network, and everybody could command the agent: listen on 127.0.0.1, or set mqtt.users, or use a broker with users",
			m.Embedded,
		)
	}
	c.checkBroker(ps)
}

// brokerSchemes are the ways to a broker, true where they are encrypted.
var brokerSchemes = map[string]bool{
	"tcp":   false,
	"mqtt":  false,
	"tls":   true,
	"ssl":   true,
	"mqtts": true,
	"ws":    false,
	"wss":   true,
	"unix":  false,
}

func (c *Config) checkBroker(ps *Problems) {
	if c.MQTT.Broker == "" {
		return
	}
	u, err := secret.ParseURL(c.MQTT.Broker)
	if err != nil {
		if errors.Is(err, secret.ErrEncoding) {
			err = fmt.Errorf("%w; or name the user in mqtt.username and give the password in mqtt.password_file or SEGEDGE_MQTT_PASSWORD", err)
		}
		ps.Add("mqtt.broker", "%q: %v", c.MQTT.Broker, err)
		return
	}
	encrypted, known := brokerSchemes[u.Scheme]
	switch {
	case !known || u.Scheme != "unix" && u.Hostname() == "" || u.Scheme == "unix" && (u.Path == "" || u.Host != ""):
		ps.Add("mqtt.broker", "%q is no broker address such as tcp://host:1883, tls://host:8883, wss://host/path or unix:///path", c.MQTT.Broker)
	case u.Port() != "" && !isPort(u.Port()):
		ps.Add("mqtt.broker", "%s is no port", u.Port())
	case !encrypted && (c.MQTT.CA != "" || c.MQTT.Cert != ""):
		ps.Add("mqtt.broker", "certificates are given, but %q is not encrypted: write tls:// or wss://", c.MQTT.Broker)
	}
}

// checkAddress reports an address that is no host:port; true if it did.
func checkAddress(key, addr string, ps *Problems) bool {
	host, port, err := net.SplitHostPort(addr)
	switch {
	case err != nil || !printable(host) || strings.ContainsAny(host, "/@ "):
		ps.Add(key, "%q is no host:port such as 127.0.0.1:8080, or :8080 for every interface", addr)
	case !isPort(port):
		ps.Add(key, "%q: a port is a number within 0..65535", addr)
	default:
		return false
	}
	return true
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// loopback reports whether an address is reachable from this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
