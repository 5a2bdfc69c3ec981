package video

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// How long an encoder that failed is trusted again: the second failure within again has the spare take its place, for rest. One that
// took longer than hung to fail is not waited for a second time.
const (
	again = time.Minute
	rest  = 5 * time.Minute
	hung  = 300 * time.Millisecond
)

// Standby makes encoders of one kind for Options.NewEncoder, with a spare behind each. An encoder that fails is opened again at once; where
// that fails too, it fails soon after, or it hung, the spare takes its place, and is asked for from then on for a while. No picture is
// lost: the one at which it failed is encoded again, as a keyframe.
func Standby(first, spare func(Format) (Encoder, error), log *slog.Logger) func(Format) (Encoder, error) {
	s := &standby{first: first, spare: spare, log: log}
	return func(f Format) (Encoder, error) {
		e := &stood{by: s, format: f}
		if err := e.open(); err != nil {
			return nil, err
		}
		return e, nil
	}
}

// standby is what the encoders of a kind share.
type standby struct {
	first, spare func(Format) (Encoder, error)
	log          *slog.Logger
	failed       atomic.Int64 // when one of the first kind last failed, in Unix nanoseconds
	until        atomic.Int64 // the spare is used until then
}

// stood is an encoder of either kind. Used from one goroutine.
type stood struct {
	by     *standby
	format Format
	now    Encoder
	spare  bool
}

// open makes an encoder of the first kind, or, where it may not or cannot be, the spare.
func (e *stood) open() (err error) {
	if !e.spare && time.Now().UnixNano() >= e.by.until.Load() {
		if e.now, err = e.by.first(e.format); err == nil {
			return nil
		}
		e.fails(err, 0)
	}
	e.spare = true
	e.now, err = e.by.spare(e.format)
	return err
}

// fails notes a failure of the first kind, and whether the spare is to take its place.
func (e *stood) fails(err error, took time.Duration) {
	now := time.Now()
	before := e.by.failed.Swap(now.UnixNano())
	if took < hung && now.UnixNano()-before > int64(again) {
		e.by.log.Warn("the encoder failed and is started again", "err", err)
		return
	}
	e.spare = true
	e.by.until.Store(now.Add(rest).UnixNano())
	e.by.log.Error("the encoder failed: another takes its place", "err", err, "for", rest)
}

func (e *stood) Encode(pic *Picture, keyframe bool) (data []byte, isKeyframe bool, err error) {
	for {
		if e.now != nil {
			start := time.Now()
			if data, isKeyframe, err = e.now.Encode(pic, keyframe); err == nil || e.spare {
				return data, isKeyframe, err
			}
			e.fails(err, time.Since(start))
			_ = e.now.Close() // it is broken
			e.now = nil
		}
		if err = e.open(); err != nil {
			return nil, false, err
		}
		keyframe = true
	}
}

// SetBitrate changes the target of an encoder that can.
func (e *stood) SetBitrate(bits int) error {
	if set, ok := e.now.(BitrateSetter); ok {
		return set.SetBitrate(bits)
	}
	return nil
}

func (e *stood) Close() error {
	if e.now == nil {
		return nil
	}
	return e.now.Close()
}

var _ BitrateSetter = (*stood)(nil)
