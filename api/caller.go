package api

import (
	"context"
	"slices"
)

// Role is what a caller may do.
type Role string

// The roles; each includes the one before. The zero value is Admin: a door that tells nobody apart leaves rights to who lets people to it.
const (
	RoleView   Role = "view"   // look: the page, the video, states, snapshots
	RolePrompt Role = "prompt" // and say what is followed
	RoleAdmin  Role = "admin"  // and change the agent
)

// Caller is who gives a command, as its door knows them.
type Caller struct {
	Name string // of a token or a user, for the log; may be empty
	Role Role
}

// byView and byPrompt are the verbs of the lesser roles. What is in neither is for admins, what is added later too.
var (
	byView   = []string{"snapshot"}
	byPrompt = []string{"prompt", "choose", "undo", "confirm", "reject", "rename", "remove", "clear", "automask", "keyframe"}
)

// May reports whether the caller may use a verb.
func (c Caller) May(verb string) bool {
	switch c.Role {
	case RoleView:
		return slices.Contains(byView, verb)
	case RolePrompt:
		return slices.Contains(byView, verb) || slices.Contains(byPrompt, verb)
	case RoleAdmin, "":
		return true
	}
	return false
}

type callerKey struct{}

// WithCaller keeps the caller of a request for who carries it out.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is the request's caller; the zero caller where nobody said.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
