// Package web is the agent's HTTP door: the page, the JSON API, health, metrics, and the lock in front of them all. It
// speaks the vocabulary of package api and hands commands to a dispatch.Dispatcher; WHEP is a handler that it mounts. It knows
// no pixels and no model, and the page is plain files in page/, embedded as they are: no build step, no outside request.
//
// # Routes
//
//	GET  /                                      the page
//	GET  /api/v1/info                           api.Info
//	GET  /api/v1/schema                         the JSON Schema of every message, where Options.Schema is set
//	GET  /api/v1/cameras                        {"schema":1,"cameras":["…"]}
//	GET  /api/v1/cameras/{camera}/state         api.State
//	GET  /api/v1/cameras/{camera}/objects       api.Objects
//	GET  /api/v1/cameras/{camera}/snapshot.jpg  the picture now; ?overlay=0 without the overlay, ?width=640 reduced; X-Frame is its frame
//	GET  /api/v1/cameras/{camera}/clips         api.Clips
//	GET  /api/v1/cameras/{camera}/clips/{name}  a clip as MP4, in ranges where asked; ?download=1 for a file to keep
//	POST /api/v1/cameras/{camera}/{verb}        a command as JSON; answered with an api.Reply, or,
//	                                            for snapshot and "Accept: image/jpeg", with the picture
//	     /whep/…                                Options.WHEP
//	GET  /metrics                               Prometheus text
//	GET  /healthz                               200 as long as the process answers; needs no token
//	GET  /readyz                                every check with its reason; 503 when one fails
//
// A reply's HTTP status follows its error code (see Status); the body is the reply either way.
//
// # Who may come in
//
// Without a token only this machine: the listener must be on loopback (CheckListen), and the Host header must name
// loopback, so that a web site cannot reach the agent by pointing its own name at 127.0.0.1. With a token every request
// but /healthz needs it: "Authorization: Bearer …", or once as ?token=…, which is answered with an HttpOnly,
// SameSite=Strict cookie and a redirect to the address without it. A request that changes something and comes from
// a page (it has an Origin) must come from this page, unless it carries the token itself in its header. That it does the browser
// says (Sec-Fetch-Site); where it says nothing, Origin is compared with Host.
//
// Each token has a role (api.Role), which goes with the request to whoever carries it out. An address that came with ten wrong tokens
// waits.
//
// # Behind a proxy
//
// The page's addresses are relative, so that it may be served below a path. Options.BasePath is a path that the proxy leaves on the
// requests, Options.TrustedProxies are those whose X-Forwarded headers are believed.
package web
