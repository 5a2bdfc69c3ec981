package review

import (
	"fmt"
	"net/http"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/seg"
)

// judgement is what a person said of one object.
type judgement struct {
	ID     int64       `json:"id"` // 0 for one that they added
	Accept bool        `json:"accept"`
	Name   *string     `json:"name"`   // none leaves it
	Mask   *seg.RLE    `json:"mask"`   // none leaves it
	Points []seg.Click `json:"points"` // that made the mask
}

// save writes a person's judgements down. Objects of which they say nothing stay as they are.
func (p *Page) save(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Objects []judgement `json:"objects"`
	}
	if err := read(w, r, &q); err != nil {
		p.fail(w, err)
		return
	}
	name := r.PathValue("name")
	p.store.Lock()
	defer p.store.Unlock()
	doc, err := p.o.Store.Read(name)
	if err == nil {
		err = apply(doc, q.Objects)
	}
	if err == nil {
		err = p.o.Store.Update(name, doc)
	}
	if err != nil {
		p.fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]int{"right": len(doc.Annotations), "proposed": len(doc.Proposed), "rejected": len(doc.Rejected)})
}

// apply moves every object to where its judgement puts it.
func apply(doc *dataset.SA1B, judgements []judgement) error {
	next := int64(1)
	for _, list := range [][]dataset.SA1BAnnotation{doc.Annotations, doc.Proposed, doc.Rejected} {
		for i := range list {
			next = max(next, list[i].ID+1)
		}
	}
	for i := range judgements {
		j := &judgements[i]
		var a dataset.SA1BAnnotation
		if j.ID == 0 {
			a.ID, a.Verdict, next = next, collect.Drawn, next+1
		} else if !take(doc, j.ID, &a) {
			return &badRequest{fmt.Sprintf("the picture has no object %d", j.ID)}
		}
		if err := j.change(&a, doc); err != nil {
			return err
		}
		if j.Accept {
			doc.Annotations = append(doc.Annotations, a)
		} else if j.ID != 0 { // what a person added and gave up was never there
			a.Verdict = collect.Rejected
			doc.Rejected = append(doc.Rejected, a)
		}
	}
	return nil
}

// take removes an object from whichever list it is in.
func take(doc *dataset.SA1B, id int64, into *dataset.SA1BAnnotation) bool {
	for _, list := range []*[]dataset.SA1BAnnotation{&doc.Annotations, &doc.Proposed, &doc.Rejected} {
		for i := range *list {
			if (*list)[i].ID == id {
				*into = (*list)[i]
				*list = append((*list)[:i:i], (*list)[i+1:]...)
				return true
			}
		}
	}
	return false
}

// change gives an object its new mask, name and verdict.
func (j *judgement) change(a *dataset.SA1BAnnotation, doc *dataset.SA1B) error {
	if j.Name != nil {
		if len(*j.Name) > 128 {
			return &badRequest{"a name has at most 128 bytes"}
		}
		a.Name = *j.Name
	}
	if j.Mask == nil {
		if j.ID == 0 {
			return &badRequest{"a new object needs a mask"}
		}
		if a.Verdict == collect.Proposed || a.Verdict == collect.Rejected {
			a.Verdict = collect.Confirmed
		}
		return nil
	}
	m, err := j.Mask.Mask()
	if err != nil {
		return &badRequest{"mask: " + err.Error()}
	}
	w, h := doc.Image.Width, doc.Image.Height
	if m.W != w || m.H != h || m.Rect.Empty() {
		return &badRequest{fmt.Sprintf("object %d: a mask of %dx%d with a pixel in it is expected", j.ID, w, h)}
	}
	if j.ID != 0 {
		a.Verdict = collect.Refined
	}
	fresh := dataset.NewSA1BAnnotation(a.ID, m)
	fresh.Name, fresh.Verdict, fresh.Track = a.Name, a.Verdict, a.Track
	for _, c := range j.Points {
		fresh.Points = append(fresh.Points, [2]float64{seg.Round4(c.X * float64(w)), seg.Round4(c.Y * float64(h))})
		fresh.Labels = append(fresh.Labels, c.Label)
	}
	*a = fresh
	return nil
}
