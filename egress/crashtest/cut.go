package crashtest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// cut is one power cut: the disk as it may be found afterwards, and how far the history was.
type cut struct {
	op     op // with count: the place of the cut; quiet for one between two operations
	count  int
	moment moment
	quiet  bool
	note   string

	percent       int // of what was not synced that the disk kept all the same
	before, after uint64
	at            int64 // ms since 1970, after the clone was made
	fs            *vfs.MemFS
}

func (c *cut) kind() string {
	if c.quiet {
		return "quiet"
	}
	return c.op.String()
}

func (c *cut) String() string {
	if c.quiet {
		return fmt.Sprintf("power cut between operations, %d %% of the unsynced data kept %s", c.percent, c.note)
	}
	return fmt.Sprintf("power cut %s %s number %d, %d %% of the unsynced data kept",
		[...]string{"before", "within", "after"}[c.moment], c.op, c.count, c.percent)
}

// cutter cuts the power of a generation at the places that its seed chooses. The world does not notice.
type cutter struct {
	history *history
	fs      *vfs.MemFS
	names   *names // of the disk
	seed    uint64
	limit   int
	counts  count

	mu   sync.Mutex
	cuts []*cut // guarded by mu
}

// thousandths is how often the power is cut at an operation: seldom at the frequent ones, often at the rare ones.
var thousandths = [ops]uint64{
	opCreate: 250, opWrite: 12, opSync: 25, opRename: 300, opRemove: 300, opLink: 300, opReuse: 300, opMkdir: 30,
}

// mix turns numbers into one that looks random.
func mix(numbers ...uint64) uint64 {
	x := uint64(0x9E3779B97F4A7C15)
	for _, n := range numbers {
		x ^= n
		x *= 0xBF58476D1CE4E5B9
		x ^= x >> 27
		x *= 0x94D049BB133111EB
		x ^= x >> 31
	}
	return x
}

// plug is called by the disk.
func (c *cutter) plug(o op, at moment, _ string) (bool, error) {
	if thousandths[o] == 0 {
		return false, nil
	}
	var n int
	if at == beforeOp {
		n = c.counts.next(o)
	} else {
		c.counts.mu.Lock()
		n = c.counts.n[o]
		c.counts.mu.Unlock()
	}
	key := mix(c.seed, uint64(o), uint64(n), uint64(at))
	if key%1000 < thousandths[o] {
		c.take(&cut{op: o, count: n, moment: at}, key)
	}
	return false, nil
}

// take cuts the power now.
func (c *cutter) take(x *cut, key uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cuts) >= c.limit {
		return
	}
	rng := rand.New(rand.NewPCG(key, c.seed))
	switch rng.IntN(4) {
	case 0:
		x.percent = 0
	case 1:
		x.percent = 100
	default:
		x.percent = 1 + rng.IntN(99)
	}
	x.before = c.history.clock.Load()
	x.fs = c.names.clone(c.fs, vfs.CrashCloneCfg{UnsyncedDataPercent: x.percent, RNG: rng})
	x.after = c.history.clock.Load()
	x.at = time.Now().UnixMilli()
	c.cuts = append(c.cuts, x)
}

// quiet cuts the power at a moment that no operation of the disk names.
func (c *cutter) quiet(number uint64) { c.take(&cut{quiet: true}, mix(c.seed, number)) }
