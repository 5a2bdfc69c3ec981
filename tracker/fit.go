package tracker

import "math"

// affine maps (x, y) to (a·x + b·y + c, d·x + e·y + f).
type affine struct{ a, b, c, d, e, f float64 }

var identity = affine{a: 1, e: 1}

func (m affine) at(x, y float64) (float64, float64) {
	return m.a*x + m.b*y + m.c, m.d*x + m.e*y + m.f
}

// after is the map that applies n first and then m.
func (m affine) after(n affine) affine {
	return affine{
		m.a*n.a + m.b*n.d, m.a*n.b + m.b*n.e, m.a*n.c + m.b*n.f + m.c,
		m.d*n.a + m.e*n.d, m.d*n.b + m.e*n.e, m.d*n.c + m.e*n.f + m.f,
	}
}

// inverse is the identity for a map that has none.
func (m affine) inverse() affine {
	det := m.a*m.e - m.b*m.d
	if math.Abs(det) < 1e-6 {
		return identity
	}
	i := affine{a: m.e / det, b: -m.b / det, d: -m.d / det, e: m.a / det}
	i.c, i.f = -(i.a*m.c + i.b*m.f), -(i.d*m.c + i.e*m.f)
	return i
}

// scale is the factor by which the map changes lengths.
func (m affine) scale() float64 { return math.Sqrt(math.Abs(m.a*m.e - m.b*m.d)) }

// pair is a point in one frame and the same point in the next one, with the weight it deserves.
type pair struct{ x, y, u, v, w float64 }

// fitted is a motion with what speaks for it.
type fitted struct {
	m        affine
	n        int     // pairs it was asked to explain
	inliers  float64 // share of their weight that it explains
	residual float64 // weighted root mean square over the inliers, pixels
}

const (
	fitRounds = 5
	fitSigma  = 1.0 // pixels: the residual at which a pair counts half
)

// fit finds the similarity that explains the pairs, or a translation where they are too few, by iteratively reweighted least squares
// with Geman–McClure weights around the median motion. The pairs' weights are kept.
func fit(ps []pair) fitted {
	f := fitted{m: identity, n: len(ps)}
	if len(ps) == 0 {
		return f
	}
	tx, ty := medianMotion(ps)
	f.m.c, f.m.f = tx, ty
	for round := range fitRounds {
		sigma := fitSigma * float64(uint(1)<<max(0, 2-round))
		if len(ps) < 4 {
			f.m = weightedTranslation(ps, f.m, sigma)
		} else {
			f.m = weightedSimilarity(ps, f.m, sigma)
		}
	}
	f.inliers, f.residual = f.m.explain(ps)
	return f
}

func robust(r2, sigma float64) float64 {
	k := sigma * sigma / (sigma*sigma + r2)
	return k * k
}

func (m affine) miss2(p pair) float64 {
	u, v := m.at(p.x, p.y)
	return (u-p.u)*(u-p.u) + (v-p.v)*(v-p.v)
}

func (m affine) explain(ps []pair) (share, rms float64) {
	var all, in, sum float64
	for _, p := range ps {
		all += p.w
		if r2 := m.miss2(p); r2 < 4*fitSigma*fitSigma {
			in += p.w
			sum += p.w * r2
		}
	}
	if in == 0 || all == 0 {
		return 0, 0
	}
	return in / all, math.Sqrt(sum / in)
}

func weightedTranslation(ps []pair, m affine, sigma float64) affine {
	var w, dx, dy float64
	for _, p := range ps {
		k := p.w * robust(m.miss2(p), sigma)
		w += k
		dx += k * (p.u - p.x)
		dy += k * (p.v - p.y)
	}
	if w < 1e-9 {
		return m
	}
	return affine{a: 1, c: dx / w, e: 1, f: dy / w}
}

// weightedSimilarity solves for rotation, scale and shift in closed form (Umeyama 1991, in two dimensions), damped
// towards a pure shift where the points hardly spread.
func weightedSimilarity(ps []pair, m affine, sigma float64) affine {
	var w, x, y, u, v float64
	for i := range ps {
		p := &ps[i]
		k := p.w * robust(m.miss2(*p), sigma)
		w += k
		x += k * p.x
		y += k * p.y
		u += k * p.u
		v += k * p.v
	}
	if w < 1e-9 {
		return m
	}
	x, y, u, v = x/w, y/w, u/w, v/w
	var dot, cross, spread float64
	for i := range ps {
		p := &ps[i]
		k := p.w * robust(m.miss2(*p), sigma)
		px, py, pu, pv := p.x-x, p.y-y, p.u-u, p.v-v
		dot += k * (px*pu + py*pv)
		cross += k * (px*pv - py*pu)
		spread += k * (px*px + py*py)
	}
	damp := 8 * w // as if each pair had been seen moving rigidly 2.8 pixels off the middle
	a, b := (dot+damp)/(spread+damp), cross/(spread+damp)
	return affine{a, -b, u - a*x + b*y, b, a, v - b*x - a*y}
}

// leastBend is the number of pairs from which on a fit may also stretch and shear.
const leastBend = 16

// bend lets the similarity stretch and shear as far as the pairs that it explains agree on that: one least-squares step for what is left,
// damped as the similarity is.
func (f *fitted) bend(ps []pair) {
	if len(ps) < leastBend || f.inliers < 0.5 {
		return
	}
	var w, x, y, u, v float64
	for i := range ps {
		k := ps[i].w * robust(f.m.miss2(ps[i]), fitSigma)
		w, x, y = w+k, x+k*ps[i].x, y+k*ps[i].y
	}
	if w < 1e-9 {
		return
	}
	x, y = x/w, y/w
	var xx, xy, yy, xu, yu, xv, yv float64
	for i := range ps {
		p := &ps[i]
		k := p.w * robust(f.m.miss2(*p), fitSigma)
		u, v = f.m.at(p.x, p.y)
		px, py, ru, rv := p.x-x, p.y-y, p.u-u, p.v-v
		xx, xy, yy = xx+k*px*px, xy+k*px*py, yy+k*py*py
		xu, yu, xv, yv = xu+k*px*ru, yu+k*py*ru, xv+k*px*rv, yv+k*py*rv
	}
	damp := bendDamp * w
	xx, yy = xx+damp, yy+damp
	det := xx*yy - xy*xy
	a, b := (xu*yy-yu*xy)/det, (yu*xx-xu*xy)/det
	d, e := (xv*yy-yv*xy)/det, (yv*xx-xv*xy)/det
	f.m = affine{f.m.a + a, f.m.b + b, f.m.c - a*x - b*y, f.m.d + d, f.m.e + e, f.m.f - d*x - e*y}
}

const bendDamp = 40 // squared pixels

// medianMotion is the weighted median of the displacements, by axis: a start that half the pairs cannot spoil.
func medianMotion(ps []pair) (dx, dy float64) {
	return weightedMedian(ps, func(p *pair) float64 { return p.u - p.x }),
		weightedMedian(ps, func(p *pair) float64 { return p.v - p.y })
}

// weightedMedian narrows an interval by bisection: no sorting, no allocation, 1/100 pixel exact.
func weightedMedian(ps []pair, of func(*pair) float64) float64 {
	lo, hi, all := math.Inf(1), math.Inf(-1), 0.0
	for i := range ps {
		v := of(&ps[i])
		lo, hi, all = min(lo, v), max(hi, v), all+ps[i].w
	}
	for hi-lo > 0.01 {
		mid, below := (lo+hi)/2, 0.0
		for i := range ps {
			if of(&ps[i]) <= mid {
				below += ps[i].w
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
