package soak

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Sizes of the picture, pixels.
const (
	plotWidth  = 900
	plotHeight = 130
	plotLeft   = 170
	plotRight  = 20
	plotPad    = 26
)

// Plot draws the series of a report as SVG, one under the other, each with its slope after the warm-up; what was done to the agent is
// marked along the bottom.
func (r *Report) Plot(w io.Writer) error {
	var b strings.Builder
	height := len(series)*plotHeight + 60
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`, plotWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`, plotWidth, height)
	for i, s := range series {
		r.plotSeries(&b, i*plotHeight, s.Name, s.Unit, s.of)
	}
	bottom := float64(len(series) * plotHeight)
	for _, f := range r.Faults {
		x := r.x(f.At)
		fmt.Fprintf(
			&b,
			`<line x1="%.1f" y1="%d" x2="%.1f" y2="%.1f" stroke="#c60" stroke-opacity=".25"><title>%.0f s: %s</title></line>`,
			x,
			plotPad,
			x,
			bottom,
			f.At,
			f.What,
		)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%.0f">%.0f minutes; a line is a fault; the shaded part is warm-up, %.0f minutes</text></svg>`+"\n",
		plotLeft, bottom+30, r.Seconds/60, r.WarmUp/60)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) plotSeries(b *strings.Builder, top int, name, unit string, of func(Sample) float64) {
	most := 1e-9
	for _, s := range r.Samples {
		most = max(most, of(s))
	}
	most = niceCeiling(most)
	y := func(v float64) float64 { return float64(top+plotHeight) - v/most*(plotHeight-plotPad) }
	fmt.Fprintf(
		b,
		`<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="#eee"/>`,
		plotLeft,
		y(most),
		r.x(r.WarmUp)-plotLeft,
		plotHeight-plotPad,
	)
	fmt.Fprintf(
		b,
		`<text x="8" y="%d">%s</text><text x="%d" y="%.1f" text-anchor="end" fill="#666">%g %s</text>`,
		top+plotPad+12,
		name,
		plotLeft-6,
		y(most)+4,
		most,
		unit,
	)
	if t, ok := r.Trends[name]; ok && !math.IsInf(t.Interval, 0) {
		fmt.Fprintf(b, `<text x="8" y="%d" fill="#666">%+.1f ± %.1f an hour</text>`, top+plotPad+30, t.PerHour, t.Interval)
	}
	var points strings.Builder
	for _, s := range r.Samples {
		fmt.Fprintf(&points, "%.1f,%.1f ", r.x(s.At), y(of(s)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="#06c"/>`, strings.TrimSpace(points.String()))
	fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#999"/>`, plotLeft, top+plotHeight, plotWidth-plotRight, top+plotHeight)
}

// x is where a moment lies in the picture.
func (r *Report) x(at float64) float64 {
	return plotLeft + at/max(r.Seconds, 1)*(plotWidth-plotLeft-plotRight)
}

// niceCeiling is the next of 1, 2 and 5 times a power of ten.
func niceCeiling(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*p {
			return m * p
		}
	}
	return v
}
