package look

// Tuning is every number of this package that was chosen.
// In brackets: what J&F changes, in points, with the number a fifth lower and a fifth higher (docs/sensitivity.md; a point is noise).
type Tuning struct {
	Keep         float64 // of what the keyframes before taught, at each: of mean features, their covariance and colours [−0.2 −11.8]
	Anchor       float64 // what the first mask's features weigh beside the newer ones', 0..1 [0 0]
	SpreadRidge  float64 // added to the features' unit variances [0 0]
	ColourFirst  float64 // what the first mask's colours weigh, and keep [0 +0.1]
	ColourUsual  float64 // the first mask's share in what colours are usual of an object, 0..1 [scenes 0 0]
	ColourPseudo float64 // pixels that are taken for seen of each colour on both sides [+0.1 0]
	ColourClip   float64 // log-odds of a pixel's colour, or of its motion, that count at most [−0.2 −1.5]
	MapColour    float64 // weight of a cell's colours there, likeness a logit [0 0]
}

// Bounds, not tuned: no score tells which is better.
const (
	spreadPart = 4    // one of so many cells of a later keyframe counts for its features' spread: it holds time, all score the same
	cropExtent = 0.95 // share of the encoder's picture below which a map cannot be one of the whole frame: the families pad no more
	leastSide  = 0.5  // cells of an object, or of the rest, below which a frame teaches nothing of it: half of one is nobody's
	sure       = 6    // logit of what a flood has reached, and its negative that of the rest: the amplitude of a mask prompt
)

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{
		Keep: 0.9, Anchor: 0.5, SpreadRidge: 0.02,
		ColourFirst: 4, ColourUsual: 0.7, ColourPseudo: 2, ColourClip: 3, MapColour: 0.25,
	}
}
