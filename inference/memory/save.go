package memory

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
)

// saved is a Bank in a file: a gob, since it is ours alone and full of numbers.
type saved struct {
	Layout  string
	Side    int
	Code    code
	Objects []object
}

// maxSaved bounds what Load reads: all objects with all that is kept of each, at 1024 pixels.
const maxSaved = maxObjects * (maxConditioning + recent + 2) * (4 << 20)

// ErrOther is a memory that another model made.
var ErrOther = errors.New("it is the memory of another model")

// Save writes what is remembered.
func (b *Bank) Save(w io.Writer) error {
	s := saved{Layout: b.model.name, Side: b.model.image.Side, Code: b.code}
	for _, o := range b.objects {
		s.Objects = append(s.Objects, *o)
	}
	if err := gob.NewEncoder(w).Encode(s); err != nil {
		return fmt.Errorf("save the memory: %w", err)
	}
	return nil
}

// Load puts what Save wrote in the place of what is remembered. On an error nothing changes. That the weights are the same is the caller's
// to know: a memory says only its layout and size.
func (b *Bank) Load(r io.Reader) error {
	var s saved
	if err := gob.NewDecoder(io.LimitReader(r, maxSaved)).Decode(&s); err != nil {
		return fmt.Errorf("load the memory: %w", err)
	}
	if s.Layout != b.model.name || s.Side != b.model.image.Side {
		return fmt.Errorf("load the memory: %w: %s of %d pixels, this is %s of %d", ErrOther, s.Layout, s.Side, b.model.name, b.model.image.Side)
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("load the memory: %w", err)
	}
	b.code, b.objects = s.Code, nil
	for i := range s.Objects {
		o := &s.Objects[i]
		for k := range o.Records {
			o.Records[k].Seq = 0 // of an earlier run
		}
		b.objects = append(b.objects, o)
	}
	return nil
}

// check refuses what could not have been saved.
func (s *saved) check() error {
	size := int64(1)
	for _, d := range s.Code.Shape {
		size *= max(d, 0)
	}
	if len(s.Objects) > maxObjects {
		return fmt.Errorf("%d objects, at most %d can be", len(s.Objects), maxObjects)
	}
	for i, o := range s.Objects {
		if i > 0 && o.ID <= s.Objects[i-1].ID {
			return errors.New("the objects are out of order")
		}
		if err := o.check(int(size)); err != nil {
			return fmt.Errorf("object %d: %w", o.ID, err)
		}
	}
	return nil
}

func (o *object) check(size int) error {
	if len(o.Records) == 0 || len(o.Records) > maxConditioning+pointers || !o.Records[0].Prompted {
		return fmt.Errorf("its %d records do not begin with a conditioning frame, or are too many", len(o.Records))
	}
	for i, r := range o.Records {
		switch {
		case i > 0 && r.At <= o.Records[i-1].At || r.At >= o.Now:
			return errors.New("its records are out of order")
		case len(r.Pointer) != len(o.Records[0].Pointer) || len(r.Pointer) == 0:
			return fmt.Errorf("a pointer of %d numbers", len(r.Pointer))
		case r.Features != nil && len(r.Features) != size || r.Features == nil && r.Prompted:
			return fmt.Errorf("a spatial memory of %d numbers, not %d", len(r.Features), size)
		}
	}
	return nil
}
