// Package client is a person's or a program's side of an agent over HTTP: it sends commands and reads documents. It keeps
// nothing between two calls.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/secret"
)

// most is the longest answer that is read, in bytes: a snapshot in base64.
const most = 32 << 20

// Client speaks to one agent. Safe for concurrent use.
type Client struct {
	// URL is the page's address, such as http://box:8080, with a path where a proxy serves it below one.
	URL   string
	Token string // where the agent asks for one
}

// Reply is the answer to a command, its result still encoded.
type Reply struct {
	ID     string          `json:"id,omitempty"`
	OK     bool            `json:"ok"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *api.Error      `json:"error,omitempty"`
}

// Do sends a command. The error is about getting an answer; a refusal is a Reply with its Error.
func (c *Client) Do(ctx context.Context, camera, verb string, body any) (Reply, error) {
	data := []byte("{}")
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return Reply{}, fmt.Errorf("command %s: %w", verb, err)
		}
	}
	var r Reply
	answer, err := c.ask(ctx, http.MethodPost, "cameras/"+url.PathEscape(camera)+"/"+url.PathEscape(verb), data)
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	if err != nil {
		return Reply{}, fmt.Errorf("command %s: %w", verb, err)
	}
	return r, nil
}

// Get reads a camera's document: state or objects.
func (c *Client) Get(ctx context.Context, camera, what string) ([]byte, error) {
	return c.read(ctx, "cameras/"+url.PathEscape(camera)+"/"+what)
}

// read reads a document; a refusal is an *api.Error.
func (c *Client) read(ctx context.Context, path string) ([]byte, error) {
	data, err := c.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	var refused Reply
	if json.Unmarshal(data, &refused) == nil && refused.Error != nil {
		return nil, refused.Error
	}
	return bytes.TrimSpace(data), nil
}

// Cameras are the names of the agent's cameras.
func (c *Client) Cameras(ctx context.Context) ([]string, error) {
	data, err := c.read(ctx, "cameras")
	if err != nil {
		return nil, err
	}
	var list struct {
		Cameras []string `json:"cameras"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("the list of cameras: %w", err)
	}
	return list.Cameras, nil
}

// Info reads the agent's document.
func (c *Client) Info(ctx context.Context) ([]byte, error) { return c.read(ctx, "info") }

// cause is what went wrong, without the address that url.Error repeats.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// ask makes a request and returns the answer's JSON, whatever its status.
func (c *Client) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	if u, err := secret.ParseURL(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no page's address: write http://HOST:8080", secret.MaskValue(c.URL))
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/api/v1/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the agent cannot be reached at %s: %w", secret.MaskValue(c.URL), cause(err))
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer did not arrive whole: %w", err)
	case len(data) > most:
		return nil, errors.New("the answer is too long")
	case !json.Valid(data):
		return nil, fmt.Errorf("%s answers %s, and no JSON: is it an agent?", secret.MaskValue(c.URL), res.Status)
	}
	return data, nil
}
