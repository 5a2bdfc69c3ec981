package eval

import (
	"context"
	"slices"
	"time"

	"github.com/segedge/segedge/seg"
)

// score compares what was followed with the truth, and shows it.
func (r *run) score(ctx context.Context) error {
	r.region, r.edges = make([][]float64, len(r.ids)), make([][]float64, len(r.ids))
	last := len(r.video.Frames) - 1
	for i := range r.video.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		labels, err := r.video.Truth(i)
		if err != nil {
			return err
		}
		var truth []*seg.Mask
		if labels != nil {
			for k, id := range r.ids {
				truth = append(truth, labels.Mask(id))
				if i == 0 || i == last {
					continue
				}
				got := onGrid(r.got[k][i], truth[k])
				r.region[k] = append(r.region[k], Region(got, truth[k]))
				r.edges[k] = append(r.edges[k], Boundary(got, truth[k]))
			}
		}
		if err := r.draw(i, truth); err != nil {
			return err
		}
	}
	return nil
}

// draw shows a scored frame to whoever draws it.
func (r *run) draw(i int, truth []*seg.Mask) error {
	if r.o.Frame == nil {
		return nil
	}
	pic, err := r.picture(i)
	if err != nil {
		return err
	}
	defer pic.Release()
	res := FrameResult{Sequence: r.video.Name, Index: i, Frame: pic, Truth: truth}
	for k := range r.ids {
		res.Got = append(res.Got, r.got[k][i])
		res.Dropped = res.Dropped || !r.fresh[k][i]
	}
	return r.o.Frame(res)
}

// onGrid is a mask on the truth's grid; nothing found is an empty one.
func onGrid(m, truth *seg.Mask) *seg.Mask {
	if m == nil {
		return &seg.Mask{W: truth.W, H: truth.H}
	}
	return m.Resize(truth.W, truth.H)
}

// Score is J, F and their mean, 0..1.
type Score struct {
	J  float64 `json:"J"`
	F  float64 `json:"F"`
	JF float64 `json:"JF"`
}

// Millis are durations in milliseconds.
type Millis struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Sequence is how a method did on one sequence, in the mean over its objects.
type Sequence struct {
	Score
	Region   Statistics `json:"region"`
	Boundary Statistics `json:"boundary"`
	Objects  int        `json:"objects"`
	Frames   int        `json:"frames"`
	Millis   Millis     `json:"frame_ms"` // that one frame and object kept the caller
	Dropped  int        `json:"dropped"`  // frames that came while the follower worked, over all objects
	// ByFrame is J of each scored frame, from the second on, in the mean over objects: where a method loses its object.
	ByFrame []float64 `json:"by_frame,omitempty"`
}

// VideoResult is how a method did on all sequences.
type VideoResult struct {
	Method    string              `json:"method"`
	Model     string              `json:"model,omitempty"` // name of the model behind the method
	Input     int                 `json:"input,omitempty"` // longest side that the model saw, pixels
	Prompt    PromptKind          `json:"prompt"`
	FPS       float64             `json:"fps"` // at which the pictures were taken
	Realtime  float64             `json:"realtime_fps,omitempty"`
	Delay     int                 `json:"delay_frames,omitempty"`
	Mean      Score               `json:"mean"`
	Millis    Millis              `json:"frame_ms"`
	Dropped   int                 `json:"dropped"`
	Sequences map[string]Sequence `json:"sequences"`

	took    []time.Duration
	objects int
}

// add takes the scores of a sequence into the result. Means are over objects, as DAVIS has it.
func (v *VideoResult) add(name string, r *run) {
	s := Sequence{Objects: len(r.ids), Frames: len(r.video.Frames), Millis: millis(r.took), Dropped: r.dropped}
	n := float64(len(r.ids))
	for k := range r.ids {
		j, f := statistics(r.region[k]), statistics(r.edges[k])
		s.Region.add(j, 1/n)
		s.Boundary.add(f, 1/n)
		v.Mean.J += j.Mean
		v.Mean.F += f.Mean
		for i, x := range r.region[k] {
			if k == 0 {
				s.ByFrame = append(s.ByFrame, 0)
			}
			s.ByFrame[i] += x / n
		}
	}
	s.Score = Score{J: s.Region.Mean, F: s.Boundary.Mean, JF: (s.Region.Mean + s.Boundary.Mean) / 2}
	v.Sequences[name] = s
	v.Input = max(v.Input, r.input)
	v.objects += len(r.ids)
	v.Dropped += r.dropped
	v.took = append(v.took, r.took...)
}

func (s *Statistics) add(o Statistics, weight float64) {
	s.Mean += o.Mean * weight
	s.Recall += o.Recall * weight
	s.Decay += o.Decay * weight
}

func (v *VideoResult) finish() {
	v.Mean.J /= float64(v.objects)
	v.Mean.F /= float64(v.objects)
	v.Mean.JF = (v.Mean.J + v.Mean.F) / 2
	v.Millis = millis(v.took)
}

// millis are the median and the 95th percentile by nearest rank.
func millis(took []time.Duration) Millis {
	if len(took) == 0 {
		return Millis{}
	}
	s := slices.Sorted(slices.Values(took))
	at := func(q float64) float64 {
		return float64(s[min(len(s)-1, int(q*float64(len(s))))]) / float64(time.Millisecond)
	}
	return Millis{P50: at(0.50), P95: at(0.95)}
}
