package look

// Tuning is every number of this package that was chosen.
type Tuning struct {
	Keep         float64 // of what the keyframes before taught, at each: of mean features, their covariance and colours
	Anchor       float64 // what the first mask's features weigh beside the newer ones', 0..1
	SpreadRidge  float64 // added to the features' unit variances
	SpreadPart   int     // one of so many cells of a later keyframe counts
	ColourFirst  float64 // what the first mask's colours weigh, and keep
	ColourPseudo float64 // pixels that are taken for seen of each colour on both sides
	ColourClip   float64 // log-odds of a pixel's colour, or of its motion, that count at most
	MapColour    float64 // weight of a cell's colours there, likeness a logit
}

// cropExtent is the share of the encoder's picture below which a map cannot be one of the whole frame. A bound, not tuned: the families pad
// no more than that.
const cropExtent = 0.95

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{
		Keep: 0.9, Anchor: 0.5, SpreadRidge: 0.02, SpreadPart: 4,
		ColourFirst: 4, ColourPseudo: 2, ColourClip: 3, MapColour: 0.25,
	}
}
