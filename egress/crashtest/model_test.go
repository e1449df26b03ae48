package crashtest

import "testing"

// Runs without a power cut: only clean restarts, and at the end everything has arrived, once if nothing was unheard.
func TestModelRuns(t *testing.T) {
	if *seedFlag != 0 {
		replay(t, modelPlan(*seedFlag))
		return
	}
	c := campaign{plan: modelPlan, enough: func(total *tally, runs int) bool { return runs >= goal(2000, 200_000, "FANFARE_RUNS") }}
	total, first, last := c.run(t, "TestModelRuns")
	t.Logf("model-checked runs: %d, seeds %d..%d, %v", last-first+1, first, last, total)
	total.complain(t, false)
}

func modelPlan(seed uint64) plan {
	return plan{seed: seed, generations: 1 + int(seed%2), steps: 8, patience: *patienceFlag}
}
