package mqtt

import (
	"errors"
	"fmt"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// reasonError is what an MQTT 5 broker says is wrong (MQTT 5, section 2.4).
type reasonError struct {
	code byte
	says string // in the broker's words, if it has any
}

// The reason codes that are told apart.
const (
	reasonNotAuthorised = 0x87
	reasonTakenOver     = 0x8E
	reasonTooLarge      = 0x95
	reasonQuota         = 0x97
)

// reasons are the codes that a person can do something about.
var reasons = map[byte]string{
	0x80:                "it gives no reason",
	0x84:                "it does not speak MQTT 5: leave mqtt.version out",
	0x85:                "it does not take the client id: set mqtt.client_id",
	0x86:                "the user name or the password is wrong",
	reasonNotAuthorised: "this client is not authorised",
	0x88:                "it is not available",
	0x89:                "it is busy",
	0x8A:                "this client is banned",
	0x8B:                "it is shutting down",
	0x8D:                "it heard nothing for the time of the keep-alive",
	reasonTakenOver:     "another client took over: it has the same client id",
	0x90:                "it does not take the topic",
	0x93:                "more is under way than it allows",
	reasonTooLarge:      "the packet is larger than it allows",
	0x96:                "messages come faster than it allows",
	reasonQuota:         "a quota is exceeded",
	0x98:                "an administrator ended the connection",
	0x9F:                "connections come faster than it allows",
}

func (r reasonError) Error() string {
	says, ok := reasons[r.code]
	if !ok {
		says = "it refuses"
	}
	if r.says != "" {
		says += ": " + r.says
	}
	return fmt.Sprintf("%s (MQTT reason %#x)", says, r.code)
}

func reasonString(d *paho.Disconnect) string {
	if d.Properties == nil {
		return ""
	}
	return d.Properties.ReasonString
}

// connectRefusal is the broker's answer to a connection that it refused.
func connectRefusal(answer *paho.Connack) error {
	r := reasonError{code: answer.ReasonCode}
	if answer.Properties != nil {
		r.says = answer.Properties.ReasonString
	}
	return fmt.Errorf("the broker refuses: %w", r)
}

// errUnanswered: the connection ended before the broker answered.
var errUnanswered = errors.New("the connection ended before the broker answered")

// refusal is a broker's word that it does not take a message; the connection goes on (MQTT 5, section 3.4.2.1).
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// refused reports whether a broker will not take a message, however often it is sent. A quota has room again later.
func refused(err error) bool {
	var r refusal
	return errors.As(err, &r) && !hasReason(err, reasonQuota)
}

// publishError is the broker's answer to a message; nil where it took it.
func publishError(p packets.ControlPacket, topic string) error {
	ack, ok := p.Content.(*packets.Puback)
	if !ok {
		return errUnanswered
	}
	if ack.ReasonCode < 0x80 {
		return nil
	}
	r := reasonError{code: ack.ReasonCode}
	if ack.Properties != nil {
		r.says = ack.Properties.ReasonString
	}
	if ack.ReasonCode == reasonNotAuthorised {
		return refusal{fmt.Errorf("the broker does not let this client write to %s: check its access list: %w", topic, r)}
	}
	return refusal{fmt.Errorf("the broker does not take a message on %s: %w", topic, r)}
}

// hasReason reports whether a broker gave this reason.
func hasReason(err error, code byte) bool {
	var r reasonError
	return errors.As(err, &r) && r.code == code
}
