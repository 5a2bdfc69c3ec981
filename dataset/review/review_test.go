package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// nobody is a finder that finds nothing.
type nobody struct{}

func (nobody) Find(*frame.Frame) ([]image.Rectangle, error) { return nil, nil }

// desk is a page on a folder of pictures: each a red and a blue square on green, the red one proposed, with a corner missing.
type desk struct {
	*Page
	t     *testing.T
	store *collect.Store
	names []string
}

var (
	red  = image.Rect(20, 40, 60, 80)
	blue = image.Rect(100, 40, 140, 80)
)

func newDesk(t *testing.T, pictures int) *desk {
	t.Helper()
	store, err := collect.Open(t.TempDir(), collect.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, store: store}
	for i := range pictures {
		f := frame.New(160, 120)
		f.Captured = time.Date(2026, 3, 5, 12, 0, i, 0, time.UTC)
		for k := 0; k < len(f.Pix); k += 3 {
			at := image.Pt(k/3%160, k/3/160)
			f.Pix[k], f.Pix[k+1], f.Pix[k+2] = 60, 120, 60
			if at.In(red) {
				f.Pix[k+1], f.Pix[k+2] = 40, 220
			} else if at.In(blue) {
				f.Pix[k], f.Pix[k+1] = 220, 40
			}
		}
		m := block(red).Minus(block(image.Rect(40, 40, 60, 60)))
		s := collect.Sample{Camera: "cam", Frame: f, Stage: collect.Semi, Masks: []collect.Mask{{Mask: m, Verdict: collect.Proposed, Name: "cup", Track: "cam-1"}}}
		name, err := collect.Keep(store, &s, []collect.Finder{nobody{}})
		if err != nil {
			t.Fatal(err)
		}
		d.names = append(d.names, name)
	}
	model := inferencetest.New(inferencetest.Options{})
	if d.Page, err = New(Options{Store: store, Model: func() inference.Segmenter { return model }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil || model.Live() != 0 {
			t.Errorf("%v; %d embeddings were never closed", err, model.Live())
		}
	})
	return d
}

func block(r image.Rectangle) *seg.Mask {
	m := seg.NewMask(160, 120, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

// ask sends a request and decodes the answer.
func (d *desk) ask(method, path, body string, into any) int {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			d.t.Fatalf("%s %s: %d %q: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w.Code
}

func (d *desk) doc(name string) *dataset.SA1B {
	d.t.Helper()
	doc, err := d.store.Read(name)
	if err != nil {
		d.t.Fatal(err)
	}
	return doc
}

type clicked struct {
	Mask seg.RLE `json:"mask"`
}

func TestPictureIsJudged(t *testing.T) {
	d := newDesk(t, 3)
	var list itemList
	if code := d.ask("GET", "/api/items", "", &list); code != 200 || !slices.Equal(list.Items, d.names) || list.Total != 3 {
		t.Fatalf("%d %+v", code, list)
	}
	first := "/api/items/" + d.names[0]
	var item struct{ Objects []shownObject }
	d.ask("GET", first, "", &item)
	if len(item.Objects) != 1 || item.Objects[0].Verdict != collect.Proposed || len(item.Objects[0].Rings) != 1 {
		t.Fatalf("%+v", item)
	}
	var fixed, added clicked
	if code := d.ask("POST", first+"/click", `{"object":1,"points":[{"x":0.3,"y":0.4,"label":1}]}`, &fixed); code != 200 {
		t.Fatal(code)
	}
	if m, err := fixed.Mask.Mask(); err != nil || m.IoU(block(red)) < 0.9 {
		t.Errorf("the fix is not the square: %v", err)
	}
	d.ask("POST", first+"/click", `{"points":[{"x":0.75,"y":0.5,"label":1}]}`, &added)
	mask := func(r seg.RLE) string { s, _ := json.Marshal(r); return string(s) }
	body := fmt.Sprintf(`{"objects":[{"id":1,"accept":true,"mask":%s,"points":[{"x":0.3,"y":0.4,"label":1}]},{"accept":true,"name":"box","mask":%s}]}`,
		mask(fixed.Mask), mask(added.Mask))
	if code := d.ask("POST", first, body, nil); code != 200 {
		t.Fatal(code)
	}
	doc := d.doc(d.names[0])
	if len(doc.Annotations) != 2 || len(doc.Proposed) != 0 {
		t.Fatalf("%+v", doc)
	}
	a, b := doc.Annotations[0], doc.Annotations[1]
	if a.ID != 1 || a.Verdict != collect.Refined || a.Name != "cup" || a.Track != "cam-1" || a.Points[0] != [2]float64{48, 48} {
		t.Errorf("%+v", a)
	}
	if b.ID != 2 || b.Verdict != collect.Drawn || b.Name != "box" || b.Area < 1500 {
		t.Errorf("%+v", b)
	}
	d.ask("POST", "/api/items/"+d.names[1], `{"objects":[{"id":1,"accept":true}]}`, nil)
	d.ask("POST", "/api/items/"+d.names[2], `{"objects":[{"id":1,"accept":false}]}`, nil)
	if doc := d.doc(d.names[1]); len(doc.Annotations) != 1 || doc.Annotations[0].Verdict != collect.Confirmed {
		t.Errorf("accepted: %+v", doc)
	}
	if doc := d.doc(d.names[2]); len(doc.Annotations) != 0 || len(doc.Rejected) != 1 || doc.Rejected[0].Verdict != collect.Rejected {
		t.Errorf("rejected: %+v", doc)
	}
	d.ask("GET", "/api/items", "", &list)
	if len(list.Items) != 0 {
		t.Errorf("%q still wait", list.Items)
	}
	d.ask("GET", "/api/items?all", "", &list)
	if len(list.Items) != 3 {
		t.Errorf("%q are all", list.Items)
	}
	d.ask("POST", "/api/items/"+d.names[2], `{"objects":[{"id":1,"accept":true}]}`, nil)
	if doc := d.doc(d.names[2]); len(doc.Annotations) != 1 || len(doc.Rejected) != 0 {
		t.Errorf("judged again: %+v", doc)
	}
}

func TestBadRequestsChangeNothing(t *testing.T) {
	d := newDesk(t, 1)
	path := "/api/items/" + d.names[0]
	before := d.doc(d.names[0])
	small, _ := json.Marshal(seg.NewMask(8, 8, image.Rect(0, 0, 2, 2)).RLE())
	for _, c := range []struct {
		path, body string
		code       int
	}{
		{"/api/items/nothing", `{"objects":[]}`, 404},
		{"/api/items/..%2f..%2fetc", `{"objects":[]}`, 404},
		{path, `{`, 400},
		{path, `{"objects":[],"more":1}`, 400},
		{path, `{"objects":[]} {}`, 400},
		{path, `{"objects":[{"id":7,"accept":true}]}`, 400},
		{path, `{"objects":[{"accept":true}]}`, 400},
		{path, `{"objects":[{"id":1,"accept":true,"mask":` + string(small) + `}]}`, 400},
		{path, `{"objects":[{"id":1,"accept":true,"mask":{"size":[120,160],"counts":"xx"}}]}`, 400},
		{path, `{"objects":[{"id":1,"name":"` + strings.Repeat("n", 200) + `"}]}`, 400},
		{path + "/click", `{"points":[]}`, 400},
		{path + "/click", `{"points":[{"x":2,"y":0.5,"label":1}]}`, 400},
		{path + "/click", `{"points":[{"x":0.5,"y":0.5,"label":0}]}`, 400},
	} {
		var said problem
		if code := d.ask("POST", c.path, c.body, &said); code != c.code || said.Error == "" {
			t.Errorf("%s %.60s: %d %q, want %d", c.path, c.body, code, said.Error, c.code)
		}
	}
	if after := d.doc(d.names[0]); len(after.Proposed) != 1 || len(after.Annotations) != len(before.Annotations) {
		t.Errorf("changed: %+v", after)
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(`{"objects":[{"id":1,"accept":true}]}`))
	r.Header.Set("Content-Type", "text/plain") // as another site's form sends it
	w := httptest.NewRecorder()
	if d.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("a form of another site: %d", w.Code)
	}
}

func TestWhoMayOnlyLookMayNotJudge(t *testing.T) {
	d := newDesk(t, 1)
	for role, want := range map[api.Role]int{api.RoleView: 403, api.RolePrompt: 200, api.RoleAdmin: 200} {
		for _, path := range []string{"/", "/review.js", "/api/items", "/api/items/" + d.names[0] + "/picture.jpg"} {
			r := httptest.NewRequest("GET", path, nil)
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r.WithContext(api.WithCaller(r.Context(), api.Caller{Role: role})))
			if w.Code != want {
				t.Errorf("%s of %s: %d, want %d", path, role, w.Code, want)
			}
		}
	}
}

func TestPictureIsServed(t *testing.T) {
	d := newDesk(t, 1)
	server := httptest.NewServer(d)
	defer server.Close()
	r, err := http.Get(server.URL + "/api/items/" + d.names[0] + "/picture.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	want, _ := d.store.JPEG(d.names[0])
	if err != nil || !bytes.Equal(data, want) || r.Header.Get("Content-Type") != "image/jpeg" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v, %d bytes, %v", err, len(data), r.Header)
	}
}
