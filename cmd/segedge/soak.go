package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/segedge/segedge/soak"
)

// soakCmd runs the whole agent for long while what it depends on fails.
type soakCmd struct {
	Duration time.Duration `help:"How long." default:"10m"`
	WarmUp   time.Duration `help:"From the beginning, not judged." default:"3m"`
	Sample   time.Duration `help:"Between two samples." default:"5s"`
	Every    time.Duration `help:"Between two faults." default:"15s"`
	Disk     string        `help:"Folder on a small file system, such as a tmpfs of 16 MiB: the agent's state goes there, and it is filled and emptied." type:"existingdir"`
	Clock    bool          `help:"Have the agent's clock go back to 1970, and be right again: for a program of scripts/test-clock.sh."`
	Out      string        `help:"Folder for the report, its picture and the agent's log." type:"path" default:"build/soak"`
	MaxSlope float64       `help:"MiB an hour that resident memory may grow by, upper bound of the interval; more is a failure. 0 judges nothing." placeholder:"MIB"`
}

func (c *soakCmd) Run(e *env) error {
	if c.WarmUp >= c.Duration {
		return fmt.Errorf("a warm-up of %v leaves nothing of %v to judge", c.WarmUp, c.Duration)
	}
	if c.Clock && version != "test-clock" {
		return errors.New("the clock of this program cannot be wrong: scripts/test-clock.sh FILE makes one; then FILE bench soak --clock")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(cmp.Or(c.Disk, c.Out), "state")); err != nil { // an earlier soak's
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	bar := newBar(e.stderr, int(c.Duration.Seconds()), "soak")
	r, err := soak.Run(e.ctx, soak.Options{
		Program: program, Dir: c.Out, Duration: c.Duration, WarmUp: c.WarmUp, Sample: c.Sample, Every: c.Every, Disk: c.Disk, Clock: c.Clock,
		Progress: func(at, _ time.Duration, s soak.Sample) {
			bar.Describe(fmt.Sprintf("%.0f MiB, %.1f fps", s.RSS, s.FPS))
			_ = bar.Set(int(at.Seconds()))
		},
	})
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if err := errors.Join(write(filepath.Join(c.Out, "soak.json"), r.WriteJSON), write(filepath.Join(c.Out, "soak.svg"), r.Plot)); err != nil {
		return err
	}
	if err := r.Summary(e.stdout); err != nil {
		return err
	}
	return r.Verdict(c.MaxSlope)
}

// write makes a file of what f writes.
func write(path string, f func(io.Writer) error) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return f(file)
}
