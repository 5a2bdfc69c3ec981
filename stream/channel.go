package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
)

// channelLabel is the data channel that the server speaks on.
const channelLabel = "segedge"

// Bounds of a viewer's data channel.
const (
	commandQueue = 16        // commands that wait while one is carried out
	pushBuffered = 256 << 10 // bytes unsent, above which lists and states are left out
	mostBuffered = 4 << 20   // bytes unsent, above which the viewer has stopped reading and is let go
)

// open takes a data channel that the client made.
func (v *viewer) open(dc *webrtc.DataChannel) {
	if dc.Label() != channelLabel || v.channel.Load() != nil {
		v.log.Debug("data channel refused", "label", dc.Label())
		go func() { _ = dc.Close() }()
		return
	}
	dc.OnOpen(func() {
		hello := map[string]any{"type": "hello", "schema": api.Schema, "viewer": v.id, "camera": v.camera, "clock_rate": clockRate}
		if err := v.say(dc, hello); err != nil {
			v.log.Debug("hello was not sent", "error", err)
		}
		v.channel.Store(dc)
	})
	dc.OnClose(func() { v.channel.CompareAndSwap(dc, nil) })
	dc.OnMessage(func(m webrtc.DataChannelMessage) { v.hear(dc, m.Data) })
}

// message is a command and where its answer goes.
type message struct {
	from *webrtc.DataChannel
	data []byte
}

// hear queues a command. It is called by the stack and must not wait.
func (v *viewer) hear(dc *webrtc.DataChannel, data []byte) {
	select {
	case v.commands <- message{dc, data}:
	default:
		cmd, _ := decode(data, v.id)
		v.reply(dc, api.Refuse(cmd.ID, api.Overloaded, fmt.Sprintf("%d commands wait already: send them as they are answered", commandQueue)))
	}
}

// work carries commands out, one after another: what a person does second must not overtake what they did first.
func (v *viewer) work() {
	for {
		select {
		case <-v.ctx.Done():
			return
		case m := <-v.commands:
			v.reply(m.from, v.carryOut(m.data))
		}
	}
}

func (v *viewer) carryOut(data []byte) api.Reply {
	cmd, bad := decode(data, v.id)
	if bad != nil {
		return api.Reply{Schema: api.Schema, ID: cmd.ID, Error: bad}
	}
	if p, ok := cmd.Body.(*api.Prompt); ok {
		v.server.Resolve(p)
	}
	ctx, cancel := context.WithTimeout(v.ctx, v.server.opts.CommandTimeout)
	defer cancel()
	r := v.server.opts.Service.Do(ctx, v.camera, cmd)
	r.Schema, r.ID = api.Schema, cmd.ID
	return r
}

// decode reads a command that has its verb beside its fields.
func decode(data []byte, own string) (api.Command, *api.Error) {
	if len(data) > api.MaxBody {
		return api.Command{}, &api.Error{Code: api.TooLarge, Message: fmt.Sprintf("the command has %d bytes, at most %d are read", len(data), api.MaxBody)}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return api.Command{}, &api.Error{Code: api.BadJSON, Message: "the command is not a JSON object: " + err.Error()}
	}
	var verb string
	if raw, ok := fields["verb"]; ok {
		if err := json.Unmarshal(raw, &verb); err != nil {
			return api.Command{}, &api.Error{Code: api.BadJSON, Message: `field "verb" must be a string`}
		}
		delete(fields, "verb")
	}
	if _, named := fields["viewer"]; !named && fields["rtp_time"] != nil && own != "" {
		fields["viewer"], _ = json.Marshal(own)
	}
	rest, err := json.Marshal(fields)
	if err != nil {
		return api.Command{}, &api.Error{Code: api.BadJSON, Message: err.Error()}
	}
	return api.Decode(verb, rest)
}

// reply answers a command. An answer that the channel cannot carry becomes one that says so.
func (v *viewer) reply(dc *webrtc.DataChannel, r api.Reply) {
	type typed struct {
		Type string `json:"type"`
		api.Reply
	}
	err := v.say(dc, typed{"reply", r})
	if err == nil || dc.ReadyState() != webrtc.DataChannelStateOpen {
		return
	}
	v.log.Warn("reply was not sent", "id", r.ID, "error", err)
	_ = v.say(dc, typed{"reply", api.Refuse(r.ID, api.TooLarge, "the command was carried out, but its answer is too long for the data channel: ask over HTTP")})
}

// say sends one message. A viewer that has stopped reading is let go.
func (v *viewer) say(dc *webrtc.DataChannel, message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("message: %w", err)
	}
	if dc.BufferedAmount() > mostBuffered {
		v.log.Warn("viewer does not read its data channel and is let go")
		v.cancel()
		return errUnread
	}
	return dc.SendText(string(b))
}

var errUnread = errors.New("the viewer does not read its data channel")
