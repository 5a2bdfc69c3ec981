package provider

import (
	"testing"

	"github.com/segedge/segedge/inference"
)

// TestWhatLoadingCostsIsTold: of the model that serves, its time and about its memory.
func TestWhatLoadingCostsIsTold(t *testing.T) {
	const much = 64 << 20
	var kept [][]byte
	f := &fakeFactory{load: func(p inference.Provider, _ int) error {
		if p.Name == inference.CUDA {
			block := make([]byte, much)
			for i := range block {
				block[i] = 1
			}
			kept = append(kept, block)
		}
		return nil
	}}
	i := open(t, f, Options{Prefer: inference.CUDA}).Info()
	if i.Provider != inference.CUDA || i.LoadTime <= 0 {
		t.Errorf("%+v", i)
	}
	if resident() > 0 && i.LoadMemory < much/2 {
		t.Errorf("%d bytes, of which %d blocks of %d are kept", i.LoadMemory, len(kept), much)
	}
}
