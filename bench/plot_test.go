package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// picture is what a test looks at in an SVG document.
type picture struct {
	elements map[string]int
	lines    []string // points of each polyline
	texts    []string
	numbers  []float64 // of all coordinates
	title    string
	about    string
}

// parsed reads a document to its end, and fails if it is no valid XML.
func parsed(t *testing.T, svg []byte) picture {
	t.Helper()
	p := picture{elements: map[string]int{}}
	in := ""
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local
			p.elements[in]++
			for _, a := range token.Attr {
				p.attribute(t, in, a.Name.Local, a.Value)
			}
		case xml.CharData:
			p.text(in, string(token))
		case xml.EndElement:
			in = ""
		}
	}
}

func (p *picture) attribute(t *testing.T, element, name, value string) {
	t.Helper()
	switch name {
	case "points":
		if element == "polyline" {
			p.lines = append(p.lines, value)
		}
		for _, v := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' }) {
			p.number(t, v)
		}
	case "x", "y", "x1", "x2", "y1", "y2", "cx", "cy":
		p.number(t, value)
	}
}

func (p *picture) number(t *testing.T, text string) {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > chartWidth {
		t.Errorf("a coordinate is %q", text)
	}
	p.numbers = append(p.numbers, v)
}

func (p *picture) text(in, text string) {
	switch in {
	case "text":
		p.texts = append(p.texts, text)
	case "title":
		p.title += text
	case "desc":
		p.about += text
	}
}

func TestPlots(t *testing.T) {
	plots := Plots(sampleReport())
	want := []struct {
		name   string
		points []int // of each line
		marks  int   // circles and polygons, of points and legend
		texts  []string
	}{
		{"load", []int{4, 3, 3, 3, 3}, 4*3 + 4, []string{"0", "10,000", "p99.9", "20 ms", "offered load, messages per second"}},
		{"fanout", []int{4, 4, 4, 4}, 4*4 + 4, []string{"1", "1,000", "10 ms", "20 µs", "Fanfare"}},
		{"topics", []int{2, 3, 2, 3}, 2*3 + 2, []string{"1", "10,000", "40 µs", "publish and push"}},
	}
	if len(plots) != len(want) {
		t.Fatalf("%d plots, want %d", len(plots), len(want))
	}
	for i, w := range want {
		p := parsed(t, plots[i].SVG)
		if plots[i].Name != w.name || p.title != plots[i].Title || p.about != plots[i].About || p.elements["svg"] != 1 {
			t.Errorf("%s, %q, %q: want %s, with a title and a description of its own", plots[i].Name, p.title, p.about, w.name)
		}
		points := make([]int, 0, len(p.lines))
		for _, l := range p.lines {
			points = append(points, len(strings.Fields(l)))
		}
		if !slices.Equal(points, w.points) || p.elements["circle"]+p.elements["polygon"] != w.marks {
			t.Errorf("%s: lines of %v points, want %v; %d circles and %d polygons, want %d", w.name, points, w.points,
				p.elements["circle"], p.elements["polygon"], w.marks)
		}
		for _, text := range w.texts {
			if !slices.Contains(p.texts, text) {
				t.Errorf("%s: no %q in %q", w.name, text, p.texts)
			}
		}
	}
}

// What cannot be drawn is left out, and no text breaks the document.
func TestPlotOfOddFigures(t *testing.T) {
	all := func(v float64) Spread { return Spread{v, v, v} }
	rows := []Row{
		{X: 1, Engine: all(5)},
		{X: 10, Engine: all(0)},
		{X: 100, Engine: all(math.NaN())},
		{X: 1000, Engine: all(math.Inf(1))},
		{X: 10000, Engine: Spread{5, -1, 6}},
		{X: 1e5, Engine: all(5)},
	}
	c := fanoutChart(rows)
	c.title, c.panels[0].lines[1].name = `<&">`, "]]>\x00"
	c.fit()
	p := parsed(t, c.svg())
	if p.title != `<&">` || len(p.lines) != 2 || len(strings.Fields(p.lines[0])) != 2 {
		t.Errorf("%q, %q", p.title, p.lines)
	}
	if got := Plots(&Report{}); len(got) > 0 {
		t.Errorf("%d plots of nothing", len(got))
	}
	one := &Report{Rows: []Row{{Group: "topics", X: 1, Engine: all(5)}, {Group: "topics", X: 10, Engine: all(5), Failure: "no"}}}
	if got := Plots(one); len(got) > 0 {
		t.Errorf("%d plots of one point", len(got))
	}
}

func TestScales(t *testing.T) {
	f := func(s scale, low, top float64, want string) {
		t.Helper()
		var numbered []string
		for _, tick := range s.ticks() {
			if tick.major {
				numbered = append(numbered, wholeText(tick.value))
			}
		}
		if s.low != low || s.top != top {
			t.Errorf("from %v to %v, want %v to %v", s.low, s.top, low, top)
		}
		if diff := cmp.Diff(want, strings.Join(numbered, " ")); diff != "" {
			t.Error(diff)
		}
	}
	f(linearScale(nil), 0, 1, "0 0.2 0.4 0.6 0.8 1")
	f(linearScale([]float64{10}), 0, 10, "0 2 4 6 8 10")
	f(linearScale([]float64{43, 12}), 0, 50, "0 10 20 30 40 50")
	f(linearScale([]float64{9601}), 0, 10000, "0 2,000 4,000 6,000 8,000 10,000")
	f(linearScale([]float64{0.07}), 0, 0.07, "0 0.01 0.02 0.03 0.04 0.05 0.06 0.07")
	f(logScale([]float64{1, 1000}), 1, 1000, "1 10 100 1,000")
	f(logScale([]float64{33, 36}), 20, 50, "20 50")
	f(logScale([]float64{10}), 5, 20, "5 10 20")
	f(logScale([]float64{0.3, 7}), 0.2, 10, "0.2 0.5 1 2 5 10")
	f(logScale([]float64{400, 16400}), 200, 20000, "200 500 1,000 2,000 5,000 10,000 20,000")
}

func TestTimeText(t *testing.T) {
	for us, want := range map[float64]string{0: "0 µs", 0.5: "0.5 µs", 20: "20 µs", 1000: "1 ms", 1500: "1.5 ms", 2e6: "2 s"} {
		if got := timeText(us); got != want {
			t.Errorf("%v: %q, want %q", us, got, want)
		}
	}
}
