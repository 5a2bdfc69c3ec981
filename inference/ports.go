package inference

import (
	"fmt"
	"strings"
)

// decoderPorts are the decoder's inputs and outputs by what they mean.
type decoderPorts struct {
	points, labels, mask, has, size *Port
	logits, scores                  int  // places among the outputs
	stacks                          bool // takes an embedding for each prompt, not only one for all
}

// find looks the family's names up in the graph.
func (d *decoderPorts) find(g Graph, f *Family) error {
	inputs, outputs := g.Inputs(), g.Outputs()
	for _, want := range []struct {
		name string
		port **Port
	}{{f.Ask.Points, &d.points}, {f.Ask.Labels, &d.labels}, {f.Ask.Mask, &d.mask}, {f.Ask.Has, &d.has}, {f.Ask.Size, &d.size}} {
		if want.name == "" {
			continue
		}
		i := index(inputs, want.name)
		if i < 0 {
			return fmt.Errorf("the decoder has no input %q: it has %s", want.name, describe(inputs))
		}
		*want.port = &inputs[i]
	}
	d.stacks = len(f.Image.Strides) > 0
	for name := range f.Image.Strides {
		i := index(inputs, name)
		d.stacks = d.stacks && i >= 0 && len(inputs[i].Shape) == 4 && inputs[i].Shape[0] < 0
	}
	d.logits, d.scores = index(outputs, f.Reply.Logits), index(outputs, f.Reply.Scores)
	if d.logits < 0 || d.scores < 0 {
		return fmt.Errorf("the decoder has no outputs %q and %q: it has %s", f.Reply.Logits, f.Reply.Scores, describe(outputs))
	}
	return nil
}

func index(ports []Port, name string) int {
	for i := range ports {
		if ports[i].Name == name {
			return i
		}
	}
	return -1
}

// describe lists ports for people: "image float32 [1 3 ? ?], …".
func describe(ports []Port) string {
	var s []string
	for _, p := range ports {
		s = append(s, p.String())
	}
	return strings.Join(s, ", ")
}

// String is the port for people: "image float32 [1 3 ? ?]".
func (p Port) String() string {
	dims := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		dims[i] = "?"
		if d >= 0 {
			dims[i] = fmt.Sprint(d)
		}
	}
	shape := "[" + strings.Join(dims, " ") + "]"
	if p.Shape == nil {
		shape = "of unknown shape"
	}
	return p.Name + " " + p.Type + " " + shape
}
