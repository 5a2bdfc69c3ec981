package main

// configFault is a configuration that is wrong and stays wrong: starting again would not mend it.
type configFault struct{ error }

func (f configFault) Unwrap() error { return f.error }

// Exit codes beside 0 and 1. A service manager starts the agent again after every code but exitConfig.
const (
	exitUsage  = 2  // a command line that is none
	exitConfig = 78 // EX_CONFIG of sysexits.h: the unit's RestartPreventExitStatus
)
