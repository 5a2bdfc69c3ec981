package mqtt

import (
	"path"
	"strings"
	"sync/atomic"
)

// everyone is the name for all agents, and for all cameras, in the topics of group commands:
// <above the prefix>/all/<camera or all>/cmd/<verb>.
const everyone = "all"

// group are the topics of commands for all agents beside this one.
func (t Topics) group() Topics {
	above := path.Dir(t.Prefix)
	if above == "." {
		return Topics{Prefix: everyone}
	}
	return Topics{Prefix: above + "/" + everyone}
}

// forGroup takes a command for all agents; false for another message. It becomes one for each of the cameras meant that there are here;
// an agent that has none of them says nothing, since others have them. It has arrived once all have.
func (c *Client) forGroup(m Message) bool {
	camera, verb, ok := c.topics.group().ParseCommand(m.Topic)
	if !c.o.Group || !ok {
		return false
	}
	cameras := c.o.Service.Cameras()
	var meant []string
	for _, name := range cameras {
		if camera == everyone || camera == name {
			meant = append(meant, name)
		}
	}
	var left atomic.Int64
	left.Store(int64(len(meant)))
	arrived := m.Done
	for _, name := range meant {
		one := m
		one.Topic, one.group = c.topics.Command(name, verb), true
		one.Done = func() {
			if left.Add(-1) == 0 {
				arrived()
			}
		}
		c.commands.receive(one)
	}
	if len(meant) == 0 {
		arrived()
	}
	return true
}

// mayBeCalled reports whether an agent's prefix is its own: all would be everybody's.
func mayBeCalled(agent, prefix string) bool {
	return agent != everyone && !strings.HasSuffix("/"+prefix, "/"+everyone)
}
