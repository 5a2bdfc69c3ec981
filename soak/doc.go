// Package soak runs a whole agent for long, as a process of its own, while what it depends on fails around it: cameras that fall silent,
// hang up or change size, a broker that goes away or freezes, viewers that come and vanish, reloads. It samples the process from outside
// and tells whether anything grows, whether an event was lost, and whether the agent ended. It is no test of accuracy, and it knows the
// agent only by what a user sees: its address, its broker, its metrics.
package soak
