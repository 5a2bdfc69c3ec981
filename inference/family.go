package inference

// Family is the contract of one kind of published model, as data: what its graphs are called, how they want the picture,
// the points and the masks, and what they answer. One engine reads it; there is no code per family. Sources: the
// exporters' own code, listed in docs/models.md.
type Family struct {
	Name  string // "sam"
	Title string // for people: "SAM, MobileSAM"
	Image ImageRule
	Ask   PromptRule
	Reply ReplyRule
	// Half says that the published weights keep their accuracy in 16-bit floats; what does not runs in 32 bits.
	Half bool
}

// Fit is how a picture becomes the model's input.
type Fit uint8

// The ways to fit a picture.
const (
	FitPad    Fit = iota // longest side to Side, the rest of the Side×Side square padded at the right and bottom
	FitLong              // longest side to Side, no padding
	FitGrid              // longest side to at most Side, each side padded up to a multiple of Grid
	FitSquash            // Side×Side, whatever the aspect
	FitFrame             // as it is
)

// Resample is how pixels are made from pixels.
type Resample uint8

// The ways to resize: as Pillow does, bilinearly (SAM's own code) or by its default (NanoSAM's), as torchvision does on floats (SAM 2's),
// or the fast one.
const (
	Pillow Resample = iota
	Bicubic
	Torch
	Fast
)

// ImageRule is the encoder's side.
type ImageRule struct {
	Input    string // name; its type is float32
	Rank     int    // 4: [1,3,H,W]; 3: [H,W,3]
	Fit      Fit
	Side     int // 0: the graph's own fixed size
	Grid     int
	Truncate bool // the shorter side is cut off to whole pixels instead of rounded
	Resample Resample
	Mean     [3]float32 // RGB, in units of 0..255
	Std      [3]float32 // RGB
	Pad      [3]float32 // after normalising, RGB
	// Embeds names the outputs that the decoder takes, as decoder input → encoder output.
	Embeds map[string]string
	// Strides are the pixels of the input to a cell of a decoder's input whose size varies.
	Strides map[string]int
}

// PromptRule is what the decoder is asked with. An empty name means that the decoder has no such input.
type PromptRule struct {
	Points string
	Labels string
	Mask   string
	Has    string
	Size   string // the picture's height and width
	Image  string // a single-file model takes the picture here, in the decoder itself
	// Frame: points are given on a grid of this size over the picture, which Size names too. 0: in the encoder's input.
	Frame int
	// Square: points are given as if the encoder's input were of this size, whatever it is. 0: its own.
	Square int
	// Offset is added to a point's coordinates, where (0, 0) is the corner of the first pixel: −0.5 where the decoder adds
	// half a pixel by itself.
	Offset float64
	// HalfOf: the decoder scales points to this size before it adds half a pixel, so what is taken off depends on the picture.
	HalfOf int
	// FromZero: coordinates below zero mean no point, so they end there.
	FromZero bool
	// Queries: points have one dimension more, [image, query, point, xy].
	Queries bool
	// Grid is the side of a mask prompt and of the logits; 0: a quarter of the encoder's input.
	Grid int
	// PadPoint: without a box, one more point (0, 0) labelled −1 follows.
	PadPoint bool
	// OneHas: Has is one value for the whole call.
	OneHas bool
	// Neutral: points labelled −1 change nothing, so prompts of different lengths share a call.
	Neutral bool
	// MaxPoints of one prompt, a box counting two; 0 is no limit but the vocabulary's.
	MaxPoints int
	// Batched: one call answers several prompts.
	Batched bool
	// Window: prompts that carry a mask are decoded on a part of the embedding, on the CPU.
	Window WindowRule
	Kinds  Kinds
}

// ReplyRule is what the decoder answers: logits and predicted IoU of K masks a prompt.
type ReplyRule struct {
	Logits string
	Scores string
	// Negative, Unsure: the logits are negative inside of a mask, the scores the lower the better. No published model has them so; one that
	// looks wrong is asked so (inference/known).
	Negative, Unsure bool
	// Single is the token that answers several prompts; −1: the best of Multi.
	Single int
	// Multi are the tokens that answer one click, as first and count; a decoder exported for a single mask has only one.
	Multi [2]int
}
