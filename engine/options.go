package engine

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"

	"github.com/rs/zerolog"
)

// Options of an Engine. The zero value of each but Store works.
type Options struct {
	Store Store          // required; the engine does not close it
	Log   zerolog.Logger // silent by default

	Shards           int // default DefaultShards, 1 to 1024
	RingSlots        int // per shard; default 4096, 2 to 1<<20
	GroupMessagesMax int // messages made durable together; default 1024
	GroupBytesMax    int // bytes made durable together; default 4 MiB
	WaitingBytesMax  int // bytes of publishes that wait for their commit, per shard; default 64 MiB

	TopicsMax                int // default 1,000,000
	SubscriptionsMax         int // in all; default 1,000,000
	SubscriptionsPerTopicMax int // default 100,000
	DocumentsMax             int // of all faces; default 2,000,000
	QueuesMax                int // default 100,000
	QueueMemoryMax           int // bytes of messages that all queues keep in memory for their receivers; default 64 MiB
	ReceiversMax             int // that wait for messages at a time; default 20,000

	// A topic with so many subscriptions whose filters want certain values finds them by the values, rather than
	// asking each; default 16, 1 to 1<<30.
	FindFrom int
}

func (o *Options) setDefaults() {
	o.Shards = cmp.Or(o.Shards, DefaultShards())
	o.RingSlots = cmp.Or(o.RingSlots, 4096)
	o.GroupMessagesMax = cmp.Or(o.GroupMessagesMax, 1024)
	o.GroupBytesMax = cmp.Or(o.GroupBytesMax, 4<<20)
	o.WaitingBytesMax = cmp.Or(o.WaitingBytesMax, 64<<20)
	o.TopicsMax = cmp.Or(o.TopicsMax, 1_000_000)
	o.SubscriptionsMax = cmp.Or(o.SubscriptionsMax, 1_000_000)
	o.SubscriptionsPerTopicMax = cmp.Or(o.SubscriptionsPerTopicMax, 100_000)
	o.DocumentsMax = cmp.Or(o.DocumentsMax, 2_000_000)
	o.QueuesMax = cmp.Or(o.QueuesMax, 100_000)
	o.QueueMemoryMax = cmp.Or(o.QueueMemoryMax, 64<<20)
	o.ReceiversMax = cmp.Or(o.ReceiversMax, 20_000)
	o.FindFrom = cmp.Or(o.FindFrom, 16)
}

// DefaultShards is one shard for four processors. A committer spends a small part of what a publish costs all in all, and
// what is published to topics of one shard shares its syncs.
func DefaultShards() int { return (runtime.GOMAXPROCS(0) + 3) / 4 }

// Validate reports every bad option at once.
func (o *Options) Validate() error {
	var faults []error
	between := func(name string, v, low, high int) {
		if v < low || v > high {
			faults = append(faults, fmt.Errorf("engine: %s is %d, must be between %d and %d", name, v, low, high))
		}
	}
	if o.Store == nil {
		faults = append(faults, errors.New("engine: no store"))
	}
	between("Shards", o.Shards, 1, 1024)
	between("RingSlots", o.RingSlots, 2, 1<<20)
	between("GroupMessagesMax", o.GroupMessagesMax, 1, 1<<20)
	between("GroupBytesMax", o.GroupBytesMax, 1, 1<<30)
	between("WaitingBytesMax", o.WaitingBytesMax, 1, 1<<40)
	between("TopicsMax", o.TopicsMax, 1, 1<<30)
	between("SubscriptionsMax", o.SubscriptionsMax, 1, 1<<30)
	between("SubscriptionsPerTopicMax", o.SubscriptionsPerTopicMax, 1, 1<<30)
	between("DocumentsMax", o.DocumentsMax, 1, 1<<30)
	between("QueuesMax", o.QueuesMax, 1, 1<<30)
	between("QueueMemoryMax", o.QueueMemoryMax, 1, 1<<40)
	between("ReceiversMax", o.ReceiversMax, 1, 1<<30)
	between("FindFrom", o.FindFrom, 1, 1<<30)
	return errors.Join(faults...)
}
