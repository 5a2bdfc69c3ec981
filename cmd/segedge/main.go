// Command segedge watches cameras on an edge box: a person points at something, in the browser or over MQTT, and from
// then on it knows where that is, pixel by pixel, in every frame.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture/opencv"
	"github.com/segedge/segedge/capture/worker"
	"github.com/segedge/segedge/secret"
)

// version is set when a release is linked.
var version = "dev"

// cli are the commands and their flags.
type cli struct {
	Run     runCmd     `cmd:"" help:"Run the agent: follow objects on a camera, a file or the built-in scene."`
	Segment segmentCmd `cmd:"" help:"Segment one image: masks from points, a box, words, or everything."`
	Watch   watchCmd   `cmd:"" help:"Print what a running agent says."`
	verbs
	Words   wordsCmd   `cmd:"" help:"List the things that text prompts know, and what else they are called."`
	Models  modelsCmd  `cmd:"" help:"List, fetch, inspect and check segmentation models."`
	Data    dataCmd    `cmd:"" help:"What is kept to learn from: list, find in films, review, export, erase, import."`
	Eval    evalCmd    `cmd:"" help:"Measure clicks and tracking on images and video with ground truth."`
	Bench   benchCmds  `cmd:"" help:"Measure what each stage costs on this machine, or soak the whole agent."`
	Doctor  doctorCmd  `cmd:"" help:"Check camera, runtime, providers, broker and encoder."`
	Config  configCmd  `cmd:"" help:"Check a configuration, or print the defaults."`
	Schema  schemaCmd  `cmd:"" help:"Print the JSON Schema of commands, replies and events."`
	Version versionCmd `cmd:"" help:"Print the version."`

	ShowVersion versionFlag `name:"version" help:"Print the version, and do nothing else."`
}

// verbs are the commands of a running agent.
type verbs struct {
	Prompt   promptCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Follow something: point, box or phrase."`
	Unfollow unfollowCmd `cmd:"" group:"A running agent, over MQTT or HTTP" help:"No longer look for a phrase."`
	Choose   chooseCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Pick a candidate of an ambiguous object."`
	Rename   renameCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Give an object a name."`
	Remove   removeCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Stop following objects."`
	Undo     undoCmd     `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Take back the last correction of an object, or bring back what was removed or cleared."`
	Confirm  confirmCmd  `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Say that what is shown is right."`
	Reject   rejectCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Say that what is shown is not the object."`
	Clear    clearCmd    `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Stop following all objects of a camera."`
	Automask automaskCmd `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Follow everything in the picture but the background."`
	Zone     zoneCmd     `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Make, replace or remove a zone."`
	Line     lineCmd     `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Make, replace or remove a line."`
	Keyframe keyframeCmd `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Ask the model about the next frame."`
	Snapshot snapshotCmd `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Write the picture as JPEG, with its overlay or without."`
	Record   recordCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Record a clip: start, stop, or around what happens now."`
	Pause    pauseCmd    `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Stop following until resume."`
	Resume   resumeCmd   `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Go on after pause."`
	Model    modelCmd    `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Change to another model."`
	State    stateCmd    `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Print what a camera does now."`
	Objects  objectsCmd  `cmd:"" group:"A running agent, over MQTT or HTTP" help:"Print a camera's objects."`
}

// env is what a command gets beside its flags.
type env struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
}

// exitError ends the program with a code and without a further word: what was wrong has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	if worker.Asked() { // this process is to read a pipeline for another
		os.Exit(worker.Serve(opencv.Opener))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs one command line and returns the exit code, as exitCodes says.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("segedge"), kong.Writers(stdout, stderr),
		kong.Description("Real-time camera segmentation for the edge: point at something, and it is followed.\n\n"+exitCodes),
		kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(stderr, "segedge:", err)
		return exitUsage
	}
	k, err := parser.Parse(asked(args))
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "segedge:", secret.Mask(misunderstood(err, parser)))
		return exitUsage
	}
	err = k.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr})
	return exitCode(err, stderr)
}

// exitCode is the code of a command that has ended with err, and says what was wrong where nobody has yet.
func exitCode(err error, stderr io.Writer) int {
	var code exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(stderr, "segedge:", secret.Mask(err.Error()))
	if _, ok := errors.AsType[configFault](err); ok {
		return exitConfig
	}
	if _, ok := errors.AsType[usageFault](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[nothingFound](err); ok {
		return exitNothing
	}
	if _, ok := errors.AsType[lacksProvider](err); ok {
		return exitProvider
	}
	return 1
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.stdout, "segedge", version)
	return err
}

type schemaCmd struct {
	AsyncAPI bool `name:"asyncapi" help:"Print the AsyncAPI document of everything over MQTT instead."`
}

func (c *schemaCmd) Run(e *env) error {
	out := api.JSONSchema()
	if c.AsyncAPI {
		var err error
		if out, err = api.AsyncAPI(); err != nil {
			return err
		}
		out = append(out, '\n')
	}
	_, err := e.stdout.Write(out)
	return err
}
