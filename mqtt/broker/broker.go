// Package broker is the MQTT broker inside the agent, for a box that has none: mochi-mqtt with bounds, on loopback
// unless told otherwise. It keeps retained messages and sessions in memory only; who needs them across a restart of
// the agent runs a broker of their own.
package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// DefaultListen is where the broker listens when nothing else is asked for.
const DefaultListen = "127.0.0.1:1883"

// spare are the ports tried where the usual one is taken: always the same, so that an agent's journal, which belongs
// to one broker, finds it again after a restart.
const spareFirst, spareLast = 11883, 11892

// Options of a broker.
type Options struct {
	// Listen is host:port; empty is DefaultListen, or any free port of loopback where that one is taken.
	Listen string
	// Users are who may connect, the agent beside them (Login). Without any everybody may; a broker that listens beyond loopback must have
	// some.
	Users []User
	// TLS is for those who connect to Listen; nil takes them as they are. The agent itself connects over loopback without it (URL).
	TLS        *tls.Config
	Prefix     string // of the agent's topics, on which the rights of users are decided
	AgentID    string // the client id of the agent, which no user may have
	Discovery  string // Home Assistant's discovery prefix; empty is "homeassistant". Every user may say on <it>/status that it is there
	MaxClients int    // 0 is 64
	// Grace is how long, after Run's context has ended, clients with a last will may go on to say goodbye; 0 is 3 s.
	Grace  time.Duration
	Logger *slog.Logger
	now    func() time.Time // time.Now
}

// Broker is a broker that has its port.
type Broker struct {
	o        Options
	guests   *guests
	listener net.Listener
	inside   net.Listener // the agent's own, where the other one wants TLS
	once     sync.Once
}

func (o *Options) defaults() {
	if o.MaxClients <= 0 {
		o.MaxClients = 64
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Grace <= 0 {
		o.Grace = 3 * time.Second
	}
	if o.now == nil {
		o.now = time.Now
	}
	o.Discovery = cmp.Or(o.Discovery, "homeassistant")
}

// Listen takes the port, so that an occupied one is told before anything else starts. It serves nobody before Run.
func Listen(o Options) (*Broker, error) {
	o.defaults()
	address := cmp.Or(o.Listen, DefaultListen)
	if err := allowed(address, len(o.Users) > 0); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) && o.Listen == "" {
		o.Logger.Info("another broker has the usual port, so the embedded one takes a free one", "usual", DefaultListen)
		l, err = listenSpare()
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf(
			"mqtt broker: %s is in use by another program: stop it, name another address, or use it as the broker (mqtt.broker=tcp://%s)",
			address,
			address,
		)
	}
	if err != nil {
		return nil, fmt.Errorf("mqtt broker: listen on %s: %w", address, err)
	}
	b := &Broker{o: o, guests: newGuests(o), listener: l}
	if o.TLS == nil {
		return b, nil
	}
	b.listener = tls.NewListener(l, o.TLS)
	if b.inside, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("mqtt broker: listen for the agent itself: %w", err)
	}
	return b, nil
}

// Usual are the addresses that a broker takes where nothing else is asked for, in the order in which it tries them.
func Usual() []string {
	out := []string{DefaultListen}
	for port := spareFirst; port <= spareLast; port++ {
		out = append(out, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	return out
}

// listenSpare takes the first spare port that is free, or any.
func listenSpare() (net.Listener, error) {
	for _, address := range Usual()[1:] {
		if l, err := net.Listen("tcp", address); err == nil {
			return l, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// allowed refuses a broker that anyone on the network could give commands to.
func allowed(address string, users bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("mqtt broker: the address %q is not host:port", address)
	}
	ip := net.ParseIP(host)
	if local := host == "localhost" || ip != nil && ip.IsLoopback(); local || users {
		return nil
	}
	return fmt.Errorf("mqtt broker: %s is open to the network: set users (mqtt.users), or listen on loopback", address)
}

// Addr is the address in use, host:port.
func (b *Broker) Addr() string { return b.listener.Addr().String() }

// URL is the address that the agent itself connects to.
func (b *Broker) URL() string {
	if b.inside != nil {
		return "tcp://" + b.inside.Addr().String()
	}
	return b.Public()
}

// Public is the address for everybody else, as one on this machine writes it.
func (b *Broker) Public() string {
	host, port, _ := net.SplitHostPort(b.Addr())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "tcp://"
	if b.inside != nil {
		scheme = "tls://"
	}
	return scheme + net.JoinHostPort(host, port)
}

// Login is the name and the password that the agent itself connects with; empty where nobody is asked for any.
func (b *Broker) Login() (name, password string) {
	if b.guests.open() {
		return "", ""
	}
	return agentName, b.guests.agent.Password
}

// Close lets the port go without ever having run.
func (b *Broker) Close() {
	b.once.Do(func() {
		_ = b.listener.Close()
		if b.inside != nil {
			_ = b.inside.Close()
		}
	})
}

// capabilities bound what clients can make the broker hold.
func (o Options) capabilities() *mochi.Capabilities {
	c := mochi.NewDefaultServerCapabilities()
	c.MaximumClients = int64(o.MaxClients)
	c.MaximumPacketSize = 4 << 20
	c.MaximumInflight = 1024
	c.MaximumClientWritesPending = 2048
	c.MaximumSessionExpiryInterval = 3600
	c.ReceiveMaximum = 256
	return c
}

// Run serves until ctx ends, then closes every connection.
func (b *Broker) Run(ctx context.Context) error {
	defer b.Close()
	s := mochi.New(&mochi.Options{
		Capabilities: b.o.capabilities(), Logger: slog.New(quiet{b.o.Logger.Handler()}), SysTopicResendInterval: 30,
	})
	d := &door{o: b.o, guests: b.guests, willing: map[*mochi.Client]bool{}}
	if err := s.AddHook(d, nil); err != nil {
		return fmt.Errorf("mqtt broker: %w", err)
	}
	for name, l := range map[string]net.Listener{"tcp": b.listener, "inside": b.inside} {
		if l == nil {
			continue
		}
		g := &gate{id: name, listener: l, log: b.o.Logger, broken: func(a *arrival, why any) { d.clear(s, a, why) }}
		if err := s.AddListener(g); err != nil {
			return fmt.Errorf("mqtt broker: %w", err)
		}
		defer g.inside.Wait()
	}
	if err := s.Serve(); err != nil {
		return fmt.Errorf("mqtt broker: %w", err)
	}
	<-ctx.Done()
	b.linger(d)
	if err := s.Close(); err != nil {
		return fmt.Errorf("mqtt broker: %w", err)
	}
	return nil
}

// linger waits until the clients with a last will have left: an agent that stops together with its broker still gets
// its last events and its "stopped" out. Clients without one, which only watch, are not waited for.
func (b *Broker) linger(d *door) {
	deadline := time.NewTimer(b.o.Grace)
	defer deadline.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for d.waits() {
		select {
		case <-look.C:
		case <-deadline.C:
			return
		}
	}
}

// door lets clients in, and knows which of those that are in have a last will.
type door struct {
	mochi.HookBase
	o       Options
	guests  *guests
	mu      sync.Mutex
	willing map[*mochi.Client]bool
}

// ID names the hook.
func (d *door) ID() string { return "door" }

// Provides says which of mochi's calls the hook wants.
func (d *door) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck || b == mochi.OnSessionEstablished || b == mochi.OnDisconnect
}

// OnSessionEstablished notes a client with a last will.
func (d *door) OnSessionEstablished(c *mochi.Client, p packets.Packet) {
	if p.Connect.WillFlag {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.willing[c] = true
	}
}

// OnDisconnect forgets it.
func (d *door) OnDisconnect(c *mochi.Client, _ error, _ bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.willing, c)
}

// clear takes what a connection leaves behind whose packet mochi's decoders stumbled over: its session goes with it.
func (d *door) clear(s *mochi.Server, a *arrival, why any) {
	for _, c := range s.Clients.GetAll() {
		if c.Net.Conn != net.Conn(a) {
			continue
		}
		d.OnDisconnect(c, nil, true)
		c.ClearInflights()
		s.UnsubscribeClient(c)
		s.Clients.Delete(c.ID)
	}
	d.tell(&refusal{"", fmt.Sprintf("its packet cannot be read: %v", why)}, "", a.RemoteAddr().String())
}

func (d *door) waits() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.willing) > 0
}

// quiet passes errors on and drops the broker's small talk.
type quiet struct{ slog.Handler }

// Enabled reports whether the level is worth a line.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && q.Handler.Enabled(ctx, l)
}

// WithAttrs keeps the handler quiet.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup keeps the handler quiet.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
