package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// versionFlag prints the version, wherever it stands.
type versionFlag bool

// BeforeReset runs before anything else of the command line is looked at.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	_, err := fmt.Fprintln(app.Stdout, "segedge", version)
	app.Exit(0)
	return err
}

// asked is a command line as the parser wants it: "help VERB" is "VERB --help", and no word at all asks for help too.
func asked(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(append([]string{}, args[1:]...), "--help")
	}
	return args
}

// misunderstood is what is said of a command line that is none: what is wrong, how the command goes, and where there is more.
func misunderstood(err error, app *kong.Kong) string {
	node := app.Model.Node
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		for _, p := range parse.Context.Path {
			if n := p.Node(); n != nil {
				node = n
			}
		}
	}
	wrong := strings.Replace(err.Error(), `but got "EOL" (<EOL>)`, "but the line ends there", 1)
	wrong = strings.TrimSuffix(wrong, "?") // "did you mean …?"
	if node == app.Model.Node {
		return wrong + "; segedge --help lists the commands"
	}
	return fmt.Sprintf("%s; usage: segedge %s; more with segedge %s --help", wrong, node.Summary(), node.Path())
}
