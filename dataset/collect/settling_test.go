package collect

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// ofTrack is a sample about one object, told by its name.
func ofTrack(track, verdict, name string) Sample {
	s := sampleOf(Proposed, verdict)
	s.Masks[0].Track, s.Masks[1].Track, s.Masks[1].Name = "cam-9", track, name
	return s
}

// What a person corrects again was not right: of several corrections the last is kept.
func TestLastCorrectionIsKept(t *testing.T) {
	type said struct {
		after time.Duration // since the one before
		Sample
		back string
	}
	long := settleTime + 2*time.Second
	for _, c := range []struct {
		name string
		said []said
		want []string // names, in the order of keeping
	}{
		{"corrected three times", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {time.Second, ofTrack("cam-1", Refined, "b"), ""}, {time.Second, ofTrack("cam-1", Refined, "c"), ""}}, []string{"c"}},
		{"confirmed after a correction", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {time.Second, ofTrack("cam-1", Confirmed, "b"), ""}}, []string{"b"}},
		{"rejected after a correction", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {time.Second, ofTrack("cam-1", Rejected, "b"), ""}}, []string{"b"}},
		{"corrected again much later", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {long, ofTrack("cam-1", Refined, "b"), ""}}, []string{"a", "b"}},
		{"two objects", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {time.Second, ofTrack("cam-2", Refined, "b"), ""}}, []string{"a", "b"}},
		{"confirmed, then corrected", []said{{0, ofTrack("cam-1", Confirmed, "a"), ""}, {time.Second, ofTrack("cam-1", Refined, "b"), ""}}, []string{"a", "b"}},
		{"undone", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {time.Second, Sample{}, "cam-1"}, {0, Sample{}, "cam-7"}}, nil},
		{"undone too late", []said{{0, ofTrack("cam-1", Refined, "a"), ""}, {long, Sample{}, "cam-1"}}, []string{"a"}},
		{"of nothing that is followed", []said{{0, ofTrack("", Refined, "a"), ""}, {0, ofTrack("", Refined, "b"), ""}}, []string{"a", "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, Limits{})
			synctest.Test(t, func(t *testing.T) {
				collector, err := NewCollector(s, []Finder{finder{}}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- collector.Run(ctx) }()
				for _, one := range c.said {
					time.Sleep(one.after)
					if one.back != "" {
						collector.Withdraw(one.back)
					} else {
						collector.Offer(one.Sample)
					}
					synctest.Wait()
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
			var got []string
			for _, name := range names(t, s) {
				r, err := s.Read(name)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range append(r.Annotations, r.Rejected...) {
					got = append(got, a.Name)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("kept %q, want %q", got, c.want)
			}
		})
	}
}

func TestSettlingIsBounded(t *testing.T) {
	var w settling
	kept := 0
	for i := range 3 * mostSettling {
		kept += len(w.add(ofTrack(string(rune('A'+i)), Refined, ""), time.Unix(0, 0)))
	}
	if kept != 2*mostSettling || len(w) != mostSettling {
		t.Errorf("%d kept, %d wait", kept, len(w))
	}
}
