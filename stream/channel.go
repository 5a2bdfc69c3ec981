package stream

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pion/webrtc/v4"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
)

// channelLabel is the data channel that the server speaks on.
const channelLabel = "segedge"

// Bounds of a viewer's data channel.
const (
	commandQueue = 16        // commands that wait while one is carried out
	pushBuffered = 256 << 10 // bytes unsent, above which lists and states are left out
	mostBuffered = 4 << 20   // bytes unsent, above which the viewer has stopped reading and is let go
	mostPicture  = 44 << 10  // bytes of a snapshot: in base64 it fits the 64 KiB that every WebRTC stack takes as one message
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
		if events := v.server.recent(v.camera); len(events) > 0 {
			v.tellEvents(events)
		}
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
		cmd, _ := v.form().Decode(data)
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
			if v.ctx.Err() != nil { // of two that are ready select takes either, and the rights may be gone
				return
			}
			v.reply(m.from, v.carryOut(m.data))
		}
	}
}

// form is how a viewer writes commands: the verb beside the fields, and pictures of its own without its name.
func (v *viewer) form() api.Form { return api.Form{Inline: true, Viewer: v.id} }

func (v *viewer) carryOut(data []byte) api.Reply {
	r := v.server.opts.Commands.Do(
		v.ctx,
		dispatch.Request{Form: v.form(), Camera: v.camera, Body: data, Door: "viewer " + v.id, Caller: v.caller},
	)
	if shot, ok := r.Result.(*api.Snapshot); ok {
		small, err := dispatch.Fit(shot, mostPicture)
		if err != nil {
			return api.Refuse(r.ID, api.TooLarge, err.Error())
		}
		r.Result = small
	}
	return r
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
	_ = v.say(
		dc,
		typed{
			"reply",
			api.Refuse(r.ID, api.TooLarge, "the command was carried out, but its answer is too long for the data channel: ask over HTTP"),
		},
	)
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
