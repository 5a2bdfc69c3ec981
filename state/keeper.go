package state

import (
	"context"
	"time"
)

// Keeper writes a value down while it changes: what changes once in a while at once, else once in Every, at the latest after Refresh, and
// at the end.
type Keeper struct {
	File     *File
	Every    time.Duration // 1 s
	Refresh  time.Duration // for what changes without a revision of its own; 30 s
	Revision func() uint64 // changes when the value is worth writing down
	Collect  func(context.Context) (any, error)
	Kept     func(value any) // told what is written down now, or would be if the disk took it; may be nil
}

// looks is how often in Every the revision is looked at.
const looks = 20

// Run keeps the value until ctx ends, and writes it down once more then. A disk that refuses is said when it begins and when it ends; it
// ends nothing.
func (k *Keeper) Run(ctx context.Context) error {
	every, refresh := orElse(k.Every, time.Second), orElse(k.Refresh, 30*time.Second)
	tick := time.NewTicker(every / looks)
	defer tick.Stop()
	last, at, failing := k.Revision(), time.Now(), false
	for {
		select {
		case <-ctx.Done():
			k.save(context.WithoutCancel(ctx), &failing)
			return nil
		case <-tick.C:
		}
		since := time.Since(at)
		if r := k.Revision(); (r != last || failing) && since >= every || since >= refresh {
			k.save(ctx, &failing)
			last, at = r, time.Now()
		}
	}
}

func (k *Keeper) save(ctx context.Context, failing *bool) {
	v, err := k.Collect(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = k.File.Save(v)
		if k.Kept != nil {
			k.Kept(v)
		}
	}
	switch {
	case err != nil && !*failing:
		k.File.log().Error("what is known cannot be written down; a restart would begin without the newest of it", "err", err)
	case err == nil && *failing:
		k.File.log().Info("what is known is written down again")
	}
	*failing = err != nil
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}
