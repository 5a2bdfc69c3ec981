package motion

import "math"

// Fit is a motion with what speaks for it.
type Fit struct {
	Affine
	Pairs   int     // that it was asked to explain
	Inliers float64 // share of their weight that it explains
}

// Fit finds the similarity that explains the pairs, all but a shift where they are close together, by iteratively reweighted least squares
// with Geman–McClure weights around the median motion (Black and Anandan, CVIU 1996). The pairs are left as they are; without any it is
// the identity.
func (k *Tuning) Fit(ps []Pair) Fit {
	f := Fit{Affine: Identity, Pairs: len(ps)}
	if len(ps) == 0 {
		return f
	}
	f.C, f.F = medianMotion(ps)
	for round := range k.FitRounds {
		sigma := k.FitSigma * float64(uint(1)<<max(0, k.FitWide-round))
		f.Affine = f.similarity(ps, sigma, k.FitDamp)
	}
	f.Inliers = f.explained(ps, k.InlierReach*k.FitSigma)
	return f
}

func robust(r2, sigma float64) float64 {
	k := sigma * sigma / (sigma*sigma + r2)
	return k * k
}

// explained is the share of the pairs' weight that the map misses by less than reach.
func (a Affine) explained(ps []Pair, reach float64) float64 {
	var all, in float64
	for _, p := range ps {
		all += p.W
		if a.Miss2(p) < reach*reach {
			in += p.W
		}
	}
	if in == 0 || all == 0 {
		return 0
	}
	return in / all
}

// similarity solves for rotation, scale and shift in closed form (Umeyama, PAMI 1991, in two dimensions), damped towards a pure shift where
// the points hardly spread.
func (a Affine) similarity(ps []Pair, sigma, damp float64) Affine {
	var w, x, y, u, v float64
	for i := range ps {
		p := &ps[i]
		k := p.W * robust(a.Miss2(*p), sigma)
		w += k
		x += k * p.X
		y += k * p.Y
		u += k * p.U
		v += k * p.V
	}
	if w < 1e-9 {
		return a
	}
	x, y, u, v = x/w, y/w, u/w, v/w
	var dot, cross, spread float64
	for i := range ps {
		p := &ps[i]
		k := p.W * robust(a.Miss2(*p), sigma)
		px, py, pu, pv := p.X-x, p.Y-y, p.U-u, p.V-v
		dot += k * (px*pu + py*pv)
		cross += k * (px*pv - py*pu)
		spread += k * (px*px + py*py)
	}
	damp *= w
	c, s := (dot+damp)/(spread+damp), cross/(spread+damp)
	return Affine{c, -s, u - c*x + s*y, s, c, v - s*x - c*y}
}

// Bend lets a similarity stretch and shear as far as the pairs that it explains agree on that: one least-squares step for what is left,
// damped as the similarity is.
func (k *Tuning) Bend(f Fit, ps []Pair) Fit {
	if len(ps) < k.BendPairs {
		return f
	}
	var w, x, y float64
	for i := range ps {
		g := ps[i].W * robust(f.Miss2(ps[i]), k.FitSigma)
		w, x, y = w+g, x+g*ps[i].X, y+g*ps[i].Y
	}
	if w < 1e-9 {
		return f
	}
	x, y = x/w, y/w
	var xx, xy, yy, xu, yu, xv, yv float64
	for i := range ps {
		p := &ps[i]
		g := p.W * robust(f.Miss2(*p), k.FitSigma)
		u, v := f.At(p.X, p.Y)
		px, py, ru, rv := p.X-x, p.Y-y, p.U-u, p.V-v
		xx, xy, yy = xx+g*px*px, xy+g*px*py, yy+g*py*py
		xu, yu, xv, yv = xu+g*px*ru, yu+g*py*ru, xv+g*px*rv, yv+g*py*rv
	}
	damp := k.BendDamp * w
	xx, yy = xx+damp, yy+damp
	det := xx*yy - xy*xy
	a, b := (xu*yy-yu*xy)/det, (yu*xx-xu*xy)/det
	d, e := (xv*yy-yv*xy)/det, (yv*xx-xv*xy)/det
	f.Affine = Affine{f.A + a, f.B + b, f.C - a*x - b*y, f.D + d, f.E + e, f.F - d*x - e*y}
	return f
}

// medianMotion is the weighted median of the displacements, by axis: a start that half the pairs cannot spoil.
func medianMotion(ps []Pair) (dx, dy float64) {
	return weightedMedian(ps, func(p *Pair) float64 { return p.U - p.X }),
		weightedMedian(ps, func(p *Pair) float64 { return p.V - p.Y })
}

// weightedMedian narrows an interval by bisection: no sorting, no allocation.
func weightedMedian(ps []Pair, of func(*Pair) float64) float64 {
	lo, hi, all := math.Inf(1), math.Inf(-1), 0.0
	for i := range ps {
		v := of(&ps[i])
		lo, hi, all = min(lo, v), max(hi, v), all+ps[i].W
	}
	for hi-lo > medianStep {
		mid, below := (lo+hi)/2, 0.0
		for i := range ps {
			if of(&ps[i]) <= mid {
				below += ps[i].W
			}
		}
		if below*2 >= all {
			hi = mid
		} else {
			lo = mid
		}
	}
	return (lo + hi) / 2
}
