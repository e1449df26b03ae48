package bench

import (
	"fmt"
	"time"
)

// progress knows how far a suite is, and guesses how long it will take.
type progress struct {
	scenarios int
	at        int           // number of the one being measured
	total     time.Duration // that all of them were expected to take
	behind    time.Duration // that those already measured were expected to take
	current   time.Duration // that this one is expected to take
	began     time.Time
}

func (p *progress) begin(all []*scenario) {
	p.scenarios, p.began = len(all), time.Now()
	for _, sc := range all {
		p.total += sc.takes
	}
}

func (p *progress) next(sc *scenario) {
	p.at++
	p.current = sc.takes
}

func (p *progress) done(sc *scenario) {
	p.behind += sc.takes
	p.current = 0
}

// left guesses the time that is left when a share of the current scenario is done: what is to come is as much
// slower or faster than expected as what is over was.
func (p *progress) left(share float64, elapsed time.Duration) time.Duration {
	over := p.behind + time.Duration(share*float64(p.current))
	if over <= 0 {
		return p.total
	}
	pace := float64(elapsed) / float64(over)
	if over < p.total/50 {
		pace = 1 // too little to tell from
	}
	return max(time.Duration(pace*float64(p.total-over)), 0)
}

// ran says what the last run of a row gave.
func (s *suite) ran(b *builder) {
	p, n := &s.progress, len(b.row.Runs)
	left := p.left(float64(n)/float64(max(b.want, 1)), time.Since(p.began))
	s.say("[%2d/%d] %s  run %d of %d: %s  ~%s left", p.at, p.scenarios, b.row.Name, n, b.want, figures(&b.row, b.last()),
		left.Round(time.Second))
}

// figures is a run in one line.
func figures(row *Row, r Run) string {
	text := quantity(row.Unit, r.Engine)
	if r.Ceiling > 0 {
		text += fmt.Sprintf(", ceiling %s, %.2f ×", quantity(row.Unit, r.Ceiling), r.Engine/r.Ceiling)
	}
	if r.PerSecond > 0 {
		text += ", " + grouped(int64(r.PerSecond)) + "/s"
	}
	if row.Latency != "" && r.P99 > 0 {
		text += fmt.Sprintf(", %s p50 %s p99 %s", row.Latency, microseconds(int64(r.P50)), microseconds(int64(r.P99)))
	}
	return text
}

// quantity prints a figure of a unit of Row.Unit.
func quantity(unit string, v float64) string {
	switch unit {
	case unitBytes:
		return grouped(int64(v)) + " bytes"
	case unitAllocations:
		return fmt.Sprintf("%.3f allocations", v)
	case unitShare:
		return fmt.Sprintf("%.2f %%", 100*v)
	case unitLatency:
		return microseconds(int64(v))
	default:
		return fmt.Sprintf("%.2f µs", v)
	}
}
