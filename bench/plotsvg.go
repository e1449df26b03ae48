package bench

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Where things are, in pixels.
const (
	chartWidth  = 800
	panelHeight = 230
	panelTop    = 62 // of the first panel, below the title and its legend
	panelGap    = 58 // between two panels: the legend of the lower one
	marginLeft  = 76
	marginRight = 28
	marginFoot  = 58 // numbers and label of the axis
	inset       = 14 // between the frame and the first and last value, so that marks are whole
	letter      = 7  // width of one, nearly
)

// style paints its own background, so that the picture is readable wherever it stands, and follows the reader's wish for
// dark pages. The colours are told apart by those who see no red or green, and the marks differ as well.
const style = `
.bg{fill:#ffffff}
text{fill:#1f2328;font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.title{font-size:16px;font-weight:600}
.frame{fill:none;stroke:#8c959f}
.grid{stroke:#d8dee4}
.minor{stroke:#f0f2f5}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.range{stroke-width:1.5}
.dashed{stroke-dasharray:6 5}
.c0{stroke:#0969da}.m0{fill:#0969da}
.c1{stroke:#bc4c00}.m1{fill:#bc4c00}
.c2{stroke:#0f7b6c}.m2{fill:#0f7b6c}
.c3{stroke:#57606a}.m3{fill:#57606a}
@media (prefers-color-scheme:dark){
.bg{fill:#0d1117}
text{fill:#e6edf3}
.frame{stroke:#6e7681}
.grid{stroke:#30363d}
.minor{stroke:#1b2129}
.c0{stroke:#58a6ff}.m0{fill:#58a6ff}
.c1{stroke:#ffa657}.m1{fill:#ffa657}
.c2{stroke:#3ec9b0}.m2{fill:#3ec9b0}
.c3{stroke:#9da7b1}.m3{fill:#9da7b1}
}
`

// The palette.
const (
	blue = iota
	orange
	green
	grey
	colours // how many
)

// drawing writes the elements of a picture.
type drawing struct{ bytes.Buffer }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// text writes a text that may hold any character.
func (d *drawing) text(x, y float64, attributes, text string) {
	d.add(`<text x="%s" y="%s"%s>%s</text>`, pixel(x), pixel(y), attributes, escaped(text))
}

func (d *drawing) stroke(class string, x1, y1, x2, y2 float64) {
	d.add(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, pixel(x1), pixel(y1), pixel(x2), pixel(y2))
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // into memory
	return b.String()
}

func pixel(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

const (
	alignRight  = ` text-anchor="end"`
	alignMiddle = ` text-anchor="middle"`
)

// svg draws the chart.
func (c *chart) svg() []byte {
	height := panelTop + len(c.panels)*panelHeight + (len(c.panels)-1)*panelGap + marginFoot
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title about">`,
		chartWidth, height, chartWidth, height)
	d.add(`<title id="title">%s</title>`, escaped(c.title))
	d.add(`<desc id="about">%s</desc>`, escaped(c.about))
	d.add(`<style>%s</style>`, style)
	d.add(`<rect class="bg" width="100%%" height="100%%" rx="6"/>`)
	d.text(16, 26, ` class="title"`, c.title)
	x := c.xScale()
	x.from, x.to = marginLeft+inset, chartWidth-marginRight-inset
	for i := range c.panels {
		y := c.panels[i].yScale()
		top := float64(panelTop + i*(panelHeight+panelGap))
		y.from, y.to = top+panelHeight-inset/2, top+inset
		c.frame(d, &c.panels[i], x, y, top, i == len(c.panels)-1)
		for _, l := range c.panels[i].lines {
			l.draw(d, x, y)
		}
	}
	d.add(`</svg>`)
	return d.Bytes()
}

// frame draws the grid with its numbers, the labels and the legend. Only the last panel has those of the common axis.
func (c *chart) frame(d *drawing, p *panel, x, y scale, top float64, last bool) {
	const left, right = marginLeft, chartWidth - marginRight
	foot := top + panelHeight
	for _, t := range y.ticks() {
		at := y.at(t.value)
		d.stroke(gridClass(t), left, at, right, at)
		if t.major {
			d.text(left-8, at+4.5, alignRight, p.y.text(t.value))
		}
	}
	for _, t := range x.ticks() {
		at := x.at(t.value)
		d.stroke(gridClass(t), at, top, at, foot)
		if t.major && last {
			d.text(at, foot+19, alignMiddle, c.x.text(t.value))
		}
	}
	d.add(`<rect class="frame" x="%d" y="%s" width="%d" height="%d"/>`, left, pixel(top), right-left, panelHeight)
	d.text(16, top-10, "", p.y.label)
	if last {
		d.text((left+right)/2, foot+44, alignMiddle, c.x.label)
	}
	p.legend(d, top-10)
}

func gridClass(t tick) string {
	if t.major {
		return "grid"
	}
	return "minor"
}

// legend names the lines from right to left, so that it ends with the frame.
func (p *panel) legend(d *drawing, y float64) {
	right := float64(chartWidth - marginRight)
	for i := len(p.lines) - 1; i >= 0; i-- {
		l := p.lines[i]
		if l.name == "" {
			continue
		}
		right -= letter * float64(utf8.RuneCountInString(l.name))
		d.text(right, y, "", l.name)
		right -= 34
		d.stroke(l.class(), right, y-4, right+28, y-4)
		if !l.dashed {
			l.mark(d, right+14, y-4)
		}
		right -= 18
	}
}

func (l *line) class() string {
	class := "line c" + strconv.Itoa(l.colour)
	if l.dashed {
		class += " dashed"
	}
	return class
}

// draw draws the line, the range of every point, and its mark on top.
func (l *line) draw(d *drawing, x, y scale) {
	path := make([]string, 0, len(l.points))
	for _, p := range l.points {
		path = append(path, pixel(x.at(p.x))+","+pixel(y.at(p.y.Median)))
	}
	d.add(`<polyline class="%s" points="%s"/>`, l.class(), strings.Join(path, " "))
	if l.dashed {
		return
	}
	for _, p := range l.points {
		at := x.at(p.x)
		if p.y.Min < p.y.Max {
			class, low, high := "range c"+strconv.Itoa(l.colour), y.at(p.y.Min), y.at(p.y.Max)
			d.stroke(class, at, low, at, high)
			d.stroke(class, at-4, low, at+4, low)
			d.stroke(class, at-4, high, at+4, high)
		}
		l.mark(d, at, y.at(p.y.Median))
	}
}

// mark draws a circle, a square, a diamond or a triangle.
func (l *line) mark(d *drawing, x, y float64) {
	corners := map[int][]float64{
		orange: {-3.8, -3.8, 3.8, -3.8, 3.8, 3.8, -3.8, 3.8},
		green:  {0, -5.5, 5.5, 0, 0, 5.5, -5.5, 0},
		grey:   {0, -5, 4.8, 4, -4.8, 4},
	}[l.colour]
	if corners == nil {
		d.add(`<circle class="m%d" cx="%s" cy="%s" r="4.2"/>`, l.colour, pixel(x), pixel(y))
		return
	}
	points := make([]string, 0, len(corners)/2)
	for i := 0; i < len(corners); i += 2 {
		points = append(points, pixel(x+corners[i])+","+pixel(y+corners[i+1]))
	}
	d.add(`<polygon class="m%d" points="%s"/>`, l.colour, strings.Join(points, " "))
}
