package remote

import (
	"context"
	"fmt"

	"github.com/segedge/segedge/inference"
)

// Parts says which graphs of a model are on the server, and where the decoder is, if it is not.
type Parts struct {
	Encoder Model
	Decoder Model            // the zero value: it runs here
	Local   []inference.File // where it runs here: the files of a model, of which one is its decoder
	Load    inference.Loader
	Family  string // where the graphs leave a choice
	JPEG    bool   // pictures go as JPEG
	Quality int    // of the JPEG; 0 is 90
}

// Open makes a model whose encoder, or both of whose graphs, run on the server. It asks the server what they are; whether they answer
// rightly is inference/known's business.
func (s *Server) Open(ctx context.Context, p Parts, o inference.Options) (inference.Segmenter, error) {
	encoder, err := s.Describe(ctx, p.Encoder)
	if err != nil {
		return nil, err
	}
	if file := takesFile(encoder) >= 0; p.JPEG && !file {
		return nil, fmt.Errorf("model %s on %s takes %s, and no JPEG: set model.remote.picture to raw, or give it a step that decodes pictures",
			p.Encoder, s.o.Address, encoder.Inputs[0])
	}
	var decoder *inference.Contract
	decoders := p.Local
	if p.Decoder.Name != "" {
		if decoder, err = s.Describe(ctx, p.Decoder); err != nil {
			return nil, err
		}
		decoders = []inference.File{{Name: p.Decoder.Name, Says: decoder}}
	}
	there := Decoded(encoder)
	found, err := p.recognise(inference.File{Name: p.Encoder.Name, Says: there}, decoders)
	if err != nil {
		return nil, err
	}
	if found.Encoder == nil || found.Encoder.Says != there {
		return nil, fmt.Errorf("model %s on %s is the decoder, and the other the encoder: change model.remote.encoder and decoder",
			p.Encoder, s.o.Address)
	}
	var picture *Picture
	if p.JPEG {
		picture = &Picture{Mean: found.Family.Image.Mean, Std: found.Family.Image.Std, Quality: p.Quality}
	}
	o.Provider, o.Why = Provider, "on "+s.o.Address
	return found.Load(func(f inference.File, outputs []string) (inference.Graph, error) {
		switch f.Says {
		case nil:
			return p.Load(f, outputs)
		case there:
			return s.Load(p.Encoder, encoder, outputs, picture)
		}
		return s.Load(p.Decoder, decoder, outputs, nil)
	}, found.Family, o)
}

// recognise finds the family with the first decoder that the encoder fits, else says why the last does not.
func (p *Parts) recognise(encoder inference.File, decoders []inference.File) (found *inference.Recognised, err error) {
	err = fmt.Errorf("model %s has no decoder: name model.remote.decoder or model.decoder", p.Encoder)
	for _, d := range decoders {
		if found, err = inference.Recognise(p.Family, encoder, d); err == nil {
			return found, nil
		}
	}
	return nil, err
}
