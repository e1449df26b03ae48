package bench

import (
	"math"
	"strconv"
	"strings"
)

// figure prints a figure with its unit.
func figure(unit string, v float64) string {
	switch unit {
	case unitBytes:
		return bytesText(v)
	case unitShare:
		return number(100*v) + " %"
	case unitLatency:
		return latencyText(v)
	case unitAllocations:
		return number(v)
	default:
		return number(v) + " µs"
	}
}

// figureSpread prints the median with the range of the runs behind it.
func figureSpread(s Spread, print func(float64) string) string {
	if s == (Spread{}) {
		return ""
	}
	return rangeText(s, print)
}

// rangeText is figureSpread for a figure that can be nought.
func rangeText(s Spread, print func(float64) string) string {
	median, low, high := print(s.Median), print(s.Min), print(s.Max)
	if low == high {
		return median
	}
	text := between(low, high)
	if unit := unitOf(median); unit == unitOf(low) && unit == unitOf(high) {
		text = strings.TrimSuffix(text, unit)
	}
	return median + " (" + text + ")"
}

// between is a range, with its unit once if it is the same.
func between(low, high string) string {
	if low == high {
		return low
	}
	if unit := unitOf(low); unit == unitOf(high) {
		low = strings.TrimSuffix(low, unit)
	}
	return low + " to " + high
}

// unitOf is the unit behind a figure, with the space before it.
func unitOf(text string) string {
	_, unit, ok := strings.Cut(text, " ")
	if !ok {
		return ""
	}
	return " " + unit
}

// number prints three digits or so: two behind the point at most, unless they would both be noughts.
func number(v float64) string {
	size := math.Abs(v)
	switch {
	case size == 0:
		return "0"
	case size >= 99.95:
		return grouped(int64(math.Round(v)))
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 0.0995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
}

// latencyText is microseconds for a figure that may be between two of them.
func latencyText(us float64) string {
	if us < 100 {
		return number(us) + " µs"
	}
	return microseconds(int64(math.Round(us)))
}

func bytesText(v float64) string {
	for _, unit := range []string{"B", "KiB", "MiB"} {
		if math.Abs(v) < 1024 {
			return strings.TrimSuffix(number(v), ".00") + " " + unit
		}
		v /= 1024
	}
	return number(v) + " GiB"
}

// cell keeps a text from ending its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\r", "", "\n", " ").Replace(s)
}
