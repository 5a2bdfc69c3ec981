package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/segedge/segedge/soak"
)

// benchJoinsCmd has viewers come and go, and looks what they leave behind.
type benchJoinsCmd struct {
	Joins int    `help:"How many viewers come and go." default:"1000"`
	Warm  int    `help:"How many before anything is measured." default:"100"`
	Rows  int    `help:"Rows of the table." default:"4"`
	Out   string `help:"Folder for the agent's state and log." type:"path" default:"build/joins"`
	JSON  bool   `name:"json" help:"Print one JSON object."`
}

func (c *benchJoinsCmd) Run(e *env) error {
	if c.Joins < 1 || c.Warm < 0 || c.Rows < 1 || c.Rows > c.Joins {
		return fmt.Errorf("%d joins in %d rows after %d: there must be one in each row", c.Joins, c.Rows, c.Warm)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(c.Out); err != nil { // an earlier one's
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	bar := newBar(e.stderr, c.Joins, "joins and leaves")
	r, err := soak.Joins(e.ctx, soak.JoinOptions{
		Program: program, Dir: c.Out, Joins: c.Joins, Warm: c.Warm, Rows: c.Rows, Progress: func(n int) { _ = bar.Set(n) },
	})
	_ = bar.Finish()
	if r == nil {
		return err
	}
	if c.JSON {
		return errors.Join(err, json.NewEncoder(e.stdout).Encode(r), r.Verdict())
	}
	return errors.Join(err, r.Table(e.stdout), r.Verdict())
}
