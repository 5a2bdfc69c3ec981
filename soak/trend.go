package soak

import "math"

// Trend is the straight line through a series by least squares: its slope an hour, and the half width of the slope's 95 % confidence
// interval. Samples of one process follow one another closely, so the interval is widened for the correlation of neighbouring residuals (an
// effective number of samples of n·(1−r)/(1+r), r the lag-one autocorrelation: Santer and others 2000, section 4).
type Trend struct {
	PerHour  float64
	Interval float64
}

// Upper is the upper bound of the slope's interval.
func (t Trend) Upper() float64 { return t.PerHour + t.Interval }

// trendOf fits values at times in seconds. Fewer than eight samples tell no slope.
func trendOf(at, values []float64) Trend {
	n := float64(len(at))
	if n < 8 {
		return Trend{Interval: math.Inf(1)}
	}
	mt, mv := mean(at), mean(values)
	var stt, stv float64
	for i := range at {
		stt += (at[i] - mt) * (at[i] - mt)
		stv += (at[i] - mt) * (values[i] - mv)
	}
	slope := stv / stt
	residuals := make([]float64, len(at))
	var see float64
	for i := range at {
		residuals[i] = values[i] - mv - slope*(at[i]-mt)
		see += residuals[i] * residuals[i]
	}
	effective := max(n*(1-lagOne(residuals))/(1+lagOne(residuals)), 3)
	deviation := math.Sqrt(see / (effective - 2) / stt)
	return Trend{PerHour: 3600 * slope, Interval: 3600 * student95(effective-2) * deviation}
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// lagOne is the correlation of each residual with the next, 0..0.98.
func lagOne(r []float64) float64 {
	var a, b float64
	for i := range r {
		b += r[i] * r[i]
		if i > 0 {
			a += r[i] * r[i-1]
		}
	}
	if b == 0 {
		return 0
	}
	return min(max(a/b, 0), 0.98)
}

// student95 is the two-sided 95 % quantile of Student's t, by Cornish and Fisher's expansion about the normal quantile; within 1 % from 3
// degrees of freedom on.
func student95(df float64) float64 {
	const z = 1.959964
	z3, z5 := z*z*z, z*z*z*z*z
	return z + (z3+z)/(4*df) + (5*z5+16*z3+3*z)/(96*df*df) + (3*z5*z*z+19*z5+17*z3-15*z)/(384*df*df*df)
}
