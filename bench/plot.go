package bench

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Plot is a picture of some of a report's figures.
type Plot struct {
	Name  string // of its file, without the ending
	Title string
	About string // what it shows, in sentences
	SVG   []byte // a document of its own
}

// Plots draws what a report has the figures for: a plot with fewer than two points is none.
func Plots(r *Report) []Plot {
	var all []Plot
	for _, p := range []struct {
		name string
		of   chart
	}{
		{"load", loadChart(r.placed(groupLatency))},
		{"fanout", fanoutChart(r.placed(groupFanOut))},
		{"topics", topicsChart(r.placed(groupTopics))},
		{"bodies", bodiesChart(r.placed(groupBodies))},
	} {
		if p.of.fit(); p.of.points() > 1 {
			all = append(all, Plot{Name: p.name, Title: p.of.title, About: p.of.about, SVG: p.of.svg()})
		}
	}
	return all
}

// placed are the measured rows of a group that have a place on its axis, from left to right.
func (r *Report) placed(group string) []Row {
	rows := slices.DeleteFunc(r.group(group), func(row Row) bool { return row.Failure != "" || row.X <= 0 })
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.X, b.X) })
	return rows
}

func loadChart(rows []Row) chart {
	offered := lineOf("as offered", grey, rows, func(r *Row) Spread { return Spread{r.X, r.X, r.X} })
	offered.dashed = true
	offered.points = slices.Insert(offered.points, 0, point{})
	return chart{
		title: "Throughput and latency against load",
		about: "Messages per second that were accepted, and the latency of each from its intended time to the arrival of its push, at shares of the " +
			"rate the machine sustains. Marks are medians of the runs, bars their range; latency has a logarithmic axis.",
		x: axis{label: "offered load, messages per second", text: wholeText},
		panels: []panel{
			{y: axis{label: "messages per second", text: wholeText}, lines: []line{
				offered, lineOf("accepted", blue, rows, func(r *Row) Spread { return r.PerSecond }),
			}},
			{y: axis{label: "latency", log: true, text: timeText}, lines: []line{
				lineOf("p50", green, rows, func(r *Row) Spread { return r.P50 }),
				lineOf("p99", blue, rows, func(r *Row) Spread { return r.P99 }),
				lineOf("p99.9", orange, rows, func(r *Row) Spread { return r.P999 }),
			}},
		},
	}
}

func fanoutChart(rows []Row) chart {
	engine, ceiling := func(r *Row) Spread { return r.Engine }, func(r *Row) Spread { return r.Ceiling }
	per := func(of func(*Row) Spread) func(*Row) Spread {
		return func(r *Row) Spread {
			s := of(r)
			return Spread{s.Median / r.X, s.Min / r.X, s.Max / r.X}
		}
	}
	return chart{
		title: "Cost against fan-out",
		about: "CPU time of Fanfare per message, from its publish to its last push, and the same divided by the number of pushes, beside the " +
			"ceiling: one fixed reply and as many bare posts. All axes are logarithmic.",
		x: axis{label: "fan-out, subscriptions per message", log: true, text: wholeText},
		panels: []panel{
			{y: axis{label: "CPU per message", log: true, text: timeText}, lines: []line{
				lineOf("ceiling", grey, rows, ceiling), lineOf("Fanfare", blue, rows, engine),
			}},
			{y: axis{label: "CPU per message and subscription", log: true, text: timeText}, lines: []line{
				lineOf("ceiling", grey, rows, per(ceiling)), lineOf("Fanfare", blue, rows, per(engine)),
			}},
		},
	}
}

// topicsChart has a line for each kind of work, and below them where their budget ends.
func topicsChart(rows []Row) chart {
	c := chart{
		title: "Cost against number of topics",
		about: "CPU time of Fanfare per message when the same load is spread over more topics. The cost begins at nought, so that a flat " +
			"line is a flat cost; the number of topics has a logarithmic axis. Dashed is the budget: so many times the cost with one topic.",
		x:      axis{label: "topics", log: true, text: wholeText},
		panels: []panel{{y: axis{label: "CPU per message", text: timeText}}},
	}
	colour, name := blue, "budget"
	for _, work := range works(rows) {
		of := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return workOf(&r) != work })
		budget := lineOf(name, colour, of, func(r *Row) Spread {
			v := r.Budget * of[0].Engine.Median
			return Spread{v, v, v}
		})
		budget.points = slices.DeleteFunc(budget.points, func(p point) bool { return p.y.Median == 0 })
		budget.dashed = true
		measured := lineOf(work, colour, of, func(r *Row) Spread { return r.Engine })
		c.panels[0].lines = append(c.panels[0].lines, budget, measured)
		colour, name = (colour+1)%colours, "" // one of them is enough for the legend
	}
	return c
}

// workOf is what the rows of one line have in common: their name until the comma.
func workOf(r *Row) string {
	work, _, _ := strings.Cut(r.Name, ",")
	return work
}

// works lists them in the order in which they appear.
func works(rows []Row) []string {
	var all []string
	for i := range rows {
		if work := workOf(&rows[i]); !slices.Contains(all, work) {
			all = append(all, work)
		}
	}
	return all
}

func bodiesChart(rows []Row) chart {
	return chart{
		title: "Cost against size of bodies",
		about: "CPU time of Fanfare per message, from its publish to its push, beside the ceiling. Both axes are logarithmic.",
		x:     axis{label: "bytes of a body", log: true, text: wholeText},
		panels: []panel{{y: axis{label: "CPU per message", log: true, text: timeText}, lines: []line{
			lineOf("ceiling", grey, rows, func(r *Row) Spread { return r.Ceiling }),
			lineOf("Fanfare", blue, rows, func(r *Row) Spread { return r.Engine }),
		}}},
	}
}

// wholeText is a tick of an axis without a unit.
func wholeText(v float64) string {
	if whole := math.Round(v); math.Abs(v-whole) < 1e-9*math.Max(1, math.Abs(v)) {
		return grouped(int64(whole))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// timeText is a tick of an axis in microseconds: a round number of the unit that fits.
func timeText(us float64) string {
	switch {
	case us >= 1e6:
		return wholeText(us/1e6) + " s"
	case us >= 1e3:
		return wholeText(us/1e3) + " ms"
	default:
		return wholeText(us) + " µs"
	}
}
