package look

// Saved is a Look as plain data, to be kept while the process is not there.
type Saved struct {
	Models  []SavedModel
	Colours [4][]float32 // counts outside and inside of the first mask, and of the newer ones; empty: nothing is known
}

// SavedModel is what an object looks like to one model, in whole frames and in crops of them.
type SavedModel struct {
	Model  string
	Scales [2]SavedLikeness
}

// SavedLikeness is a Likeness.
type SavedLikeness struct {
	First, Late       [2][]float64 // mean features outside and inside
	Weights           []float64
	Frames            int
	Usual, Bias, Gain float64
}

// Save copies a look.
func (a *Look) Save() Saved {
	c := a.Clone()
	var s Saved
	for _, m := range c.models {
		s.Models = append(s.Models, SavedModel{m.model, [2]SavedLikeness{m.scales[0].save(), m.scales[1].save()}})
	}
	if c.Colours.ready {
		s.Colours = [4][]float32{c.Colours.first[0], c.Colours.first[1], c.Colours.bins[0], c.Colours.bins[1]}
	}
	return s
}

func (l *Likeness) save() SavedLikeness {
	return SavedLikeness{First: l.first, Late: l.late, Weights: l.weights, Frames: l.frames, Usual: l.Usual, Bias: l.bias, Gain: l.gain}
}

// Look is the look that was saved; not ok where what it has does not fit together.
func (x Saved) Look(k *Tuning) (l Look, ok bool) {
	if len(x.Models) > maxModels {
		return Look{}, false
	}
	for i := range x.Models {
		m := modelLook{model: x.Models[i].Model}
		for n := range m.scales {
			if m.scales[n], ok = x.Models[i].Scales[n].likeness(); !ok {
				return Look{}, false
			}
		}
		l.models = append(l.models, m)
	}
	l.Colours, ok = x.colours(k)
	return l, ok
}

func (y *SavedLikeness) likeness() (Likeness, bool) {
	n := len(y.Weights)
	for side := range 2 {
		if y.Frames > 0 && (n == 0 || len(y.First[side]) != n || len(y.Late[side]) != n) {
			return Likeness{}, false
		}
	}
	return Likeness{first: y.First, late: y.Late, weights: y.Weights, frames: y.Frames, Usual: y.Usual, bias: y.Bias, gain: y.Gain}, true
}

func (x *Saved) colours(k *Tuning) (c Colours, ok bool) {
	for _, counts := range x.Colours {
		if len(counts) != len(x.Colours[0]) || len(counts) != 0 && len(counts) != colourBins {
			return Colours{}, false
		}
	}
	if len(x.Colours[0]) == 0 {
		return Colours{}, true
	}
	c.first, c.bins = [2][]float32{x.Colours[0], x.Colours[1]}, [2][]float32{x.Colours[2], x.Colours[3]}
	c.odds, c.usual, c.ready = make([]int8, colourBins), make([]int8, colourBins), true
	c.weigh(k)
	return c, true
}
