package main

import (
	"fmt"
	"os"

	"github.com/segedge/segedge/config"
)

// settings are the flags of every command that reads the configuration.
type settings struct {
	Config string   `help:"Configuration file." type:"path" placeholder:"FILE"`
	Set    []string `help:"Change a setting by its dotted key, such as mqtt.broker=tcp://host:1883 (repeatable)." placeholder:"KEY=VALUE" sep:"none"`
}

func (s *settings) load() (config.Config, error) {
	return config.Load(s.Config, os.Environ(), s.Set)
}

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Check a configuration."`
	Default configDefaultCmd `cmd:"" help:"Print the defaults as a configuration file."`
}

type configCheckCmd struct {
	Set  []string `help:"Change a setting first." placeholder:"KEY=VALUE" sep:"none"`
	File string   `arg:"" optional:"" type:"path" help:"Configuration file; the defaults and the environment without one."`
}

func (c *configCheckCmd) Run(e *env) error {
	s := settings{Config: c.File, Set: c.Set}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if _, err := parsePrompts(allPrompts(cfg)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "the configuration is fine: agent %s, %d camera(s), model %s\n", cfg.Agent.Name, len(cfg.Cameras), cfg.Model.Name)
	return err
}

func allPrompts(c config.Config) []string {
	var all []string
	for _, cam := range c.Cameras {
		all = append(all, cam.Prompts...)
	}
	return all
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
