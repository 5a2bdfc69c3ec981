package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/segedge/segedge/mqtt/outbox"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/supervise"
)

// transport is how the receiver is reached.
func (o *Options) transport() (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost, t.MaxConnsPerHost = 1, 1
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no PEM certificate", o.CA)
		}
	}
	if o.Cert != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// verdict is what came of an attempt.
type verdict int

const (
	taken   verdict = iota // by the receiver
	again                  // later: nobody has taken it
	refused                // this event will never be taken
)

// deliver posts the oldest event until it is taken, and then the next.
func (c *Client) deliver(ctx context.Context) {
	r := c.outbox.Reader()
	defer r.Close()
	for ctx.Err() == nil {
		m, ok := r.Next(0)
		if !ok {
			select {
			case <-c.outbox.Changed():
			case <-ctx.Done():
			}
			continue
		}
		v, after, err := c.post(ctx, m)
		switch v {
		case taken:
			c.outbox.Delivered(m.Index)
			if c.failed.n > 0 {
				c.o.Logger.Info("events are taken again", "left", c.outbox.Stats().Pending)
			}
			c.failed = failures{}
		case refused:
			c.o.Logger.Error("an event that the receiver does not take is set aside; events.dropped will say so",
				"camera", m.Camera, "seq", m.Seq, "err", err)
			c.outbox.SetAside(m.Index)
		default:
			_ = supervise.Wait(ctx, c.later(ctx, after, err)) // when ctx ends, the loop does
		}
	}
}

// failures are the attempts in a row of which nothing came.
type failures struct {
	n    int
	said time.Time
	why  string
}

const (
	lastPause = time.Minute
	mostAfter = 5 * time.Minute // of what a receiver asks for
	sayAgain  = 30 * time.Second
)

// later is the pause before the next attempt: what the receiver asked for, or twice the last one, with a quarter of chance.
func (c *Client) later(ctx context.Context, after time.Duration, err error) time.Duration {
	pause := min(c.o.Pause<<min(c.failed.n, 16), lastPause)
	pause -= time.Duration(float64(pause) / 4 * rand.Float64()) // #nosec G404 -- it only spreads the attempts
	pause = max(pause, min(after, mostAfter))
	c.failed.n++
	why := secret.Mask(err.Error())
	if ctx.Err() == nil && (why != c.failed.why || time.Since(c.failed.said) > sayAgain) {
		c.failed.why, c.failed.said = why, time.Now()
		c.o.Logger.Warn("the receiver does not take events; they are kept", "err", why, "again_in", pause.Round(time.Millisecond))
	}
	return pause
}

// post sends one event.
func (c *Client) post(ctx context.Context, m outbox.Message) (verdict, time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, bytes.NewReader(m.Body))
	if err != nil {
		return again, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "segedge")
	if c.o.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return again, 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection may be used again
	return judge(answer)
}

// judge reads an answer (RFC 9110, section 15). What says something of the event alone sets it aside; what may be mended at the receiver,
// or in the configuration, is waited for, however long that takes.
func judge(answer *http.Response) (verdict, time.Duration, error) {
	err := errors.New("it answers " + answer.Status)
	switch s := answer.StatusCode; {
	case s >= 200 && s < 300:
		return taken, 0, nil
	case s == http.StatusBadRequest || s == http.StatusRequestEntityTooLarge || s == http.StatusUnprocessableEntity:
		return refused, 0, err
	case s >= 300 && s < 400:
		return again, 0, fmt.Errorf("%w: give the address that it leads to", err)
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return again, time.Duration(max(0, min(seconds, 3600))) * time.Second, err
}
