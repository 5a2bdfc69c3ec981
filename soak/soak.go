package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt"
	"github.com/segedge/segedge/mqtt/broker"
	"github.com/segedge/segedge/mqtt/client"
	"github.com/segedge/segedge/seg"
)

// Options of a soak.
type Options struct {
	Program  string        // the agent's executable
	Dir      string        // the agent's state and log go here
	Duration time.Duration // of the whole
	WarmUp   time.Duration // from the beginning, in which nothing is judged
	Sample   time.Duration // between two samples
	Every    time.Duration // between two faults
	Disk     string        // folder on a small file system, for the agent's state: it is filled, and emptied; none if empty
	Clock    bool          // Program's clock may go wrong by TEST_CLOCK (scripts/test-clock.sh): it goes back to 1970, and is right again
	// Progress is told of every sample. May be nil.
	Progress func(at, of time.Duration, s Sample)
}

// Fault is something that was done to the agent.
type Fault struct {
	At   float64 `json:"at"` // seconds since the soak began
	What string  `json:"what"`
}

// Report is what a soak found.
type Report struct {
	Seconds    float64          `json:"seconds"`
	WarmUp     float64          `json:"warm_up"`
	Samples    []Sample         `json:"samples"`
	Faults     []Fault          `json:"faults"`
	Trends     map[string]Trend `json:"trends"` // by series, after the warm-up
	Events     int              `json:"events"`
	Duplicates int              `json:"duplicates"`
	Lost       int              `json:"lost"`              // events whose numbers never came, unexplained
	Missing    []string         `json:"missing,omitempty"` // some of these: stream, camera, number
	Late       int              `json:"late"`              // events that came after a later one
	Restarts   int              `json:"restarts"`          // the agent's ends before the soak's; the soak stops at the first
	Viewers    int              `json:"viewers"`           // that watched
	Refused    int              `json:"refused"`           // viewers that could not
	Exit       string           `json:"exit"`              // how the agent ended on SIGTERM; empty is well
}

// The cameras of a soak: nothing happens to the first.
const (
	steadyCamera  = "steady"
	failingCamera = "failing"
)

// agentName is what the agent is called on the soak's broker.
const agentName = "soak"

// ready is how long the agent may take until it says its address.
const ready = time.Minute

var pageLine = regexp.MustCompile(`page: (http://\S+/)`)

// run is a soak under way.
type run struct {
	o      Options
	begin  time.Time
	link   *link
	camera *camera
	page   string
	cmd    *exec.Cmd
	ended  chan error
	ledger *ledger
	direct string // the broker's own address

	mu      sync.Mutex
	report  Report
	viewers sync.WaitGroup
}

// Run soaks an agent until the duration is over, ctx ends or the agent does. The report is good for as far as it came.
func Run(ctx context.Context, o Options) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &run{o: o, ledger: newLedger(), ended: make(chan error, 1)}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if err := r.small(); err != nil {
		return nil, err
	}
	source, err := r.surroundings(ctx, &wg)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(o.Dir, "agent.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // it is for reading, by a person
	if err := r.start(ctx, log, source); err != nil {
		return nil, err
	}
	r.begin = time.Now()
	wg.Go(func() { r.listen(ctx) })
	wg.Go(func() { r.disturb(ctx) })
	r.watch(ctx)
	cancel()
	r.viewers.Wait()
	r.link.setCut(false)
	r.link.setFrozen(false)
	r.stop()
	return r.finish(), nil
}

// surroundings starts the camera and the broker, behind its link.
func (r *run) surroundings(ctx context.Context, wg *sync.WaitGroup) (source string, err error) {
	if r.camera, err = newCamera(); err != nil {
		return "", err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:           r.camera,
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	wg.Go(func() { _ = server.Serve(l) }) // ends when it is closed
	wg.Go(func() { <-ctx.Done(); _ = server.Close() })
	b, err := broker.Listen(broker.Options{Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	wg.Go(func() { _ = b.Run(ctx) }) // ends with ctx
	r.direct = b.URL()
	if r.link, err = newLink(ctx, b.Addr()); err != nil {
		return "", err
	}
	wg.Go(func() { r.link.run(ctx) })
	return "http://" + l.Addr().String() + "/camera.mjpg", nil
}

// start runs the agent with the cameras of a soak.
func (r *run) start(ctx context.Context, log io.Writer, source string) error {
	config := filepath.Join(r.o.Dir, "soak.yaml")
	text := fmt.Sprintf(
		"agent: {name: %s, state: '%s'}\nhttp: {listen: '127.0.0.1:0'}\nmqtt: {broker: 'tcp://%s'}\ncameras:\n"+
			"- {name: %s, source: synthetic, width: 640, height: 360, fps: 15}\n- {name: %s, source: '%s'}\n",
		agentName,
		r.state(),
		r.link.addr(),
		steadyCamera,
		failingCamera,
		source,
	)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return r.launch(ctx, log, "run", "--config", config)
}

// launch runs the agent and waits until it has said its address.
func (r *run) launch(ctx context.Context, log io.Writer, args ...string) error {
	r.cmd = exec.Command(r.o.Program, args...) //nolint:noctx,gosec // the program on trial; stop ends it: it must end well
	if r.o.Clock {
		r.setClock(right)
		r.cmd.Env = append(os.Environ(), "TEST_CLOCK=86400:"+r.clock())
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	r.cmd.Stderr = log
	if err := r.cmd.Start(); err != nil {
		return err
	}
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			_, _ = fmt.Fprintln(log, lines.Text())
			if m := pageLine.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case address <- m[1]:
				default:
				}
			}
		}
		r.ended <- r.cmd.Wait()
	}()
	select {
	case r.page = <-address:
		return nil
	case err := <-r.ended:
		return fmt.Errorf("the agent ended before it was ready: %w; see %s", err, filepath.Join(r.o.Dir, "agent.log"))
	case <-time.After(ready):
	case <-ctx.Done():
	}
	r.stop()
	return errors.New("the agent did not say its address in time")
}

// watch samples the agent until the time is over or the agent has ended.
func (r *run) watch(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, r.begin.Add(r.o.Duration))
	defer cancel()
	ticker := time.NewTicker(r.o.Sample)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-r.ended:
			r.mu.Lock()
			r.report.Restarts++
			r.report.Exit = fmt.Sprintf("the agent ended by itself: %v", err)
			r.mu.Unlock()
			r.ended <- err
			return
		case <-ticker.C:
		}
		s, err := take(ctx, r.cmd.Process.Pid, r.page+"metrics", steadyCamera)
		if err != nil {
			continue // it shows as a hole in the series
		}
		s.At = time.Since(r.begin).Seconds()
		r.mu.Lock()
		r.report.Samples = append(r.report.Samples, s)
		r.mu.Unlock()
		if r.o.Progress != nil {
			r.o.Progress(time.Since(r.begin), r.o.Duration, s)
		}
	}
}

// listen hears every event, straight from the broker.
func (r *run) listen(ctx context.Context) {
	c, err := client.Dial(ctx, client.Options{Agent: agentName, Buffer: 1 << 14, Connection: mqtt.Connection{Broker: r.direct}})
	if err != nil {
		r.fault("nobody hears the events: " + err.Error())
		return
	}
	var asking sync.WaitGroup
	asking.Go(func() { r.prompt(ctx, c) })
	defer c.Close()
	defer asking.Wait()
	if err := c.Watch(ctx, "+", []string{"events"}, func(m client.Message) error {
		r.ledger.note(m.Payload)
		return nil
	}); err != nil && ctx.Err() == nil {
		r.fault("nobody hears the events any more: " + err.Error())
	}
}

// prompt keeps some objects followed on both cameras, and takes them away again, as people do.
func (r *run) prompt(ctx context.Context, c *client.Client) {
	ticker := time.NewTicker(20 * time.Second)
	defer ticker.Stop()
	for n := 0; ; n++ {
		for _, camera := range []string{steadyCamera, failingCamera} {
			ask, cancel := context.WithTimeout(ctx, 10*time.Second)
			if n%6 == 5 {
				_, _ = c.Do(ask, camera, "clear", nil) // an agent that cannot be reached now is one of the faults
			} else {
				at := seg.Point{X: 0.2 * float64(1+n%4), Y: 0.5}
				_, _ = c.Do(ask, camera, "prompt", api.Prompt{Points: []seg.Click{{Point: at, Label: seg.Positive}}})
			}
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// stop ends the agent as systemd does, and waits.
func (r *run) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-r.ended:
		if err != nil && r.report.Exit == "" {
			r.report.Exit = err.Error()
		}
	case <-time.After(30 * time.Second):
		_ = r.cmd.Process.Kill()
		<-r.ended
		r.report.Exit = "it did not end within 30 s of SIGTERM"
	}
}

func (r *run) fault(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Faults = append(r.report.Faults, Fault{At: time.Since(r.begin).Seconds(), What: what})
}

// finish draws the lines through what was sampled after the warm-up.
func (r *run) finish() *Report {
	out := &r.report
	out.Seconds, out.WarmUp = time.Since(r.begin).Seconds(), r.o.WarmUp.Seconds()
	out.Events, out.Duplicates, out.Lost = r.ledger.events, r.ledger.duplicates, r.ledger.lost()
	out.Late, out.Missing = r.ledger.late, r.ledger.named(20)
	out.Trends = map[string]Trend{}
	for _, s := range series {
		var at, values []float64
		for _, x := range out.Samples {
			if x.At >= out.WarmUp {
				at, values = append(at, x.At), append(values, s.of(x))
			}
		}
		if t := trendOf(at, values); len(at) >= 8 {
			out.Trends[s.Name] = t
		}
	}
	return out
}

// WriteJSON writes the whole report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}
