package eval

import "context"

// Method is a way to follow objects, by name: the product, one of the baselines, or the product with a part switched off.
type Method struct {
	Name string
	New  func() (Follower, error)
}

// Compare measures one method after another on the same sequences. o.Method and o.New are not used; progress counts the
// frames of all methods.
func Compare(ctx context.Context, o VideoOptions, methods []Method) ([]*VideoResult, error) {
	progress := o.Progress
	var out []*VideoResult
	for i, m := range methods {
		o.Method, o.New = m.Name, m.New
		if progress != nil {
			o.Progress = func(done, total int, sequence string) {
				progress(i*total+done, len(methods)*total, m.Name+": "+sequence)
			}
		}
		r, err := Video(ctx, o)
		if err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, nil
}

// WithBaselines is the first result, which keeps the others as its baselines: the form that programs read.
func WithBaselines(results []*VideoResult) *VideoResult {
	if len(results) == 0 {
		return nil
	}
	first := *results[0]
	for _, r := range results[1:] {
		if first.Baselines == nil {
			first.Baselines = map[string]*VideoResult{}
		}
		first.Baselines[r.Method] = r
	}
	return &first
}
