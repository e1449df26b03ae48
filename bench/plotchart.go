package bench

import (
	"math"
)

// chart is one or more panels above each other, on one axis from left to right.
type chart struct {
	title, about string
	x            axis
	panels       []panel
}

type axis struct {
	label string
	log   bool
	text  func(float64) string // of a tick
}

type panel struct {
	y     axis
	lines []line
}

// line is what one colour and one sort of mark stand for.
type line struct {
	name   string // in the legend; without one it is not there
	colour int    // of the palette
	dashed bool   // a reference rather than a measurement: without marks
	points []point
}

// point is a median with the range of its runs.
type point struct {
	x float64
	y Spread
}

// lineOf makes a line of rows that have a place on the axis.
func lineOf(name string, colour int, rows []Row, y func(*Row) Spread) line {
	l := line{name: name, colour: colour}
	for i := range rows {
		l.points = append(l.points, point{rows[i].X, y(&rows[i])})
	}
	return l
}

// fit leaves out the points that the axes have no place for, and the lines that are left without points.
func (c *chart) fit() {
	for i := range c.panels {
		p := &c.panels[i]
		var lines []line
		for _, l := range p.lines {
			var points []point
			for _, at := range l.points {
				if fits(at.x, c.x.log) && fits(at.y.Median, p.y.log) && fits(at.y.Min, p.y.log) && fits(at.y.Max, p.y.log) {
					points = append(points, at)
				}
			}
			if l.points = points; len(points) > 0 {
				lines = append(lines, l)
			}
		}
		p.lines = lines
	}
}

func fits(v float64, log bool) bool {
	if log {
		return v > 0 && !math.IsInf(v, 0)
	}
	return v >= 0 && !math.IsInf(v, 0)
}

// points counts those of the chart's longest line.
func (c *chart) points() int {
	n := 0
	for _, p := range c.panels {
		for _, l := range p.lines {
			n = max(n, len(l.points))
		}
	}
	return n
}

func (c *chart) xScale() scale {
	var values []float64
	for _, p := range c.panels {
		for _, l := range p.lines {
			for _, at := range l.points {
				values = append(values, at.x)
			}
		}
	}
	return c.x.scale(values)
}

func (p *panel) yScale() scale {
	var values []float64
	for _, l := range p.lines {
		for _, at := range l.points {
			values = append(values, at.y.Min, at.y.Median, at.y.Max)
		}
	}
	return p.y.scale(values)
}

func (a axis) scale(values []float64) scale {
	if a.log {
		return logScale(values)
	}
	return linearScale(values)
}
