// Package eval measures how well objects are segmented and followed: clicks on pictures as a person would make them, and video by
// the measures of the DAVIS benchmark, for the product and for the simple methods it must beat, in one table. It
// computes; it opens no camera, loads no graph and prints nothing but the tables it is asked for.
package eval
