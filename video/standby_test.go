package video

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// An encoder that fails is opened again, then replaced for a while; no picture is lost, and the first of another is a keyframe.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var firsts, spares []*fakeEncoder
		broken := errors.New("broken")
		var refused error
		make1 := Standby(func(f Format) (Encoder, error) {
			if refused != nil {
				return nil, refused
			}
			firsts = append(firsts, &fakeEncoder{format: f})
			return firsts[len(firsts)-1], nil
		}, func(f Format) (Encoder, error) {
			spares = append(spares, &fakeEncoder{format: f})
			return spares[len(spares)-1], nil
		}, slog.New(slog.DiscardHandler))
		var pic Picture
		pic.Resize(16, 16)
		encode := func(e Encoder, key bool) {
			t.Helper()
			data, got, err := e.Encode(&pic, false)
			if err != nil || len(data) == 0 || got != key {
				t.Fatalf("%d bytes, keyframe %t, %v; want keyframe %t", len(data), got, err, key)
			}
		}
		e, err := make1(Format{Width: 16, Height: 16})
		if err != nil {
			t.Fatal(err)
		}
		encode(e, true)
		encode(e, false)
		firsts[0].fail = broken
		encode(e, true)
		if len(firsts) != 2 || len(spares) != 0 || firsts[0].closed != 1 {
			t.Fatalf("%d first, %d spare: want the first opened again", len(firsts), len(spares))
		}
		if err := e.(BitrateSetter).SetBitrate(7); err != nil || len(firsts[1].rates) != 1 {
			t.Errorf("%v, %v", err, firsts[1].rates)
		}
		time.Sleep(again + time.Second) // it did well
		firsts[1].fail = broken
		encode(e, true)
		firsts[2].fail = broken // and now not
		encode(e, true)
		encode(e, false)
		if len(firsts) != 3 || len(spares) != 1 {
			t.Fatalf("%d first, %d spare: want the spare", len(firsts), len(spares))
		}
		other, err := make1(Format{})
		if err != nil || len(spares) != 2 {
			t.Errorf("another picture begins with what has just failed: %v", err)
		}
		time.Sleep(rest + time.Second)
		refused = broken
		if last, err := make1(Format{}); err != nil || len(spares) != 2+1 {
			t.Errorf("one that cannot be opened: %v, %d spares", err, len(spares))
		} else if err := errors.Join(last.Close(), other.Close(), e.Close()); err != nil {
			t.Error(err)
		}
		refused = nil
		time.Sleep(rest + time.Second)
		before := len(spares)
		slow, err := make1(Format{})
		if err != nil {
			t.Fatal(err)
		}
		firsts[len(firsts)-1].fail, firsts[len(firsts)-1].takes = broken, time.Second
		encode(slow, true)
		if len(spares) != before+1 {
			t.Error("one that hung is waited for again")
		}
		spares[0].fail = broken
		if _, _, err := e.Encode(&pic, false); !errors.Is(err, broken) {
			t.Errorf("a spare that fails is told: %v", err)
		}
	})
}
