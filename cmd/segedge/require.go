package main

import (
	"fmt"

	"github.com/segedge/segedge/inference"
)

// lacksProvider is a model that does not run where it must.
type lacksProvider struct{ wanted, runs, why string }

func (e lacksProvider) Error() string {
	return fmt.Sprintf("--require-provider %s: the model runs on %s, %s", e.wanted, e.runs, e.why)
}

// require refuses a model that does not run on this provider, or a better one: TensorRT is CUDA's better, and an engine that is being built
// counts, since the agent that is required to have it is the one that builds it.
func require(name providerName, i inference.Info) error {
	wanted := string(name)
	switch {
	case wanted == "", i.Provider == wanted, i.Building == wanted, wanted == inference.CUDA && i.Provider == inference.TensorRT:
		return nil
	}
	return lacksProvider{wanted, i.Provider, i.Why}
}

// degraded says that the model does not run on what the configuration names; empty where it does, or leaves it open.
func degraded(configured, runs, why string) string {
	if configured != inference.CUDA && configured != inference.TensorRT || configured == runs {
		return ""
	}
	return fmt.Sprintf("NOT ON %s, which model.provider names, but on %s: %s", configured, runs, why)
}
