package main

// configFault is a configuration that is wrong and stays wrong: starting again would not mend it.
type configFault struct{ error }

func (f configFault) Unwrap() error { return f.error }

// nothingFound is the end of a command that did its work and found nothing.
type nothingFound struct{ sentence string }

func (n nothingFound) Error() string { return n.sentence }

// usageFault is a command line that cannot be carried out as it stands.
type usageFault struct{ error }

func (f usageFault) Unwrap() error { return f.error }

// Exit codes beside 0, done, and 1, failed. A service manager starts the agent again after every code but exitConfig.
const (
	exitUsage    = 2  // a command line that is none
	exitNothing  = 3  // what was looked for is not there
	exitProvider = 69 // EX_UNAVAILABLE: the execution provider that is required is not there
	exitConfig   = 78 // EX_CONFIG of sysexits.h: the unit's RestartPreventExitStatus
)

// exitCodes are what --help and the manual say of them.
const exitCodes = "Exit codes: 0 done, 1 failed, 2 a command line that is none, 3 nothing was found (segment), " +
	"69 the execution provider that is required is not there (run, models check), " +
	"78 a configuration that is wrong (run, doctor; config check, whose work it is, ends with 1)."
