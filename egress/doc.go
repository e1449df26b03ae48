// Package egress is everything between a committed message and a settled delivery.
//
// # What it is
//
// A lane for every subscription, workers that feed lanes which lag and save what they settled, pooled
// connections, and the kinds of subscribers, each a folder below this one.
//
// # Where it stands on the data path
//
// Behind the commit: Dispatch hands a durable message to the lanes of its topic that it may concern; a lane pushes it,
// and settles it, schedules another try, or buries it. What a lane was not handed it settles all the same (lane.go).
// In the lane of an ordered subscription the next delivery of a group begins when the one before is settled (order.go).
//
// # Ownership
//
// A lane retains the messages in its window and releases each when it is settled or parked on the timer.
//
// # Concurrency
//
// A lane's state is behind its own mutex, held for a few assignments and never across I/O. A pusher
// goroutine exists per connection that has something to push, and no longer. An ordered lane has one timer, while one of
// its groups waits for another try.
//
// # Errors
//
// A failed push is an outcome, not an error. A failed write of the store is told to the engine, which stops
// accepting; what was accepted stays owed.
package egress
