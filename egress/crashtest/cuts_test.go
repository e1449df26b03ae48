package crashtest

import "testing"

func TestPowerCuts(t *testing.T) {
	if *seedFlag != 0 {
		replay(t, cutPlan(*seedFlag))
		return
	}
	c := campaign{plan: cutPlan, enough: func(total *tally, _ int) bool { return total.cuts >= goal(10_000, 500_000, "FANFARE_CUTS") }}
	total, first, last := c.run(t, "TestPowerCuts")
	t.Logf("power cuts: %d, seeds %d..%d, %v", total.cuts, first, last, total)
	total.complain(t, true)
}

func cutPlan(seed uint64) plan {
	return plan{seed: seed, generations: 1 + int(seed%4), steps: 40, cutsMax: 60, drivesEach: 1, patience: *patienceFlag}
}

// failed are the seeds that once found a bug, each with what it was.
var failed = []struct {
	seed uint64
	plan func(uint64) plan
	what string
}{}

func TestSeedsThatFailedOnce(t *testing.T) {
	for _, f := range failed {
		t.Run(f.what, func(t *testing.T) { replay(t, f.plan(f.seed)) })
	}
}
