// Package e2e tests the whole agent as its users meet it: the built program against mosquitto, Chromium and a WebRTC
// peer, on the built-in scene whose truth is known, and on real clips where they are at hand. It holds tests only.
package e2e
