package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// errNoAnswer is a model that answers another number of prompts than it was asked.
var errNoAnswer = errors.New("the model answered another number of prompts than it was asked")

// job is one piece of model work and its result. The loop makes it and reads the result; in between one lane owns it.
type job struct {
	lane  int
	asked bool // a person waits for it
	model inference.Segmenter
	seq   uint64

	frame *frame.Frame // embed: a reduced frame, or a full one to crop, one reference of which is the job's
	crop  *crop        // embed: what to cut out of frame; nil for all of it

	key     *keyframe // decode: one use of which is the job's
	emb     inference.Embedding
	queries []tracker.Query
	tickets []*ticket // the prompts that this decode answers, by their order in queries
	recall  *recall   // decode: of a model that remembers objects; else nil

	embedding   inference.Embedding
	predictions []seg.Prediction
	errs        []error // decode: of each query that was not answered
	err         error   // of the whole job: none of its queries was answered
	began       time.Time
	took        time.Duration
}

// The lanes: what may run beside what. A new prompt never waits behind the refreshing of a keyframe's objects.
const (
	embedLane = iota
	refreshLane
	promptLane
	laneCount
)

var laneStages = [laneCount]string{"embed", "refresh", "decode"}

// routine says that the job takes its camera's turn.
func (j *job) routine() bool { return j.lane != promptLane && !j.asked }

// run does the job. A model that panics costs its job, not the agent.
func (j *job) run(ctx context.Context) {
	j.began = time.Now()
	if j.lane == embedLane {
		j.embed(ctx)
	} else {
		j.decode(ctx)
	}
	j.took = time.Since(j.began)
}

// decode asks all queries at once. Where that fails it asks each by itself: what the model refuses, or fails at, is that query's alone.
func (j *job) decode(ctx context.Context) {
	n := len(j.queries)
	j.errs = make([]error, n)
	j.predictions, j.err = j.some(ctx, 0, n)
	if j.err == nil {
		return
	}
	if n == 1 || ctx.Err() != nil {
		for i := range j.errs {
			j.errs[i] = j.err
		}
		return
	}
	first := j.err
	j.predictions = make([]seg.Prediction, n)
	for i := range n {
		p, err := j.some(ctx, i, i+1)
		if j.errs[i] = err; err == nil {
			j.predictions[i], first = p[0], nil
		}
	}
	j.err = first
}

// some asks the queries from one up to another.
func (j *job) some(ctx context.Context, from, to int) ([]seg.Prediction, error) {
	if j.recall != nil {
		return j.recall.ask(ctx, j, from, to)
	}
	prompts := make([]seg.Prompt, 0, to-from)
	for i := from; i < to; i++ {
		prompts = append(prompts, j.queries[i].Prompt)
	}
	return j.ask(ctx, prompts)
}

// ask is one call of the decoder.
func (j *job) ask(ctx context.Context, prompts []seg.Prompt) (out []seg.Prediction, err error) {
	defer contain(&err)
	each := apiece(prompts)
	out, err = j.emb.Decode(ctx, each)
	if err == nil && len(out) != len(each) {
		err = fmt.Errorf("%w: %d of %d", errNoAnswer, len(out), len(each))
	}
	if err != nil || len(each) == len(prompts) {
		return out, err
	}
	return together(prompts, out), nil
}

// panicError is a model's panic; the stack is for the log alone.
type panicError struct {
	what  any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("the model panicked: %v", e.what) }

// contain makes a model's panic its error.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = &panicError{r, debug.Stack()}
	}
}

func (j *job) embed(ctx context.Context) {
	defer contain(&j.err)
	if j.crop == nil {
		j.embedding, j.err = j.model.Embed(ctx, j.frame)
		return
	}
	small, box := j.crop.cut(j.frame)
	if j.embedding, j.err = j.model.Embed(ctx, small); j.err == nil {
		j.embedding = inference.Cropped(j.embedding, box)
	}
}

// lanes are the goroutines that run model work, one job each at a time. Without goroutines (synchronous) a job runs
// in the caller.
type lanes struct {
	busy    [laneCount]atomic.Bool               // written by the loop alone
	since   [laneCount]atomic.Pointer[time.Time] // when the present job began; nil while there is none
	jobs    [laneCount]chan *job
	asked   chan *job // the embed lane's jobs that a person waits for: they do not stand back, nor take a turn
	results chan *job
	wg      sync.WaitGroup
}

func newLanes() *lanes {
	l := &lanes{results: make(chan *job, laneCount), asked: make(chan *job, 1)}
	for i := range l.jobs {
		l.jobs[i] = make(chan *job, 1)
	}
	return l
}

// start runs the lanes until stop.
func (l *lanes) start(ctx context.Context) {
	for i := range l.jobs {
		l.wg.Go(func() {
			if i != promptLane {
				Yield()
			}
			l.work(ctx, l.jobs[i])
		})
	}
	l.wg.Go(func() { l.work(ctx, l.asked) })
}

func (l *lanes) work(ctx context.Context, jobs <-chan *job) {
	for j := range jobs {
		start := time.Now()
		l.since[j.lane].Store(&start)
		j.run(ctx)
		l.since[j.lane].Store(nil)
		l.results <- j // cap is one a lane, and a lane gets its next job after its result was read
	}
}

// submit hands a job to its lane, which must be free.
func (l *lanes) submit(j *job) {
	l.busy[j.lane].Store(true)
	if j.asked && j.lane == embedLane {
		l.asked <- j
		return
	}
	l.jobs[j.lane] <- j
}

// now is which lanes have a job. Safe to call from any goroutine.
func (l *lanes) now() Busy {
	return Busy{l.busy[embedLane].Load(), l.busy[refreshLane].Load(), l.busy[promptLane].Load()}
}

// longest is how long a lane has been at its present job, of the one that has been longest; 0 while all are free. Safe to call from any
// goroutine.
func (l *lanes) longest() (d time.Duration) {
	for i := range l.since {
		d = max(d, l.workingFor(i))
	}
	return d
}

func (l *lanes) workingFor(lane int) time.Duration {
	if start := l.since[lane].Load(); start != nil {
		return time.Since(*start)
	}
	return 0
}

// stop ends the lanes and waits for the work under way, whose results stay in the channel.
func (l *lanes) stop() {
	for _, c := range l.jobs {
		close(c)
	}
	close(l.asked)
	l.wg.Wait()
	close(l.results)
	for i := range l.busy {
		l.busy[i].Store(false)
	}
}
