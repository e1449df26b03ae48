package bench

import (
	"math"
)

// scale places the values of an axis on a stretch of pixels. Ticks are at round numbers.
type scale struct {
	log      bool
	low, top float64 // values at the ends
	from, to float64 // pixels at the ends
}

// tick is a line across the plot, with a number at the axis if it is a major one.
type tick struct {
	value float64
	major bool
}

// linearScale begins at nought, so that lengths can be compared, and ends at a round number.
func linearScale(values []float64) scale {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	if top == 0 {
		top = 1
	}
	step := roundStep(top)
	return scale{top: math.Ceil(top/step-1e-9) * step}
}

// logScale ends at the round numbers around the values: 1, 2 or 5 times a power of ten. Values are above nought.
func logScale(values []float64) scale {
	low, top := math.Inf(1), 0.0
	for _, v := range values {
		low, top = min(low, v), max(top, v)
	}
	s := scale{log: true, low: roundDown(low), top: roundUp(top)}
	if s.top <= s.low {
		s.low, s.top = roundDown(s.low*0.99), roundUp(s.top*1.01)
	}
	return s
}

// at is the pixel of a value.
func (s scale) at(v float64) float64 {
	share := (v - s.low) / (s.top - s.low)
	if s.log {
		share = math.Log(v/s.low) / math.Log(s.top/s.low)
	}
	return s.from + share*(s.to-s.from)
}

// roundStep is the distance of ticks: 1, 2 or 5 times a power of ten, four to eight of them.
func roundStep(top float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, step := range []float64{5, 2} {
		if top/(step*power) >= 4 {
			return step * power
		}
	}
	return power
}

func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, step := range []float64{5, 2} {
		if step*power <= v*(1+1e-9) {
			return step * power
		}
	}
	return power
}

func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	for _, step := range []float64{1, 2, 5} {
		if step*power >= v*(1-1e-9) {
			return step * power
		}
	}
	return 10 * power
}

func (s scale) ticks() []tick {
	if s.log {
		return s.logTicks()
	}
	step := roundStep(s.top)
	count := int(math.Round(s.top / step))
	all := make([]tick, 0, count+1)
	for i := range count + 1 {
		all = append(all, tick{float64(i) * step, true})
	}
	return all
}

// logTicks are every digit of every decade. The decades have numbers, and 2 and 5 too where decades are few.
func (s scale) logTicks() []tick {
	decades := math.Log10(s.top / s.low)
	var all []tick
	for power := math.Pow(10, math.Floor(math.Log10(s.low)+1e-9)); power <= s.top*(1+1e-9); power *= 10 {
		for digit := 1.0; digit < 10; digit++ {
			v := digit * power
			if v < s.low*(1-1e-9) || v > s.top*(1+1e-9) {
				continue
			}
			few := decades < 2.2 && (digit == 2 || digit == 5)
			all = append(all, tick{v, digit == 1 || few})
		}
	}
	return all
}
