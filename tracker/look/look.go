// Package look knows what objects look like: to the encoder of a model, whose features it keeps and tells apart (Fisher's linear
// discriminant), and by their colours. A Look is a value that can be cloned, so that a person can take back what was learnt by mistake. It
// finds likely places in a keyframe, but decides nothing: whether what was found is the object, package tracker says.
package look

import (
	"slices"

	"github.com/segedge/segedge/seg"
)

// Look is what was learnt of how one object looks. The zero Look knows nothing.
type Look struct {
	Colours Colours
	models  []modelLook
}

// modelLook is what an object looks like to one model, by scale: another model's features are other numbers, and a thing that fills the
// encoder's picture, in a crop, looks unlike itself far away.
type modelLook struct {
	model  string
	scales [2]Likeness
}

// maxModels bounds the models whose looks, of an object, and spreads, of the scene, are kept.
const maxModels = 4

// In is what the object looks like to a view's model at its scale; nothing yet where that has other features than were learnt.
func (a *Look) In(v *View) *Likeness {
	i := slices.IndexFunc(a.models, func(m modelLook) bool { return m.model == v.model })
	if i < 0 {
		if len(a.models) == maxModels {
			a.models = slices.Delete(a.models, 0, 1)
		}
		i = len(a.models)
		a.models = append(a.models, modelLook{model: v.model})
	}
	s := &a.models[i].scales[v.scale()]
	if s.Known() && len(s.weights) != v.channels() {
		*s = Likeness{}
	}
	return s
}

// Clone is an independent copy.
func (a *Look) Clone() Look {
	c := Look{Colours: a.Colours.clone(), models: slices.Clone(a.models)}
	for i := range c.models {
		for k := range c.models[i].scales {
			c.models[i].scales[k] = c.models[i].scales[k].clone()
		}
	}
	return c
}

// Forget drops what was learnt of an object that turned out to be another thing.
func (a *Look) Forget() { a.Colours.ready, a.models = false, nil }

// Memory holds what the encoder saw lately and how that varies. Its spaces for reading are shared by all objects. One goroutine owns it.
type Memory struct {
	tuning  *Tuning
	model   string  // whose features come now
	views   []*View // of the newest keyframes
	spreads []modelSpread
	scores  []seg.Logits // of one reading, by map
	cells   []int32      // inside of one mask
}

// modelSpread is the spread of one model's features, by scale.
type modelSpread struct {
	model  string
	scales [2]spread
}

// maxViews bounds the keyframes whose features are kept.
const maxViews = 4

// NewMemory makes an empty memory. The tuning is read from then on, not copied.
func NewMemory(k *Tuning) Memory { return Memory{tuning: k} }

// UseModel says whose features come from now on. What objects look like is kept by model, so that a change back finds it again.
func (m *Memory) UseModel(identity string) {
	if identity != m.model {
		m.model, m.views = identity, nil
	}
}

// See takes the features of keyframe seq, which it copies, and returns them; nil where there are none.
func (m *Memory) See(seq uint64, fs []seg.Features) *View {
	if len(fs) == 0 || !slices.ContainsFunc(fs, func(f seg.Features) bool { return f.Valid() }) {
		return nil
	}
	v := &View{}
	if len(m.views) == maxViews {
		v = m.views[0]
		m.views = m.views[:copy(m.views, m.views[1:])]
	}
	v.fill(seq, m.model, fs, cropExtent)
	m.views = append(m.views, v)
	m.spreadOf(v).see(v, m.tuning)
	return v
}

// At is what the encoder saw in frame seq, nil where that is not known.
func (m *Memory) At(seq uint64) *View {
	for _, v := range m.views {
		if v.seq == seq {
			return v
		}
	}
	return nil
}

// spreadOf is how the features of a view's model vary at its scale.
func (m *Memory) spreadOf(v *View) *spread {
	i := slices.IndexFunc(m.spreads, func(s modelSpread) bool { return s.model == v.model })
	if i < 0 {
		if len(m.spreads) == maxModels {
			m.spreads = slices.Delete(m.spreads, 0, 1)
		}
		i = len(m.spreads)
		m.spreads = append(m.spreads, modelSpread{model: v.model})
	}
	return &m.spreads[i].scales[v.scale()]
}
