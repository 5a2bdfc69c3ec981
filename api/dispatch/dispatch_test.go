package dispatch

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/api"
)

// service has one camera, "cam", and does what a test tells it to.
type service struct {
	mu   sync.Mutex
	done []api.Command
	do   func(context.Context, api.Command) api.Reply
}

func (s *service) Do(ctx context.Context, _ string, cmd api.Command) api.Reply {
	s.mu.Lock()
	s.done = append(s.done, cmd)
	n, do := len(s.done), s.do
	s.mu.Unlock()
	if do != nil {
		return do(ctx, cmd)
	}
	return api.Done("", map[string]int{"n": n})
}

func (s *service) Info() api.Info                     { return api.Info{} }
func (s *service) Cameras() []string                  { return []string{"cam"} }
func (s *service) State(string) (api.State, bool)     { return api.State{}, true }
func (s *service) Objects(string) (api.Objects, bool) { return api.Objects{}, true }

func (s *service) commands() []api.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]api.Command(nil), s.done...)
}

func request(door, verb, body string) Request {
	return Request{Form: api.Form{Verb: verb}, Camera: "cam", Body: []byte(body), Door: door}
}

func text(r api.Reply) string {
	data, _ := json.Marshal(r)
	return string(data)
}

const click = `{"id":"1","points":[{"x":0.5,"y":0.5}]}`

func TestACommandIsDoneOnce(t *testing.T) {
	s := &service{}
	file := filepath.Join(t.TempDir(), "commands.json")
	d := New(Options{Service: s, File: file})
	first := d.Do(t.Context(), request("http", "prompt", click))
	if text(first) != `{"schema":1,"id":"1","ok":true,"result":{"n":1}}` {
		t.Errorf("got %s", text(first))
	}
	again := d.Do(t.Context(), request("http", "prompt", ` {"points":[{"x":0.5,"y":0.5}], "id":"1"}`))
	if text(again) != text(first) || len(s.commands()) != 1 {
		t.Errorf("again %s, done %d times", text(again), len(s.commands()))
	}
	d.Close()
	d = New(Options{Service: s, File: file})
	defer d.Close()
	if after := d.Do(t.Context(), request("http", "prompt", click)); text(after) != text(first) || len(s.commands()) != 1 {
		t.Errorf("after a restart %s, done %d times", text(after), len(s.commands()))
	}
	other := d.Do(t.Context(), request("http", "clear", `{"id":"1"}`))
	if other.OK || other.Error.Code != api.BadRequest || !strings.Contains(other.Error.Message, "used for another command") {
		t.Errorf("another command under the id: %s", text(other))
	}
}

// TestWhoseIDItIs: an id belongs to the client that a command names, on whichever door it comes, else to its door.
func TestWhoseIDItIs(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second Request
		want          int
	}{
		{"the same door", request("http", "prompt", click), request("http", "prompt", click), 1},
		{"two viewers", request("viewer a", "prompt", click), request("viewer b", "prompt", click), 2},
		{"one client on two doors", request("http", "clear", `{"id":"1","reply":"me"}`), request("mqtt", "clear", `{"id":"1","reply":"me"}`), 1},
		{"two clients", request("mqtt", "clear", `{"id":"1","reply":"me"}`), request("mqtt", "clear", `{"id":"1","reply":"you"}`), 2},
		{"a client named like a door", request("http", "clear", `{"id":"1","reply":"http"}`), request("http", "clear", `{"id":"1"}`), 2},
		{"no id", request("http", "clear", `{}`), request("http", "clear", `{}`), 2},
	} {
		s := &service{}
		d := New(Options{Service: s})
		d.Do(t.Context(), c.first)
		d.Do(t.Context(), c.second)
		if n := len(s.commands()); n != c.want {
			t.Errorf("%s: done %d times, want %d", c.name, n, c.want)
		}
	}
}

// TestRepetitionWaitsForTheFirst: who sends a command again while it is being done gets its answer, not a second object.
func TestRepetitionWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		s := &service{do: func(_ context.Context, c api.Command) api.Reply { <-hold; return api.Done("", "it") }}
		d := New(Options{Service: s})
		replies := make(chan api.Reply, 3)
		for range 3 {
			go func() { replies <- d.Do(t.Context(), request("http", "prompt", click)) }()
			synctest.Wait()
		}
		close(hold)
		for range 3 {
			if r := <-replies; !r.OK || r.Result != "it" {
				t.Errorf("got %s", text(r))
			}
		}
		if len(s.commands()) != 1 {
			t.Errorf("done %d times", len(s.commands()))
		}
	})
}

func TestRepetitionHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		d := New(Options{Service: &service{do: func(context.Context, api.Command) api.Reply { <-hold; return api.Done("", nil) }}})
		ended := make(chan struct{})
		go func() { d.Do(t.Context(), request("http", "prompt", click)); close(ended) }()
		synctest.Wait()
		if r := d.Do(t.Context(), request("http", "prompt", click)); r.OK || r.Error.Code != api.Timeout {
			t.Errorf("got %s", text(r))
		}
		close(hold)
		<-ended
	})
}

// TestWhatSaysNothingOfTheCommandIsNotRemembered: not ready and overloaded are of the moment.
func TestWhatSaysNothingOfTheCommandIsNotRemembered(t *testing.T) {
	for code, times := range map[api.Code]int{
		api.NotReady: 2, api.Overloaded: 2, api.AlreadyRunning: 2, api.UnknownObject: 1, api.NothingFound: 1, api.Timeout: 1, api.Internal: 1,
	} {
		s := &service{do: func(_ context.Context, c api.Command) api.Reply { return api.Refuse("", code, "no") }}
		d := New(Options{Service: s})
		for range 2 {
			if r := d.Do(t.Context(), request("http", "prompt", click)); r.Error == nil || r.Error.Code != code || r.ID != "1" {
				t.Errorf("%s: %s", code, text(r))
			}
		}
		if n := len(s.commands()); n != times {
			t.Errorf("%s: tried %d times, want %d", code, n, times)
		}
	}
}

func TestMalformedCommandsLeaveNoTrace(t *testing.T) {
	s := &service{}
	file := filepath.Join(t.TempDir(), "commands.json")
	d := New(Options{Service: s, File: file})
	for i := range 3 * maxPerClient {
		body := fmt.Sprintf(`{"id":"%d","reply":"me","pints":1}`, i)
		if r := d.Do(t.Context(), request("mqtt", "prompt", body)); r.Error == nil || r.Error.Code != api.BadJSON || r.ID != fmt.Sprint(i) {
			t.Fatalf("got %s", text(r))
		}
	}
	if len(d.memory.entries) != 0 || d.file.size != 0 || d.file.dirty {
		t.Errorf("%d ids and %d bytes of them are kept", len(d.memory.entries), d.file.size)
	}
	if r := d.Do(t.Context(), request("mqtt", "clear", `{"id":"1","reply":"me"}`)); !r.OK {
		t.Errorf("mended and sent again: %s", text(r))
	}
	d.Close()
}

// TestOneClientLocksNobodyOut: its own limit is its own.
func TestOneClientLocksNobodyOut(t *testing.T) {
	d := New(Options{Service: &service{}})
	for i := range maxPerClient + 10 {
		r := d.Do(t.Context(), request("mqtt", "clear", fmt.Sprintf(`{"id":"%d","reply":"loud"}`, i)))
		if r.OK != (i < maxPerClient) || !r.OK && r.Error.Code != api.Overloaded {
			t.Fatalf("command %d: %s", i, text(r))
		}
	}
	if r := d.Do(t.Context(), request("mqtt", "clear", `{"id":"1","reply":"quiet"}`)); !r.OK {
		t.Errorf("another client: %s", text(r))
	}
	if r := d.Do(t.Context(), request("mqtt", "clear", `{"id":"1"}`)); !r.OK {
		t.Errorf("one without a name: %s", text(r))
	}
}

func TestDroppedCommandsMayBeSentAgain(t *testing.T) {
	s := &service{}
	d := New(Options{Service: s})
	if r := d.Begin(request("mqtt", "clear", `{"id":"1"}`)).Drop(api.Overloaded, "full"); r.Error.Code != api.Overloaded || r.ID != "1" {
		t.Errorf("got %s", text(r))
	}
	if r := d.Do(t.Context(), request("mqtt", "clear", `{"id":"1"}`)); !r.OK || len(s.commands()) != 1 {
		t.Errorf("sent again: %s", text(r))
	}
	if r := d.Begin(request("mqtt", "clear", `{"id":"1"}`)).Drop(api.Overloaded, "full"); !r.OK {
		t.Errorf("what was done is answered, not dropped: %s", text(r))
	}
}

func TestRefusals(t *testing.T) {
	d := New(Options{Service: &service{}})
	for _, c := range []struct {
		r    Request
		code api.Code
		says string
	}{
		{request("http", "dance", `{}`), api.UnknownVerb, "dance"},
		{request("http", "prompt", `{`), api.BadJSON, "not a JSON object"},
		{request("http", strings.Repeat("é", 4000), `{}`), api.UnknownVerb, "é…"},
		{request("http", "clear", `{"id":"1","id":"2"}`), api.BadJSON, "twice"},
		{Request{Form: api.Form{Verb: "clear"}, Camera: "attic"}, api.UnknownCamera, `no camera "attic"; there are cam`},
		{Request{Form: api.Form{Verb: "clear"}, Camera: "cam", NeedID: true}, api.BadRequest, `no "id"`},
	} {
		r := d.Do(t.Context(), c.r)
		if r.OK || r.Error.Code != c.code || !strings.Contains(r.Error.Message, c.says) || r.Schema != api.Schema || len(r.Error.Message) > 600 {
			t.Errorf("%s %s: %s", c.r.Verb, c.r.Body, text(r))
		}
	}
}

// frames knows one picture.
type frames struct{}

func (frames) FrameAt(viewer string, rtpTime uint32) (uint64, bool) {
	return 4711, viewer == "v1" && rtpTime == 90_000
}

func TestAPictureBecomesItsFrame(t *testing.T) {
	s := &service{}
	d := New(Options{Service: s, Frames: frames{}})
	for i, c := range []struct {
		viewer, fields string
		frame          uint64
	}{
		{"", `"viewer":"v1","rtp_time":90000`, 4711},
		{"v1", `"rtp_time":90000`, 4711},
		{"v2", `"viewer":"v1","rtp_time":90000`, 4711},
		{"", `"viewer":"v1","rtp_time":90001`, 0},
		{"", `"viewer":"v1","rtp_time":90000,"frame":3`, 3},
		{"", `"frame":7`, 7},
	} {
		r := request("x", "prompt", `{"points":[{"x":0.5,"y":0.5}],`+c.fields+`}`)
		r.Viewer = c.viewer
		d.Do(t.Context(), r)
		p := s.commands()[i].Body.(*api.Prompt)
		if p.Frame != c.frame || strings.Contains(c.fields, "rtp_time") && p.Viewer == "" {
			t.Errorf("%s of viewer %q: frame %d of %q, want %d", c.fields, c.viewer, p.Frame, p.Viewer, c.frame)
		}
	}
}

func TestACommandHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{do: func(ctx context.Context, c api.Command) api.Reply {
			<-ctx.Done()
			return api.Refuse("", api.Timeout, "late")
		}}
		began := time.Now()
		r := New(Options{Service: s}).Do(t.Context(), request("http", "clear", `{"id":"9"}`))
		if r.OK || r.Error.Code != api.Timeout || r.ID != "9" || time.Since(began) != 20*time.Second {
			t.Errorf("after %s: %s", time.Since(began), text(r))
		}
	})
}

// opening is a service whose camera begins when it is told to.
type opening struct {
	service
	begun chan struct{}
}

func (o *opening) Started(ctx context.Context, _ string) error {
	select {
	case <-o.begun:
		return nil
	case <-ctx.Done():
		return errors.New("no frame has come")
	}
}

// TestEarlyCommandsWaitForTheFirstFrame: each for its own time, and those in a row not one after another.
func TestEarlyCommandsWaitForTheFirstFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &opening{begun: make(chan struct{})}
		d := New(Options{Service: o})
		began := time.Now()
		if r := d.Do(t.Context(), request("mqtt", "clear", `{"id":"0"}`)); !r.OK || time.Since(began) != 0 {
			t.Errorf("a command that needs no frame: %s", text(r))
		}
		first, second := d.Begin(request("mqtt", "prompt", click)), d.Begin(request("mqtt", "automask", `{"id":"2"}`))
		for _, ticket := range []*Ticket{first, second} {
			if r := ticket.Run(t.Context()); r.OK || r.Error.Code != api.NotReady || r.Error.Message != "no frame has come" {
				t.Errorf("got %s", text(r))
			}
		}
		if waited := time.Since(began); waited != 20*time.Second {
			t.Errorf("waited %s", waited)
		}
		go func() {
			time.Sleep(15 * time.Second)
			close(o.begun)
		}()
		if r := d.Do(t.Context(), request("mqtt", "prompt", click)); !r.OK {
			t.Errorf("sent again, and the frame came in time: %s", text(r))
		}
	})
}

type snapshots struct {
	picture []byte
	err     error
	asked   *api.Shot
}

func (s snapshots) Snapshot(_ context.Context, _ string, shot api.Shot) ([]byte, error) {
	if s.asked != nil {
		*s.asked = shot
	}
	return s.picture, s.err
}

// noise is a picture that compresses badly.
func noise(w, h int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, m, nil)
	return out.Bytes()
}

func TestSnapshot(t *testing.T) {
	picture := noise(64, 48)
	s := &service{}
	d := New(Options{Service: s, Snapshot: snapshots{picture: picture}})
	for range 2 {
		r := d.Do(t.Context(), request("http", "snapshot", `{"id":"1"}`))
		const form = `{"schema":1,"id":"1","ok":true,"result":{"width":64,"height":48,"bytes":%d,"jpeg":%q}}`
		want := fmt.Sprintf(form, len(picture), base64.StdEncoding.EncodeToString(picture))
		if text(r) != want {
			t.Errorf("got %s", text(r))
		}
	}
	if len(d.memory.entries) != 0 || len(s.commands()) != 0 {
		t.Error("a picture is kept, or the service was asked")
	}
	for code, err := range map[api.Code]error{
		api.NotReady: errors.New("no frame"), api.UnknownCamera: &api.Error{Code: api.UnknownCamera, Message: "gone"},
	} {
		d = New(Options{Service: s, Snapshot: snapshots{err: err}})
		r := d.Do(t.Context(), request("http", "snapshot", `{"id":"1"}`))
		if r.OK || r.Error.Code != code || !strings.Contains(r.Error.Message, err.Error()) {
			t.Errorf("got %s, want %s", text(r), code)
		}
	}
}

func TestSnapshotShowsWhatIsAsked(t *testing.T) {
	var asked api.Shot
	d := New(Options{Service: &service{}, Snapshot: snapshots{picture: noise(64, 48), asked: &asked}})
	for body, want := range map[string]struct {
		painted bool
		width   int
	}{
		`{"id":"1"}`: {true, 0}, `{"id":"2","overlay":true}`: {true, 0}, `{"id":"3","overlay":false,"width":320}`: {false, 320},
	} {
		if r := d.Do(t.Context(), request("http", "snapshot", body)); !r.OK || asked.Painted() != want.painted || asked.Width != want.width {
			t.Errorf("%s: %+v, asked for %+v", body, r.Error, asked)
		}
	}
	if r := d.Do(t.Context(), request("http", "snapshot", `{"id":"4","width":15}`)); r.OK || r.Error.Code != api.BadRequest {
		t.Errorf("15 columns: %s", text(r))
	}
}

func TestFit(t *testing.T) {
	full := Picture(noise(640, 480))
	if same, err := Fit(full, full.Bytes); err != nil || same != full {
		t.Errorf("what fits is left alone: %v", err)
	}
	small, err := Fit(full, 20_000)
	if err != nil || small.Bytes > 20_000 || small.Bytes != len(small.JPEG) || small.Width < 60 || small.Width*480/640-small.Height > 1 {
		t.Fatalf("%v: %dx%d of %d bytes", err, small.Width, small.Height, small.Bytes)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(small.JPEG)); err != nil || c.Width != small.Width || c.Height != small.Height {
		t.Errorf("%v: %dx%d", err, c.Width, c.Height)
	}
	if _, err := Fit(full, 100); err == nil {
		t.Error("a picture of nothing")
	}
	if _, err := Fit(&api.Snapshot{JPEG: []byte("no picture"), Bytes: 10}, 5); err == nil {
		t.Error("what is no picture was reduced")
	}
}

// TestReduceKeepsTheColours: every cell is the mean of what it covers.
func TestReduceKeepsTheColours(t *testing.T) {
	in := image.NewRGBA(image.Rect(0, 0, 4, 2))
	for x := range 4 {
		for y := range 2 {
			in.Set(x, y, color.RGBA{uint8(x * 10), uint8(y * 100), 7, 255})
		}
	}
	out := reduce(in, 2, 1)
	if a, b := out.RGBAAt(0, 0), out.RGBAAt(1, 0); a != (color.RGBA{5, 50, 7, 255}) || b != (color.RGBA{25, 50, 7, 255}) {
		t.Errorf("got %v %v", a, b)
	}
}

// recorder counts what it was asked.
type recorder struct {
	asked []api.Record
	err   error
}

func (r *recorder) Record(_ context.Context, camera string, c api.Record) (api.Clip, error) {
	r.asked = append(r.asked, c)
	return api.Clip{Camera: camera, Name: "x.mp4"}, r.err
}

// A recording is begun once by its id, whoever asks again; a refusal of the moment is forgotten.
func TestRecord(t *testing.T) {
	r := &recorder{}
	d := New(Options{Service: &service{}, Record: r})
	for range 2 {
		if got := text(d.Do(t.Context(), request("http", "record", `{"id":"1","action":"start"}`))); !strings.Contains(got, `"name":"x.mp4"`) {
			t.Error(got)
		}
	}
	if len(r.asked) != 1 || r.asked[0].Action != api.RecordStart {
		t.Errorf("asked %+v", r.asked)
	}
	view := request("http", "record", `{"id":"2","action":"stop"}`)
	view.Caller.Role = api.RolePrompt
	if got := d.Do(t.Context(), view); got.Error == nil || got.Error.Code != api.Forbidden {
		t.Errorf("%+v", got)
	}
	r.err = &api.Error{Code: api.AlreadyRunning, Message: "it is"}
	for range 2 {
		d.Do(t.Context(), request("http", "record", `{"id":"3","action":"start"}`))
	}
	if len(r.asked) != 3 {
		t.Errorf("asked %d times, want a refusal of the moment asked again", len(r.asked))
	}
	if got := New(Options{Service: &service{}}).Do(t.Context(), request("http", "record", `{"action":"stop"}`)); !got.OK {
		t.Errorf("without a recorder the service is asked: %+v", got)
	}
}
