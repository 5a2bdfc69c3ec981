package broker

import (
	"crypto/rand"
	"crypto/subtle"
	"strings"

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
	topics   mqtt.Topics
	greeting string // where Home Assistant says that it is there
	agentID  string // the client id that the agent has to itself
	users    map[string]User
	agent    User // has every right
	tries    *throttle.Throttle
	lines    *throttle.Throttle // in the log, about those who are refused
}

// agentName is the agent's own; no user may have it.
const agentName = "segedge/agent"

func newGuests(o Options) *guests {
	g := &guests{
		topics: mqtt.Topics{Prefix: o.Prefix}, greeting: o.Discovery + "/status", agentID: o.AgentID, users: map[string]User{},
		agent: User{agentName, "", rand.Text()}, tries: throttle.New(o.now), lines: throttle.New(o.now),
	}
	for _, u := range o.Users {
		g.users[u.Name] = u
	}
	g.users[agentName] = g.agent
	return g
}

// open reports whether everybody may do everything.
func (g *guests) open() bool { return len(g.users) == 1 }

// refusal says why a client does not come in, and whose name it gave where that is a user's: another may be a password in the wrong place.
type refusal struct{ user, why string }

// admit decides about a connection; nil lets it in. The agent never waits for those who guess at the same address. A last will is a message
// like another.
func (g *guests) admit(remote string, c *packets.ConnectParams) *refusal {
	name := string(c.Username)
	u, known := g.users[name]
	right := subtle.ConstantTimeCompare(c.Password, []byte(u.Password))&flag(known) == 1
	switch {
	case g.open() || right && name == agentName:
		return nil
	case g.tries.Wait(remote) > 0:
		return &refusal{u.Name, "too many wrong passwords came from this address: it has to wait"}
	case !right:
		g.tries.Failed(remote)
		return &refusal{u.Name, "no user has this name and this password"}
	case g.agents(c.ClientIdentifier):
		return &refusal{u.Name, "this client id is the agent's own"}
	case c.WillFlag && !g.mayWrite(name, c.WillTopic):
		return &refusal{u.Name, "the user may not write to the topic of the client's last will"}
	}
	return nil
}

// agents reports whether a client id is one of the agent's: with it anybody else would take the agent's session over, or leave it one of
// theirs.
func (g *guests) agents(id string) bool {
	return g.agentID != "" && (id == g.agentID || strings.HasPrefix(id, g.agentID+mqtt.LookSuffix))
}

// mayWrite reports whether a user may publish to a topic: commands that their role may give, and that Home Assistant is there. What else is
// the agent's only it says; beside it admins may say what they like.
func (g *guests) mayWrite(name, topic string) bool {
	u, known := g.users[name]
	if !known || name == agentName {
		return known
	}
	if _, verb, ok := g.topics.ParseCommand(topic); ok {
		return (api.Caller{Role: u.Role}).May(verb)
	}
	own := topic == g.topics.Prefix || strings.HasPrefix(topic, g.topics.Prefix+"/")
	return !own && (topic == g.greeting || u.Role == api.RoleAdmin && !strings.HasPrefix(topic, "$"))
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
	no := d.guests.admit(c.Net.Remote, &p.Connect)
	if a, ok := c.Net.Conn.(*arrival); ok && no == nil {
		a.letIn()
	}
	if no != nil {
		d.tell(no, p.Connect.ClientIdentifier, c.Net.Remote)
	}
	return no == nil
}

// mostID is how much of a client id is logged.
const mostID = 64

// tell logs a refusal, a few of an address and then one in a while: who comes again and again does not fill the log.
func (d *door) tell(no *refusal, id, remote string) {
	if d.guests.lines.Wait(remote) > 0 {
		return
	}
	d.guests.lines.Failed(remote)
	if len(id) > mostID {
		id = strings.ToValidUTF8(id[:mostID], "") + "…"
	}
	d.o.Logger.Warn("the broker refuses a client", "why", no.why, "user", no.user, "client", id, "from", remote)
}
