package eval

import (
	"context"
	"errors"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/supervise"
)

// maxPreloaded bounds the bytes of a sequence that real time decodes ahead, so that reading files does not count.
const maxPreloaded = 4 << 30

// feedByClock shows the frame that is due when the follower is ready, and none twice. A frame that is over before the follower
// came to it is dropped and has the mask that was known when its time was up.
func (r *run) feedByClock(ctx context.Context, f Follower, p seg.Prompt, masks []*seg.Mask, fresh []bool) error {
	pics, err := r.preload()
	defer func() {
		for _, pic := range pics {
			pic.Release()
		}
	}()
	if err != nil {
		return err
	}
	period := time.Duration(float64(time.Second) / r.o.Realtime)
	start := time.Now()
	last := (*seg.Mask)(nil)
	for i := 0; i < len(pics); {
		due := start.Add(time.Duration(i) * period)
		if err := supervise.Wait(ctx, time.Until(due)); err != nil {
			return err
		}
		began := time.Now()
		pics[i].Captured = due
		m, err := r.show(f, p, pics[i], i, masks[i])
		if err != nil {
			return err
		}
		ended := time.Now()
		if i > 0 {
			r.took = append(r.took, ended.Sub(began))
			last = m
		}
		masks[i], fresh[i] = m, true
		next := max(i+1, int(ended.Sub(start)/period)) // the newest frame that has come by now, or the one to come
		next = r.drop(masks, i+1, min(next, len(pics)), last)
		for range next - i {
			if len(r.got) == 1 {
				r.progress()
			}
		}
		i = next
	}
	return nil
}

// drop gives the frames from..to-1, which nobody looked at, the last mask known.
func (r *run) drop(masks []*seg.Mask, from, to int, last *seg.Mask) int {
	for k := from; k < to; k++ {
		masks[k] = last
		r.dropped++
	}
	return to
}

// preload decodes the whole sequence.
func (r *run) preload() ([]*frame.Frame, error) {
	var pics []*frame.Frame
	bytes := 0
	for i := range r.video.Frames {
		pic, err := r.picture(i)
		if err != nil {
			return pics, err
		}
		pics = append(pics, pic)
		if bytes += len(pic.Pix); bytes > maxPreloaded {
			return pics, errors.New("the sequence is too long to be held in memory for real time")
		}
	}
	return pics, nil
}
