package stream

import (
	"cmp"
	"encoding/json"
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
func outline(m *seg.Mask, points int) json.RawMessage {
	if m == nil || m.Rect.Empty() || m.W <= 0 || m.H <= 0 {
		return nil
	}
	if m.W > outlineGrid {
		m = m.Resize(outlineGrid, max(1, (m.H*outlineGrid+m.W/2)/m.W))
	}
	rings := m.Polygons(0.8)
	for epsilon := 1.2; epsilon < 12 && longest(rings) > points; epsilon *= 1.6 {
		rings = m.Polygons(epsilon)
	}
	if len(rings) == 0 {
		return nil
	}
	if len(rings) > outlineRings { // the longest are the ones a person can point at
		slices.SortStableFunc(rings, func(a, b []seg.Point) int { return cmp.Compare(len(b), len(a)) })
		rings = rings[:outlineRings]
	}
	out := []byte{'['}
	for i, ring := range rings {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for k, p := range ring {
			if k > 0 {
				out = append(out, ',')
			}
			out = strconv.AppendFloat(out, p.X, 'f', 3, 64)
			out = strconv.AppendFloat(append(out, ','), p.Y, 'f', 3, 64)
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
