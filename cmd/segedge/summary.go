package main

import (
	"encoding/json"
	"io"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// summary is what a run did, in stable keys, of its first camera.
type summary struct {
	Frames           summaryFrames          `json:"frames"`
	FPS              float64                `json:"fps"`
	Stages           map[string]api.Latency `json:"stages"`
	CaptureToEncoded api.Latency            `json:"capture_to_encoded"`
	Keyframes        uint64                 `json:"keyframes"`
	Events           uint64                 `json:"events"`
	Objects          []summaryObject        `json:"objects"`
}

type summaryFrames struct {
	Captured  uint64 `json:"captured"`
	Processed uint64 `json:"processed"`
	Dropped   uint64 `json:"dropped"`
}

type summaryObject struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	State seg.State  `json:"state"`
	Box   [4]float64 `json:"box"`
	Area  float64    `json:"area"`
	Score float64    `json:"score"`
}

// summarise writes the summary, if one is wanted.
func (b *builder) summarise(file string) error {
	if file == "" {
		return nil
	}
	name := b.agent.Cameras()[0]
	s, _ := b.agent.State(name)
	out := summary{
		Frames: summaryFrames{s.Captured, s.Processed, s.Dropped}, FPS: s.FPS, Stages: s.Stages,
		CaptureToEncoded: s.Stages[stageToEncoded], Keyframes: s.Keyframes, Events: b.relay.n.Load(), Objects: []summaryObject{},
	}
	delete(out.Stages, stageToEncoded)
	list, _ := b.agent.Objects(name)
	for i := range list.Objects {
		out.Objects = append(out.Objects, summariseObject(name, &list.Objects[i]))
	}
	return writeFile(file, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	})
}

func summariseObject(camera string, o *seg.Object) summaryObject {
	out := summaryObject{ID: seg.ObjectID(camera, o.ID), Name: o.Name, State: o.State, Score: seg.Round4(o.PredictedIoU)}
	if o.Mask != nil {
		b := o.Mask.Box()
		out.Box = [4]float64{seg.Round4(b.X0), seg.Round4(b.Y0), seg.Round4(b.X1), seg.Round4(b.Y1)}
		out.Area = o.Mask.Area()
	}
	return out
}
