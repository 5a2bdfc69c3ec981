package main

import (
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
	m, err := openModel(ctx, cfg, slog.New(slog.DiscardHandler))
	return cfg, m, err
}

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Check a configuration: everything that run would refuse, each with its line."`
	Default configDefaultCmd `cmd:"" help:"Print the defaults as a configuration file."`
	Schema  configSchemaCmd  `cmd:"" help:"Print the JSON Schema of a configuration file, for editors."`
}

type configCheckCmd struct {
	Set  []string `help:"Change a setting first." placeholder:"KEY=VALUE" sep:"none"`
	File string   `arg:"" optional:"" type:"path" help:"Configuration file; the defaults and the environment without one."`
}

func (c *configCheckCmd) Run(e *env) error {
	s := settings{Config: c.File, Set: c.Set}
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
