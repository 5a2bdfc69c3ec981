package outbox

import (
	"fmt"
	"os"
)

// The journal of one agent and broker is kept beside when another comes, and taken back when the first comes again: an address that was
// mistyped, and then put right, costs no event.

// change makes the journal this agent's and broker's, where the folder holds another's, or none: the one beside, if that is theirs, else a
// new one. It returns what is in it.
func (b *Outbox) change(other recovered) (recovered, error) {
	previous := b.o.Dir + ".previous"
	beside, err := peek(previous)
	if err != nil {
		b.o.Logger.Warn("the event journal that was set aside cannot be read", "folder", previous, "error", err)
	}
	ours := beside.records > 0 && beside.identity == b.o.Identity
	if other.records == 0 && !ours {
		return other, nil
	}
	b.disk.close()
	spare := previous + ".new"
	if err := os.RemoveAll(spare); err != nil {
		return other, fmt.Errorf("set the other journal aside: %w", err)
	}
	if err := os.Rename(b.o.Dir, spare); err != nil {
		return other, fmt.Errorf("set the other journal aside: %w", err)
	}
	if ours {
		b.o.Logger.Info("the event journal of this agent and broker is taken back", "from", previous)
		if err := os.Rename(previous, b.o.Dir); err != nil {
			return other, fmt.Errorf("take the journal back: %w", err)
		}
	}
	if other.records == 0 {
		return b.readAfter(os.RemoveAll(spare))
	}
	b.o.Logger.Warn("the event journal belongs to another agent or broker: it is set aside",
		"of", other.identity, "undelivered", len(other.items), "now", previous)
	if len(beside.items) > 0 && !ours {
		b.o.Logger.Warn("the event journal that was set aside before is removed", "of", beside.identity, "undelivered", len(beside.items))
	}
	if err := os.RemoveAll(previous); err != nil {
		return other, fmt.Errorf("set the other journal aside: %w", err)
	}
	return b.readAfter(os.Rename(spare, previous))
}

// readAfter reads the folder anew, unless what was done to it failed.
func (b *Outbox) readAfter(err error) (recovered, error) {
	if err != nil {
		return recovered{}, fmt.Errorf("set the other journal aside: %w", err)
	}
	return b.read()
}

// peek reads the journal of a folder, where there is one, and leaves everything as it is.
func peek(dir string) (recovered, error) {
	if _, err := os.Stat(dir); err != nil {
		return recovered{}, nil //nolint:nilerr // there is none
	}
	d, err := openDisk(dir, nil)
	if err != nil {
		return recovered{}, err
	}
	defer d.close()
	if err := d.acquire(); err != nil {
		return recovered{}, err
	}
	return recoverFrom(d)
}
