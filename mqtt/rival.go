package mqtt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// shortLived is how long a session lasts at most that another client with this one's id may have ended.
	shortLived = 20 * time.Second
	// lookAgain is after how many more of them in a row it is looked once more for such a client.
	lookAgain = 8
	// standBackDoubles is how often the time for which the id is left to another client doubles.
	standBackDoubles = 3
)

// rivalry is what is known of another client that may have this one's id. A message that a broker will not have ends sessions as well
// (suspects.go), and so does a broker that is started again.
type rivalry struct {
	ends    int           // sessions in a row that the broker ended soon
	longest time.Duration // of these
	left    int           // how often in a row the id was left to another client
}

// ended notes the end of a session, and reports whether to look for another client; sure is where the broker says that there is one.
func (r *rivalry) ended(err error, lasted time.Duration, answers func() bool) (look, sure bool) {
	sure = hasReason(err, reasonTakenOver)
	if lasted > shortLived {
		*r = rivalry{} // one that only passed by is no reason to be away
		return false, false
	}
	if !sure && (!peerClosed(err) || !answers()) {
		r.ends = 0
		return false, false
	}
	r.ends++
	r.longest = max(r.longest, lasted)
	return sure || r.ends%lookAgain == 2, sure
}

// errTaken is why a client leaves its id to another one.
type errTaken struct {
	id    string
	until time.Time
}

func (e errTaken) Error() string {
	return fmt.Sprintf("the client id %q is taken by another client of the broker, which is no agent of this name: this agent does not fight "+
		"over it and tries again at %s; give one of them another id (mqtt.client_id)", e.id, e.until.Format(time.TimeOnly))
}

// leaveID says that another client has the id, and for how long it is left to it now.
func (c *Client) leaveID() time.Duration {
	c.suspects.pardon()
	wait := c.o.StandBack << min(c.rival.left, standBackDoubles)
	c.rival.left++
	wait += time.Duration(float64(wait) / 4 * rand.Float64()) // #nosec G404 -- two agents with one id do not meet again
	err := errTaken{c.o.ClientID, time.Now().Add(wait)}
	c.setConnected(false, err)
	c.log.Error(err.Error())
	return wait
}

// isTaken reports whether another client takes the id from a connection on which nothing is said, so that it cannot be a message that ends
// it, while the broker goes on. What comes in on it is not acknowledged, and comes again.
func (c *Client) isTaken(ctx context.Context, other *Link) bool {
	quiet, err := Dial(ctx, c.o.Connection, nil, true, func(Message) {})
	if err != nil {
		return false
	}
	defer quiet.Close(250 * time.Millisecond)
	patience := time.NewTimer(2*c.rival.longest + lookFor)
	defer patience.Stop()
	select {
	case <-quiet.Lost():
	case <-patience.C:
		return false
	case <-ctx.Done():
		return false
	}
	switch err := quiet.Err(); {
	case hasReason(err, reasonTakenOver):
		return true
	case !peerClosed(err):
		return false
	case other != nil:
		return other.Subscribe(ctx, c.topics.Status()) == nil
	default:
		return c.o.Connection.answers(ctx)
	}
}
