// Package review is the page on which a person judges what is kept to learn from: pictures one after another, with the masks that a model
// proposes filled in; accepted, fixed with clicks, added or rejected by keyboard. It serves HTTP below whatever path it is mounted at, asks
// the model for what is clicked, and writes to the folder. Who may come in is decided by who mounts it.
package review

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"sync"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Options of a page.
type Options struct {
	Store  *collect.Store             // the page's own
	Model  func() inference.Segmenter // the present one; called for each click
	Logger *slog.Logger               // nil discards
}

// Page is the handler. Close frees what the model saw last.
type Page struct {
	o   Options
	mux *http.ServeMux

	store sync.Mutex // guards o.Store
	look  look
}

//go:embed page
var files embed.FS

// New makes the page; it starts nothing.
func New(o Options) (*Page, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	static, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	p := &Page{o: o, mux: http.NewServeMux()}
	p.mux.Handle("GET /", noCache(http.FileServerFS(static)))
	p.mux.HandleFunc("GET /api/items", p.items)
	p.mux.HandleFunc("GET /api/items/{name}", p.item)
	p.mux.HandleFunc("GET /api/items/{name}/picture.jpg", p.picture)
	p.mux.HandleFunc("POST /api/items/{name}/click", p.click)
	p.mux.HandleFunc("POST /api/items/{name}", p.save)
	return p, nil
}

// Close frees what is held for the next click.
func (p *Page) Close() error { return p.look.Close() }

// ServeHTTP answers a request of a caller who may confirm and reject.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !api.CallerOf(r.Context()).May("confirm") {
		answer(w, http.StatusForbidden, problem{"your role may only look at the live picture: use a token of a role that may confirm"})
		return
	}
	p.mux.ServeHTTP(w, r)
}

func noCache(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

type problem struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked is gone where this fails
}

// fail answers an error in one sentence.
func (p *Page) fail(w http.ResponseWriter, err error) {
	var bad *badRequest
	switch {
	case errors.Is(err, collect.ErrName):
		answer(w, http.StatusNotFound, problem{"this picture is gone: it was erased, or made room for newer ones"})
	case errors.As(err, &bad):
		answer(w, http.StatusBadRequest, problem{err.Error()})
	default:
		p.o.Logger.Error("review failed", "err", err)
		answer(w, http.StatusInternalServerError, problem{err.Error()})
	}
}

type badRequest struct{ reason string }

func (b *badRequest) Error() string { return b.reason }

// maxBody bounds a request: a few hundred masks of a large picture have room.
const maxBody = 4 << 20

// read decodes a request's JSON strictly.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &badRequest{"send it as Content-Type: application/json"} // also what another site's form cannot do
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &badRequest{"the request is no such JSON: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &badRequest{"the request goes on after its end"}
	}
	return nil
}

// itemList is what waits for a person.
type itemList struct {
	Items []string `json:"items"` // with proposals that nobody has judged, oldest first
	Total int      `json:"total"` // of all pictures
}

// items lists what is to be judged; with ?all everything.
func (p *Page) items(w http.ResponseWriter, r *http.Request) {
	p.store.Lock()
	defer p.store.Unlock()
	all, err := p.o.Store.List()
	if err != nil {
		p.fail(w, err)
		return
	}
	out := itemList{Items: []string{}, Total: len(all)}
	for _, e := range all {
		doc, err := p.o.Store.Read(e.Name)
		if err == nil && (len(doc.Proposed) > 0 || r.URL.Query().Has("all")) {
			out.Items = append(out.Items, e.Name)
		}
	}
	answer(w, http.StatusOK, out)
}

func (p *Page) document(name string) (*dataset.SA1B, error) {
	p.store.Lock()
	defer p.store.Unlock()
	return p.o.Store.Read(name)
}

// shownObject is an object as the page draws it.
type shownObject struct {
	ID      int64         `json:"id"`
	Name    string        `json:"name"`
	Verdict string        `json:"verdict"`
	IoU     float64       `json:"iou"`
	Rings   [][]seg.Point `json:"rings"` // outlines within 0..1, filled by the even-odd rule
}

func (p *Page) item(w http.ResponseWriter, r *http.Request) {
	doc, err := p.document(r.PathValue("name"))
	if err != nil {
		p.fail(w, err)
		return
	}
	out := struct {
		Width   int           `json:"width"`
		Height  int           `json:"height"`
		Camera  string        `json:"camera"`
		Stage   string        `json:"stage"`
		Objects []shownObject `json:"objects"`
	}{doc.Image.Width, doc.Image.Height, doc.Image.Camera, doc.Image.Stage, []shownObject{}}
	for _, list := range [][]dataset.SA1BAnnotation{doc.Annotations, doc.Proposed, doc.Rejected} {
		for i := range list {
			a := &list[i]
			m, err := a.Segmentation.Mask()
			if err != nil {
				p.fail(w, err)
				return
			}
			out.Objects = append(out.Objects, shownObject{a.ID, a.Name, a.Verdict, a.PredictedIoU, m.Polygons(0)})
		}
	}
	answer(w, http.StatusOK, out)
}

func (p *Page) picture(w http.ResponseWriter, r *http.Request) {
	p.store.Lock()
	data, err := p.o.Store.JPEG(r.PathValue("name"))
	p.store.Unlock()
	if err != nil {
		p.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // #nosec G705 -- a JPEG, said to be one, and not sniffed; whoever asked is gone where this fails
}

// clickRequest is where a person clicked, on nothing yet or on a mask that is to be corrected.
type clickRequest struct {
	Points []seg.Click `json:"points"`
	Mask   *seg.RLE    `json:"mask"` // as it was before the clicks; or
	Object int64       `json:"object"`
}

func (p *Page) click(w http.ResponseWriter, r *http.Request) {
	var q clickRequest
	if err := read(w, r, &q); err != nil {
		p.fail(w, err)
		return
	}
	m, iou, err := p.ask(r.Context(), r.PathValue("name"), &q)
	if err != nil {
		p.fail(w, err)
		return
	}
	rle := m.RLE()
	answer(w, http.StatusOK, struct {
		Mask  seg.RLE       `json:"mask"`
		IoU   float64       `json:"iou"`
		Rings [][]seg.Point `json:"rings"`
	}{rle, seg.Round4(iou), m.Polygons(0)})
}

// ask is the model's mask for the clicks.
func (p *Page) ask(ctx context.Context, name string, q *clickRequest) (*seg.Mask, float64, error) {
	doc, err := p.document(name)
	if err != nil {
		return nil, 0, err
	}
	model := p.o.Model()
	prompt := seg.Prompt{Clicks: q.Points, Single: true}
	if before := q.before(doc); before != nil && model.Info().Kinds.Mask {
		m, err := before.Mask()
		if err != nil {
			return nil, 0, &badRequest{"mask: " + err.Error()}
		}
		prompt.Mask = seg.LogitsOf(m, min(m.W, 256), min(m.H, 256), seg.Point{X: 1, Y: 1}, 8)
	}
	if err := prompt.Validate(); err != nil {
		return nil, 0, &badRequest{err.Error()}
	}
	p.store.Lock()
	data, err := p.o.Store.JPEG(name)
	p.store.Unlock()
	if err != nil {
		return nil, 0, err
	}
	best, err := p.look.decode(ctx, model, name, data, prompt)
	if err != nil {
		return nil, 0, err
	}
	return best.Logits.Cut(doc.Image.Width, doc.Image.Height, seg.Threshold), best.PredictedIoU, nil
}

// before is the mask that the clicks correct; nil for a new object.
func (q *clickRequest) before(doc *dataset.SA1B) *seg.RLE {
	if q.Mask != nil || q.Object == 0 {
		return q.Mask
	}
	for _, list := range [][]dataset.SA1BAnnotation{doc.Annotations, doc.Proposed, doc.Rejected} {
		for i := range list {
			if list[i].ID == q.Object {
				return &list[i].Segmentation
			}
		}
	}
	return nil
}
