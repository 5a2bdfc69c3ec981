package inference

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is where a graph comes from: a file on disk, bytes in memory, or another machine.
type File struct {
	Name string // for messages; empty is the path's last element
	Path string // the runtime reads it by itself, so that weights beside the file are found
	Data []byte // used where Path is empty
	// Says is what a graph on another machine says of itself; there is nothing to read then.
	Says *Contract
}

// String is the name for messages.
func (f File) String() string {
	if f.Name != "" {
		return f.Name
	}
	return filepath.Base(f.Path)
}

// Contract reads what the file says about itself, without running it.
func (f File) Contract() (*Contract, error) {
	c, err := f.contract()
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f, err)
	}
	return c, nil
}

func (f File) contract() (*Contract, error) {
	if f.Says != nil {
		return f.Says, nil
	}
	if f.Path == "" {
		return ReadContract(bytes.NewReader(f.Data), int64(len(f.Data)))
	}
	st, err := os.Stat(f.Path) // before it is opened, which would wait for somebody to write into a pipe
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file", f.Path)
	}
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrNotONNX, f.Path)
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := ReadContract(file, st.Size())
	if err != nil {
		if known := Foreign(f.Path); known != nil && errors.Is(err, ErrNotONNX) {
			return nil, known
		}
		return nil, err
	}
	for _, e := range c.External {
		if _, err := os.Stat(filepath.Join(filepath.Dir(f.Path), e)); err != nil {
			return nil, fmt.Errorf("its weights are in %s, which is not beside it: put both files in one folder", e)
		}
	}
	return c, nil
}

// Loader makes a graph out of a file, computing the named outputs, all where there are none. It knows the execution
// provider and the threads; inference/onnx has one.
type Loader func(f File, outputs []string) (Graph, error)

// Open recognises the family of one or two files, in any order, loads them and makes the model. family is a family's
// name where the files alone leave a choice, else empty.
func Open(load Loader, family string, o Options, files ...File) (Segmenter, error) {
	r, err := Recognise(family, files...)
	if err != nil {
		return nil, err
	}
	return r.Load(load, r.Family, o)
}

// Load loads the graphs and makes the model, by the rules of f: the family that was recognised, or another for a trial.
func (r *Recognised) Load(load Loader, f Family, o Options) (Segmenter, error) {
	var encoder Graph
	var err error
	if r.Encoder != nil {
		if encoder, err = load(*r.Encoder, r.Family.encoderOutputs()); err != nil {
			return nil, err
		}
	}
	decoder, err := load(*r.Decoder, []string{r.Family.Reply.Logits, r.Family.Reply.Scores})
	if err != nil {
		if encoder != nil {
			err = errors.Join(err, encoder.Close())
		}
		return nil, err
	}
	return NewSegmenter(f, encoder, decoder, o)
}
