package stream

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/segedge/segedge/seg"
)

// Bounds of an outline: it is for hovering and picking, and goes out with every picture.
const (
	outlineGrid   = 160 // cells across, at most
	outlineRings  = 6
	outlinePoints = 48  // of one ring
	outlineBudget = 960 // points of one ring for all objects together
)

// outline is a mask's rings as JSON, [[x,y,x,y,…],…] in 0..1 with three decimals; nil for a mask without a cell. A ring
// has about so many points at most.
func outline(m *seg.Mask, points int) json.RawMessage { return absolute(rings(m, points)) }

// rings are a mask's outline in thousandths of the picture, x and y in turn.
func rings(m *seg.Mask, points int) [][]int {
	if m == nil || m.Rect.Empty() || m.W <= 0 || m.H <= 0 {
		return nil
	}
	if m.W > outlineGrid {
		m = m.Resize(outlineGrid, max(1, (m.H*outlineGrid+m.W/2)/m.W))
	}
	polygons := m.Polygons(0.8)
	for epsilon := 1.2; epsilon < 12 && longest(polygons) > points; epsilon *= 1.6 {
		polygons = m.Polygons(epsilon)
	}
	if len(polygons) > outlineRings { // the longest are the ones a person can point at
		slices.SortStableFunc(polygons, func(a, b []seg.Point) int { return cmp.Compare(len(b), len(a)) })
		polygons = polygons[:outlineRings]
	}
	var out [][]int
	for _, polygon := range polygons {
		ring := make([]int, 0, 2*len(polygon))
		for _, p := range polygon {
			ring = append(ring, int(math.Round(1000*p.X)), int(math.Round(1000*p.Y)))
		}
		out = append(out, ring)
	}
	return out
}

// absolute writes rings in 0..1; nil where there are none.
func absolute(rings [][]int) json.RawMessage {
	return written(rings, func(out []byte, ring []int, i int) []byte {
		return strconv.AppendFloat(out, float64(ring[i])/1000, 'f', 3, 64)
	})
}

// relative writes rings in whole thousandths: the first point, then how far each is from the one before.
func relative(rings [][]int) json.RawMessage {
	return written(rings, func(out []byte, ring []int, i int) []byte {
		if i < 2 {
			return strconv.AppendInt(out, int64(ring[i]), 10)
		}
		return strconv.AppendInt(out, int64(ring[i]-ring[i-2]), 10)
	})
}

func written(rings [][]int, number func(out []byte, ring []int, i int) []byte) json.RawMessage {
	if len(rings) == 0 {
		return nil
	}
	out := []byte{'['}
	for i, ring := range rings {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for k := range ring {
			if k > 0 {
				out = append(out, ',')
			}
			out = number(out, ring, k)
		}
		out = append(out, ']')
	}
	return append(out, ']')
}

func longest(rings [][]seg.Point) (n int) {
	for _, r := range rings {
		n = max(n, len(r))
	}
	return n
}
