package tracker

import (
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// Tuning is every number of the tracker that was chosen, so that each can be changed by itself and its worth be measured. Lengths are
// pixels of the reduced picture, speeds pixels a frame, weights and clips logits, unless a comment says otherwise.
//
// In brackets, of this and of the tunings inside, is what J&F changes, in points, with the number a fifth lower and a fifth higher
// (docs/sensitivity.md; a point is noise); a test holds them to that. [0 0]: less than half a tenth, mostly since the sequences never come
// there, to what is lost for long, found again or stops. J&F follows one object at a time: of what it cannot feel, what the scenes say.
type Tuning struct {
	Motion motion.Tuning
	Shape  shape.Tuning
	Look   look.Tuning

	// What is much or little of what is usual, and how that is learnt.
	UsualRate    float64 // at which what is usual follows: the number of an object's vectors, their colours, its likeness, its size [−0.4 0]
	Some         float64 // share of a thing, in size, vectors or votes, that counts as a part of it [0 0]
	Half         float64 // share of what is usual, in likeness, colours, vectors or size, from which on it may be all of a thing [−0.1 +0.2]
	Most         float64 // share of a thing, in size, vectors, looks or overlap, that counts as all but all of it [0 0, scenes +0.2 +0.3]
	LeastInliers float64 // share of a fit's vectors, by weight, that must be explained, else the scene's own motion stands in [0 −0.1]

	// An object's fit to the motion.
	FewPairs    int     // vectors below which they tell no motion: alone the scene's, beside its speed half of an object's [−2.2 0]
	Fresh       int     // frames for which a mask is new: so long it is bent, then small errors would add up, and nothing rests by it [0 0]
	SteadyAfter int     // frames after which an object's speed is worth something [+0.2 −0.1]
	SpeedRate   float64 // at which the speed follows what is measured [0 0]
	SpeedSlack  float64 // squared change of speed at which a vector weighs half [0 0]
	SpeedShare  float64 // of the squared speed, added to that [0 0]

	// What rests with the scene while an object moves.
	MovingSpeed   float64 // against the scene from which on rest is told from motion [−0.2 0]
	RestSpeed     float64 // of the object's: what has less of it rests, and two whose speeds differ by less move together [0 0]
	TellingColour float64 // usual log-odds up to which its colours are not told from the scene's: motion alone says what rests [0 0]

	// Occlusion by another object.
	HideMargin    float64 // about a mask in which a vector may be its: half the window in which one is measured [0 0]
	CrowdedWeight float64 // of the decoder's answer where another object is near [0 0]

	// The fusion of a keyframe's evidence.
	MaskClip      float64 // log-odds of a mask, the warped one or the decoder's, that count at most [+0.3 −0.2]
	PriorWeight   float64 // of the warped mask, all of whose vectors its motion explains [+0.6 −0.6]
	PriorRadius   int     // by which the warped edge may be off [0 +0.1]
	Growth        int     // about the warped mask in which it may grow [0 0]
	ModelWeight   float64 // of the decoder's answer [−0.2 −0.3]
	FeatureWeight float64 // of the likeness to the object [+0.1 −0.6]
	FeatureClip   float64 // likeness that counts at most [0 −0.7]
	ColourWeight  float64 // of the colours [−4.0 +0.5]
	VoteContrast  float64 // between inside and outside at which votes count in full [+0.1 0]
	VoteSigma2    float64 // squared miss that is allowed [0 0]
	VoteFloor     float64 // chance of any motion: a vector that fits neither says little [0 0]
	StillWeight   float64 // of a place whose picture has not changed, for what it was [0 +0.1]
	StillChange   int     // grey steps, over the three colours, up to which it has not [0 −0.7]
	OtherWeight   float64 // against a place where another object is [0 0, scenes 0 −0.1]
	SizeUp        float64 // rate at which the expected size grows, a keyframe [0 +0.1]
	SizeDown      float64 // and shrinks: what shrinks is mostly hidden and comes back [0 0]

	// The readout of what is shown.
	SnapRadius int // by which the edge may be off [+0.2 −0.2]

	// The life of an object.
	MostDoubts  int     // answers refused in a row after which it is gone [0 0]
	LeastInside float64 // share of the usual area in the picture below which it has left [0 0]

	// What makes an answer believable.
	MostGrowth float64 // area over the usual one [−0.8 0]
	LeastPart  float64 // share of the usual size that a mask must have, and of one that enters at the edge: less is another thing [0 0]
	Mistaken   float64 // by how much likelier, in log-odds, a mask's colours are another object's where it is that one's [scenes 0 0]
	SizeOdds   float64 // predicted IoU that an answer loses for each factor of two that it misses the expected size by [0 +0.1]

	// Reacquisition of what is hidden or lost.
	FoundLike float64 // least mean likeness of the mask that is found [0 0]
	WholeSize float64 // least share of its expected size: a part of something else is small [0 0]

	// Questions to the model.
	AskWeight float64 // of the likeness to the object beside the carried mask, times the square of what its motion leaves unexplained [0 0]
	Margin    float64 // of the sum of its sides, about a mask: what is there is learnt, and asked about where it looks alike [−0.1 −0.3]

	// What a keyframe shows.
	CropMargin float64 // sides of a crop over the objects' own [−4.4 +0.3]
	CropMost   float64 // a larger crop is not worth it [−0.1 −5.1]
	CropStep   float64 // of sizes, so that the same come again [−1.3 −0.1]
}

// Bounds, not tuned: of memory, of time, and of what a person may expect. No score tells which is better.
const (
	usualFPS      = 30    // frames a second of cameras that have not shown theirs yet
	rateGain      = 0.05  // weight of a new frame in the rate
	leastGap      = 0.002 // seconds between two frames below which they tell no rate
	mostGap       = 1.0   // and above which
	mostCredit    = 10.0  // frames of unspent model time that may gather
	wholeAfter    = 1.0   // seconds after which a keyframe shows the whole frame again
	snapPixels    = 40000 // whose edges are refined in a frame, over all objects
	doubtParts    = 3     // the part of LostAfter after which an object is uncertain: a third
	leastCrop     = 0.25  // of the frame's sides that a keyframe shows: nothing is magnified further
	closerMost    = 256   // points that are added in a frame where objects are small or partly hidden, over all objects, or twice that
	closerStep    = 3     // least distance between them
	closerRough   = 3     // rows and columns of which one is looked at to see how much of an object shows
	promptTrust   = 0.5   // below which a propagated prompt is not used: StepDoubt, which is tuned, says how soon that is
	leastShared   = 0.9   // IoU of two masks from which on nobody sees a difference, and none is told
	restEvery     = 30    // seconds between two reports of an object that does not change
	paletteLevels = 8     // coarse colours that are told apart in each of a pixel's three values, to know a place by: 512 in all
	layoutSide    = 24    // cells along each side of a picture by which a place is known
	stillBlock    = 4     // sides of the blocks of a picture that is compared with what was there long ago
	offerFor      = 10.0  // seconds for which the other answers to a prompt may be chosen
)

// LeastCells is what a mask has of a thing at least: fewer tell nothing. A bound as well.
const LeastCells = 6

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{
		Motion: motion.Defaults(), Shape: shape.Defaults(), Look: look.Defaults(),

		UsualRate: 0.1, Some: 0.3, Half: 0.5, Most: 0.7, LeastInliers: 0.2,

		FewPairs: 3, Fresh: 8, SteadyAfter: 4, SpeedRate: 0.3, SpeedSlack: 4, SpeedShare: 0.25,

		MovingSpeed: 3, RestSpeed: 0.4, TellingColour: 1,

		HideMargin: 7, CrowdedWeight: 0.5,

		MaskClip: 6, PriorWeight: 0.8, PriorRadius: 4, Growth: 16, ModelWeight: 1.1,
		FeatureWeight: 1.2, FeatureClip: 2, ColourWeight: 0.7,
		VoteContrast: 1.5, VoteSigma2: 0.5, VoteFloor: 0.05, OtherWeight: 4, StillWeight: 3, StillChange: 18,
		SizeUp: 0.06, SizeDown: 0.01,

		SnapRadius: 1,

		MostDoubts: 3, LeastInside: 0.12,

		MostGrowth: 2.5, LeastPart: 0.25, Mistaken: 0.3, SizeOdds: 0.5,

		FoundLike: 0.2, WholeSize: 0.35,

		AskWeight: 80, Margin: 0.25,

		CropMargin: 1.6, CropMost: 0.8, CropStep: 1.0 / 16,
	}
}
