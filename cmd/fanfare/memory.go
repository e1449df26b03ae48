package main

import (
	"cmp"
	"math"
	"os"
	"runtime/debug"

	"fanfare/egress"
	"fanfare/engine"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/rs/zerolog"
)

// The memory budget is shared out as follows; the rest is for the catalog, connections and the collector.
//
//	1/8  publishes that wait for their commit
//	1/4  windows of the lanes
//	1/16 messages that queues keep for their receivers
//	1/8  cache of the blocks that lagging subscriptions read
//	1/4  what the store has not yet written to tables: four memtables
const memoryMin byteCount = 64 << 20

// defaultMemory is a quarter of what the container, or else the machine, has.
func defaultMemory() byteCount {
	total, err := memlimit.FromCgroup()
	if system, systemErr := memlimit.FromSystem(); err != nil || systemErr == nil && system < total {
		total, err = system, systemErr
	}
	if err != nil || total > math.MaxInt64 {
		return 512 << 20
	}
	// In whole MiB, so that it prints well.
	return max(byteCount(total/4)>>20<<20, memoryMin)
}

// setMemory tells the collector of the budget, unless the environment did.
func (c *config) setMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(c.Memory))
	}
}

func (c *config) engineOptions(store engine.Store, log zerolog.Logger) engine.Options {
	shards := engine.DefaultShards()
	waiting := int(cmp.Or(c.Limits.InFlightBytes, c.Memory/8))
	return engine.Options{
		Store: store, Log: log, Shards: shards,
		RingSlots: max(2, c.Limits.InFlightPublishes/shards), WaitingBytesMax: max(1, waiting/shards),
		QueuesMax: c.Limits.Queues, QueueMemoryMax: int(c.Memory / 16), ReceiversMax: c.Limits.Receivers,
		TopicsMax: c.Limits.Topics, SubscriptionsMax: c.Limits.Subscriptions, SubscriptionsPerTopicMax: c.Limits.SubscriptionsPerTopic,
	}
}

func (c *config) egressOptions(e *engine.Engine, log zerolog.Logger) egress.Options {
	return egress.Options{
		Kinds: kinds(e, c), Queue: queueKind(), Log: log,
		MemoryBytes: int64(c.Memory / 4), WindowBytes: int(min(4<<20, c.Memory/16)), RetryScale: float64(c.RetryScale),
	}
}

// memtableBytes is the size of one of the store's four memtables.
func (c *config) memtableBytes() int64 { return int64(min(16<<20, max(4<<20, c.Memory/16))) }

// freeBytesMin is the store's option: there 0 stands for the default, here for no floor.
func freeBytesMin(b byteCount) int64 {
	if b == 0 {
		return -1
	}
	return int64(b)
}
