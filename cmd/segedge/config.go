package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/segedge/segedge/config"
)

// settings are the flags of every command that reads the configuration.
type settings struct {
	Config string   `help:"Configuration file." type:"path" placeholder:"FILE"`
	Set    []string `help:"Change a setting by its dotted key, such as mqtt.broker=tcp://host:1883 (repeatable)." placeholder:"KEY=VALUE" sep:"none"`

	unhurried bool // nobody waits for the model
}

// read is the configuration, with where each part of it comes from.
func (s *settings) read() (*config.Loaded, error) {
	l, err := config.Read(config.Inputs{
		File: s.Config, Credentials: os.Getenv("CREDENTIALS_DIRECTORY"), Environ: os.Environ(), Settings: s.Set,
	})
	if err != nil {
		return nil, configFault{err}
	}
	return l, nil
}

// load is the configuration of a command that is not the agent. What only the agent needs may be missing.
func (s *settings) load() (config.Config, error) {
	l, err := s.read()
	if err != nil {
		return config.Config{}, err
	}
	if err := l.Explain(l.Check()).Err(); err != nil {
		return l.Config, configFault{err}
	}
	return l.Config, nil
}

// open is the configuration and the model that it names, for a command that does its work and ends. The model is the caller's to close.
func (s *settings) open(ctx context.Context) (config.Config, *loadedModel, error) {
	cfg, err := s.load()
	if err != nil {
		return cfg, nil, err
	}
	if s.unhurried {
		cfg.Model = offlineModel(cfg.Model)
	}
	m, err := openModel(ctx, cfg, slog.New(slog.DiscardHandler))
	return cfg, m, err
}

// using opens the configuration and its model for the time of use.
func (s *settings) using(ctx context.Context, use func(config.Config, *loadedModel) error) error {
	cfg, m, err := s.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(use(cfg, m), m.Close())
}

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Check a configuration: everything that run would refuse, each with its line."`
	Default configDefaultCmd `cmd:"" help:"Print the defaults as a configuration file."`
	Schema  configSchemaCmd  `cmd:"" help:"Print the JSON Schema of a configuration file, for editors."`
}

type configCheckCmd struct {
	settings
	File string `arg:"" optional:"" type:"path" help:"Configuration file, as --config; the defaults and the environment without one."`
}

func (c *configCheckCmd) Run(e *env) error {
	if c.File != "" && c.Config != "" && c.File != c.Config {
		return usageFault{fmt.Errorf("two files, %s and %s: one is checked at a time", c.File, c.Config)}
	}
	s := settings{Config: cmp.Or(c.File, c.Config), Set: c.Set}
	l, err := s.read()
	if err != nil {
		return errors.Unwrap(err) // not the agent's exit code
	}
	if err := problems(l, checks{sources: true, token: true}).Err(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "the configuration is fine: agent %s, %d camera(s), model %s\n", l.Agent.Name, len(l.Cameras), l.Model.Name)
	return err
}

type configDefaultCmd struct{}

func (configDefaultCmd) Run(e *env) error {
	c := config.Default()
	data, err := c.YAML()
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(data)
	return err
}

type configSchemaCmd struct{}

func (configSchemaCmd) Run(e *env) error {
	data, err := config.JSONSchema()
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(data)
	return err
}
