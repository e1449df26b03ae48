package bench

import (
	"math"
	"slices"
)

// exactMax is the number of values up to which the distribution is counted out; beyond it the normal one is as good.
const exactMax = 60

// mannWhitney returns the probability that two samples of one distribution differ as much as these or more,
// by the Mann-Whitney U test, two-sided: twice the smaller tail, at most 1. It asks nothing of the
// distribution but that runs do not depend on each other. An empty sample differs from nothing.
//
// Ties get the mean of their ranks, and the distribution is that of all ways to deal these very ranks
// to the two samples, so ties are exact as well.
func mannWhitney(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 1
	}
	ranks, sum, ties := doubledRanks(a, b)
	if len(ranks) > exactMax {
		return normalTails(len(a), len(b), sum, ties)
	}
	return exactTails(ranks, len(a), sum)
}

// doubledRanks ranks both samples together, from 1. Ranks are doubled, so that the mean of two is a whole
// number. It returns all of them, the sum of those of a, and the sum of t³-t over groups of t tied values.
func doubledRanks(a, b []float64) (ranks []int, sum int, ties float64) {
	all := slices.Concat(a, b)
	slices.Sort(all)
	rankOf := make(map[float64]int, len(all))
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to] == all[from] {
			to++
		}
		rankOf[all[from]] = from + 1 + to // the ranks from+1 to `to`, twice their mean
		for range to - from {
			ranks = append(ranks, from+1+to)
		}
		tied := float64(to - from)
		ties += tied*tied*tied - tied
		from = to
	}
	for _, v := range a {
		sum += rankOf[v]
	}
	return ranks, sum, ties
}

// exactTails counts in how many of the ways to choose n of the ranks their sum is as small, or as large.
func exactTails(ranks []int, n, sum int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	// ways[k][s] is the number of ways to choose k of the ranks seen so far with the sum s. The counts stay below
	// 2^57, of which a float64 keeps 53 bits: far more than a probability needs.
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for _, r := range ranks {
		for k := n; k > 0; k-- {
			for s := total; s >= r; s-- {
				ways[k][s] += ways[k-1][s-r]
			}
		}
	}
	var all, low, high float64
	for s, count := range ways[n] {
		all += count
		if s <= sum {
			low += count
		}
		if s >= sum {
			high += count
		}
	}
	return min(1, 2*min(low, high)/all)
}

// normalTails is the approximation for large samples, with the corrections for ties and for continuity.
func normalTails(n, m, doubledSum int, ties float64) float64 {
	a, b := float64(n), float64(m)
	u := float64(doubledSum)/2 - a*(a+1)/2
	all := a + b
	sigma := math.Sqrt(a * b / 12 * (all + 1 - ties/(all*(all-1))))
	if sigma == 0 {
		return 1
	}
	z := max(0, math.Abs(u-a*b/2)-0.5) / sigma
	return math.Erfc(z / math.Sqrt2)
}

// leastP is the smallest probability that samples of these sizes can give: with no overlap at all.
func leastP(n, m int) float64 {
	ways := 1.0
	for i := 1; i <= n; i++ {
		ways = ways * float64(m+i) / float64(i)
	}
	return min(1, 2/ways)
}
