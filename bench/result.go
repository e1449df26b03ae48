package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	latencyMax   = 10 * time.Minute // what is longer counts as this long
	kindsMax     = 16               // error kinds told apart; the rest is "other"
	failuresKept = 3                // errors kept whole
)

// Result is what Publish measured. Latencies are those of accepted requests, in µs.
type Result struct {
	Published int64   `json:"published"`
	Errors    int64   `json:"errors"`
	PerSecond float64 `json:"per_second"` // published, over the time from the first request to the last reply
	P50       int64   `json:"p50_us"`
	P99       int64   `json:"p99_us"`
	P999      int64   `json:"p999_us"`
	Max       int64   `json:"max_us"`

	Elapsed  time.Duration    `json:"-"`
	Kinds    map[string]int64 `json:"-"` // errors by kind, such as "status 503" or "timeout"
	Failures []string         `json:"-"` // the first few errors, with what the server said
}

// String is the result for people, several lines long.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "published %s in %.2f s, %s per second\n",
		grouped(r.Published), r.Elapsed.Seconds(), grouped(int64(r.PerSecond)))
	fmt.Fprintf(&b, "latency   p50 %s  p99 %s  p99.9 %s  max %s\n",
		microseconds(r.P50), microseconds(r.P99), microseconds(r.P999), microseconds(r.Max))
	fmt.Fprintf(&b, "errors    %s\n", grouped(r.Errors))
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		fmt.Fprintf(&b, "  %s: %s\n", kind, grouped(r.Kinds[kind]))
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "  such as: %s\n", failure)
	}
	return b.String()
}

// tally is what was counted since it was last reset.
type tally struct {
	latency   *hdrhistogram.Histogram // of accepted publishes, in µs
	published int64
	errors    int64
	kinds     map[string]int64
	failures  []string
}

func newTally() *tally {
	return &tally{latency: hdrhistogram.New(1, latencyMax.Microseconds(), 3), kinds: map[string]int64{}}
}

// succeed counts a request that published so many messages.
func (t *tally) succeed(latency time.Duration, messages int) {
	t.published += int64(messages)
	// The value is in range, so there is no error to see.
	_ = t.latency.RecordValue(min(latency, latencyMax).Microseconds())
}

func (t *tally) fail(kind, detail string) {
	t.errors++
	t.count(kind, 1)
	if len(t.failures) < failuresKept {
		t.failures = append(t.failures, detail)
	}
}

func (t *tally) count(kind string, n int64) {
	if _, known := t.kinds[kind]; !known && len(t.kinds) >= kindsMax {
		kind = "other"
	}
	t.kinds[kind] += n
}

func (t *tally) add(from *tally) {
	t.latency.Merge(from.latency)
	t.published += from.published
	t.errors += from.errors
	for kind, n := range from.kinds {
		t.count(kind, n)
	}
	room := failuresKept - len(t.failures)
	t.failures = append(t.failures, from.failures[:min(room, len(from.failures))]...)
}

func (t *tally) reset() {
	t.latency.Reset()
	t.published, t.errors, t.failures = 0, 0, nil
	clear(t.kinds)
}

func (t *tally) result(elapsed time.Duration) *Result {
	r := &Result{
		Published: t.published,
		Errors:    t.errors,
		P50:       t.latency.ValueAtQuantile(50),
		P99:       t.latency.ValueAtQuantile(99),
		P999:      t.latency.ValueAtQuantile(99.9),
		Max:       t.latency.Max(),
		Elapsed:   elapsed,
		Kinds:     t.kinds,
		Failures:  t.failures,
	}
	r.PerSecond = perSecond(t.published, elapsed)
	return r
}

// perSecond is a rate with one decimal.
func perSecond(n int64, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(int64(float64(n)/elapsed.Seconds()*10+0.5)) / 10
}

// recorder is a tally that several connections write to and one reporter empties.
type recorder struct {
	mu    sync.Mutex
	tally *tally // guarded by mu
}

func (r *recorder) succeed(latency time.Duration, messages int) {
	r.mu.Lock()
	r.tally.succeed(latency, messages)
	r.mu.Unlock()
}

func (r *recorder) fail(kind, detail string) {
	r.mu.Lock()
	r.tally.fail(kind, detail)
	r.mu.Unlock()
}

func (r *recorder) drain(into *tally) {
	r.mu.Lock()
	into.add(r.tally)
	r.tally.reset()
	r.mu.Unlock()
}

// recorders is few enough to be merged every second at no cost, and more than the cores that fight for one.
const recorders = 8

// scoreboard is the recorders of a run and their sum.
type scoreboard struct {
	recorders []recorder
	second    *tally // since the last progress line; reporter only
	total     *tally // reporter only
}

func newScoreboard(conns int) *scoreboard {
	s := &scoreboard{recorders: make([]recorder, min(conns, recorders)), second: newTally(), total: newTally()}
	for i := range s.recorders {
		s.recorders[i].tally = newTally()
	}
	return s
}

func (s *scoreboard) recorder(worker int) *recorder { return &s.recorders[worker%len(s.recorders)] }

func (s *scoreboard) gather() {
	s.second.reset()
	for i := range s.recorders {
		s.recorders[i].drain(s.second)
	}
	s.total.add(s.second)
}

// progress writes the line of the time since the last one.
func (s *scoreboard) progress(w io.Writer, elapsed, since time.Duration) {
	s.gather()
	_, _ = fmt.Fprintf(w, "%4.0fs  %9s/s  p50 %8s  p99 %8s  errors %s\n", elapsed.Seconds(),
		grouped(int64(perSecond(s.second.published, since))), microseconds(s.second.latency.ValueAtQuantile(50)),
		microseconds(s.second.latency.ValueAtQuantile(99)), grouped(s.total.errors))
}

// microseconds prints a latency with three digits.
func microseconds(us int64) string {
	switch {
	case us < 1000:
		return strconv.FormatInt(us, 10) + " µs"
	case us < 1_000_000:
		return strconv.FormatFloat(float64(us)/1e3, 'g', 3, 64) + " ms"
	default:
		return strconv.FormatFloat(float64(us)/1e6, 'f', 2, 64) + " s"
	}
}

// grouped prints a number with its thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
