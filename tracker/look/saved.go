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
func (l *Look) Save() Saved {
	c := l.Clone()
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
func (s Saved) Look(k *Tuning) (l Look, ok bool) {
	if len(s.Models) > maxModels {
		return Look{}, false
	}
	for i := range s.Models {
		m := modelLook{model: s.Models[i].Model}
		for n := range m.scales {
			if m.scales[n], ok = s.Models[i].Scales[n].likeness(); !ok {
				return Look{}, false
			}
		}
		l.models = append(l.models, m)
	}
	l.Colours, ok = s.colours(k)
	return l, ok
}

func (s *SavedLikeness) likeness() (Likeness, bool) {
	n := len(s.Weights)
	for side := range 2 {
		if s.Frames > 0 && (n == 0 || len(s.First[side]) != n || len(s.Late[side]) != n) {
			return Likeness{}, false
		}
	}
	return Likeness{first: s.First, late: s.Late, weights: s.Weights, frames: s.Frames, Usual: s.Usual, bias: s.Bias, gain: s.Gain}, true
}

func (s *Saved) colours(k *Tuning) (c Colours, ok bool) {
	for _, counts := range s.Colours {
		if len(counts) != len(s.Colours[0]) || len(counts) != 0 && len(counts) != colourBins {
			return Colours{}, false
		}
	}
	if len(s.Colours[0]) == 0 {
		return Colours{}, true
	}
	c.first, c.bins = [2][]float32{s.Colours[0], s.Colours[1]}, [2][]float32{s.Colours[2], s.Colours[3]}
	c.odds, c.ready = make([]int8, colourBins), true
	c.weigh(k.ColourPseudo)
	return c, true
}
