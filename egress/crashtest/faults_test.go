package crashtest

import (
	"maps"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// emptyDisk is a scenario that begins with nothing.
func emptyDisk(seed uint64) *scenario {
	s := &scenario{seed: seed, shape: newShape(newRand(seed, 77)), history: &history{}, fs: vfs.NewCrashableMem(), steps: 24}
	s.shape.tableBytes = 16 << 10
	return s
}

// usedDisk is a scenario that begins with a store that lost its power at work.
func usedDisk(t *testing.T, seed uint64) *scenario {
	t.Helper()
	s := emptyDisk(seed)
	r := s.trial(fault{}).run
	c := &cutter{history: r.history, fs: r.fs, seed: seed, limit: 1000}
	d := newDisk(r.fs, c.plug)
	c.names = d.names
	w := &world{history: r.history, network: r.network, shape: r.shape}
	if err := w.boot(d, nil); err != nil {
		t.Fatal(err)
	}
	newWorkload(w, c, seed, 40).run()
	c.quiet(1)
	w.kill()
	x := c.cuts[len(c.cuts)-1]
	state, f := r.checkCut(0, x, true)
	if f != nil {
		t.Fatal(f)
	}
	r.history.rewind(x, state)
	s.fs, s.history = x.fs, r.history
	return s
}

// faultsOf are the faults of one operation. What happens seldom is tried at some operations only.
func faultsOf(at int64) []fault {
	all := []fault{{at: at, err: syscall.EIO}, {at: at, err: syscall.ENOSPC, stays: true}}
	switch at % 10 {
	case 1:
		all = append(all, fault{at: at, err: syscall.EROFS, stays: true})
	case 3:
		all = append(all, fault{at: at, err: syscall.EMFILE})
	case 5:
		all = append(all, fault{at: at, err: syscall.EDQUOT, stays: true})
	case 7:
		all = append(all, fault{at: at, err: syscall.ENOSPC, half: true})
	case 9:
		all = append(all, fault{at: at, err: syscall.EIO, half: true, stays: true})
	}
	return all
}

// Every operation of the disk fails once, and from there on: nothing acknowledged is lost, nothing is acknowledged
// that is not saved, the engine says why it takes nothing any more, and nothing hangs for longer than the fault is
// there. The short form tries every operation up to the 500th of a disk that is empty at first, and some of one
// that is not.
func TestFaults(t *testing.T) {
	t.Run("empty disk", func(t *testing.T) { tryFaults(t, emptyDisk(1).faulty, 1) })
	t.Run("used disk", func(t *testing.T) { tryFaults(t, usedDisk(t, 2).faulty, 7) })
}

// faulty is one run of a workload with a fault.
type faulty interface {
	perform() *failure
	end() string       // what the fault led to
	operations() int64 // of the disk
}

func (s *scenario) faulty(f fault) faulty { return s.trial(f) }

func (t *trial) operations() int64 { return t.injector.count.Load() }

// tryFaults tries every stride-th operation; in the long form every one.
func tryFaults(t *testing.T, try func(fault) faulty, stride int64) {
	t.Helper()
	whole := try(fault{})
	if f := whole.perform(); f != nil {
		t.Fatal(f)
	}
	limit := int64(500)
	if testing.Short() {
		stride *= 20
	} else if limit = int64(goal(500, 5000, "FANFARE_FAULTS")); limit > 500 {
		stride = 1
	}
	last := min(whole.operations(), limit)
	faults := make(chan fault)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ends, tried, begin := map[string]int{}, 0, time.Now()
	for range 4 * atATime { // they wait more than they work
		wg.Go(func() {
			for f := range faults {
				tr := try(f)
				bad := tr.perform()
				if bad != nil {
					t.Error(bad)
				}
				mu.Lock()
				tried++
				ends[tr.end()]++
				mu.Unlock()
			}
		})
	}
	for at := int64(1); at <= last && !t.Failed(); at += stride {
		for _, f := range faultsOf(at) {
			faults <- f
		}
	}
	close(faults)
	wg.Wait()
	t.Logf("faults injected: %d, at operations 1..%d of %d, %v", tried, last, whole.operations(), time.Since(begin).Round(time.Millisecond))
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		t.Logf("%5d %s", ends[end], end)
	}
	// the few faults of the short form need not meet every end
	if !testing.Short() && (ends[endUnready] == 0 || ends[endStart] == 0) {
		t.Error("no fault made the engine unready, or none a start fail")
	}
}
