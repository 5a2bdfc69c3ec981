package motion

// Tuning is every number of this package that was chosen, so that each can be changed by itself and its worth be measured. Lengths are
// pixels of the reduced picture unless a comment says otherwise.
// In brackets: what J&F changes, in points, with the number a fifth lower and a fifth higher (docs/sensitivity.md; a point is noise).
type Tuning struct {
	FitRounds   int     // rounds of reweighting in a fit [+0.1 0]
	FitSigma    float64 // residual at which a pair's weight falls to a quarter in the last rounds (Geman–McClure's scale) [+0.1 −0.1]
	FitWide     int     // first rounds in which that scale is doubled for each round that is left of them [−0.3 −1.7]
	FitDamp     float64 // squared pixels: as if each pair had been seen moving rigidly so far off the middle [0 0]
	InlierReach float64 // of FitSigma: residual up to which a pair counts as explained [+0.1 −0.1]
	BendPairs   int     // pairs from which on a fit may also stretch and shear, and a region bend [0 0, scenes 0 −0.1]
	BendDamp    float64 // squared pixels: what holds the fit to its similarity [0 0]
	BackFloor   float64 // added to a vector's forward-backward error; the inverse of the sum is its weight [0 0]
	PointReach  float64 // radius of the vectors that move a point, of the picture's width [0 0, scenes −0.1 0]
	MeshStep    int     // distance between a mesh's nodes, and the most that a vector may miss the affine motion by in a step [−0.1 0]
	MeshRadius  float64 // distances between grid points: how far a vector speaks [0 +0.1]
	MeshDamp    float64 // weight, where a sure vector has 4, of a node's keeping to the affine motion: it has one where no vector speaks [0 0]
	StepDoubt   float64 // what a step takes from the trust in what is propagated over it, where nothing explains its motion [0 0]
}

// Bounds, not tuned: no score tells which is better.
const (
	// MeshKept is the newest steps of a track whose meshes are kept, so that what comes late is answered as exactly. It holds memory.
	MeshKept = 16

	shedDown   = 0.85  // factor of the number of points after a frame that was missed: these three hold time
	shedUp     = 1.005 // and after one that was not
	shedLeast  = 0.4   // share of the points that is always measured
	medianStep = 0.01  // to which the median of vectors is exact: they are not measured better
	edgeSlack  = 2.0   // by which a propagated point may leave the picture before it counts as gone: motion is not measured better
	spare      = 64    // points for which an entry has room beyond those of its frame: their number wavers, and a frame allocates nothing
)

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{
		FitRounds: 5, FitSigma: 1, FitWide: 2, FitDamp: 8, InlierReach: 2,
		BendPairs: 16, BendDamp: 40, BackFloor: 0.25,
		PointReach: 1.0 / 24,
		MeshStep:   8, MeshRadius: 1.6, MeshDamp: 0.01, StepDoubt: 0.1,
	}
}
