package broker

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/throttle"
)

// User is who may connect, and what they may do.
type User struct {
	Name     string
	Role     api.Role
	Password string
}

// guests are a broker's users, the agent among them. Without any everybody may do everything.
type guests struct {
	topics mqtt.Topics
	users  map[string]User
	agent  User // has every right, and its client id to itself
	tries  *throttle.Throttle

	mu  sync.Mutex
	ids map[string]bool // under which the agent has connected
}

// agentName is the agent's own; no user may have it.
const agentName = "segedge/agent"

func newGuests(o Options) *guests {
	g := &guests{
		topics: mqtt.Topics{Prefix: o.Prefix}, users: map[string]User{}, ids: map[string]bool{}, tries: throttle.New(time.Now),
		agent: User{agentName, "", rand.Text()},
	}
	for _, u := range o.Users {
		g.users[u.Name] = u
	}
	g.users[agentName] = g.agent
	return g
}

// open reports whether everybody may do everything.
func (g *guests) open() bool { return len(g.users) == 1 }

// admit decides about a connection. A last will is a message like another.
func (g *guests) admit(remote string, c *packets.ConnectParams) bool {
	if g.open() {
		return true
	}
	if g.tries.Wait(remote) > 0 {
		return false
	}
	name := string(c.Username)
	u, known := g.users[name]
	if subtle.ConstantTimeCompare(c.Password, []byte(u.Password))&flag(known) != 1 {
		g.tries.Failed(remote)
		return false
	}
	return g.own(name, c.ClientIdentifier) && (!c.WillFlag || g.mayWrite(name, c.WillTopic))
}

// own keeps the agent's client ids for the agent: with one of them anybody else would take its session over.
func (g *guests) own(name, id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name == agentName {
		g.ids[id] = true
		return true
	}
	return !g.ids[id]
}

// mayWrite reports whether a user may publish to a topic: commands that their role may give. What else is the agent's only it says; beside
// it admins may say what they like.
func (g *guests) mayWrite(name, topic string) bool {
	role := g.users[name].Role
	if name == agentName {
		return true
	}
	if _, verb, ok := g.topics.ParseCommand(topic); ok {
		return (api.Caller{Role: role}).May(verb)
	}
	own := topic == g.topics.Prefix || strings.HasPrefix(topic, g.topics.Prefix+"/")
	return role == api.RoleAdmin && !own && !strings.HasPrefix(topic, "$")
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// OnACLCheck lets who is in read everything, and write what their role may.
func (d *door) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	return !write || d.guests.open() || d.guests.mayWrite(string(c.Properties.Username), topic)
}

// OnConnectAuthenticate checks the name and the password where any are asked for.
func (d *door) OnConnectAuthenticate(c *mochi.Client, p packets.Packet) bool {
	ok := d.guests.admit(c.Net.Remote, &p.Connect)
	if !ok {
		user, client := string(p.Connect.Username), p.Connect.ClientIdentifier
		d.o.Logger.Warn("the broker refuses a client", "user", user, "client", client, "from", c.Net.Remote)
	}
	return ok
}
