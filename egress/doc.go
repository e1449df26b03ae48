// Package egress is everything between a committed message and a settled delivery.
//
// # What it is
//
// A lane for every subscription, workers that feed lanes which lag and save what they settled, pooled
// connections, and the kinds of subscribers, each a folder below this one. Where a subscription delivers into a queue of this
// engine there is no connection: a push is a publish to the queue's topic, and many are one (place.go).
//
// # Where it stands on the data path
//
// Behind the commit: Dispatch hands a durable message to the lanes of its topic that it may concern; a lane pushes it,
// and settles it, schedules another try, or buries it. What a lane was not handed it settles all the same (lane.go).
//
// # Ownership
//
// A lane retains the messages in its window and releases each when it is settled or parked on the timer.
//
// # Concurrency
//
// A lane's state is behind its own mutex, held for a few assignments and never across I/O. A pusher
// goroutine exists per connection that has something to push, and no longer.
//
// # Errors
//
// A failed push is an outcome, not an error. A queue of ours that is not there, or cannot have a message, refuses it for
// good; one whose shard is busy, or whose store takes nothing now, is tried again. A failed write of the store is told to the engine, which stops
// accepting; what was accepted stays owed.
package egress
