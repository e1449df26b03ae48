// Package ring holds the bounded queue between publishers and the committer of a shard.
//
// # What it is
//
// A lock-free ring with many producers and two reading stages that follow each other: the first stage
// takes what producers pushed, the second what the first has passed on, and frees the slots.
//
// # Where it stands on the data path
//
// Between Engine.Publish and the committer; the slot is freed by the dispatcher behind the commit.
//
// # Ownership
//
// A pushed value belongs to the ring until Free; the stages look at it in between.
//
// # Concurrency
//
// Push and PushAll from any goroutine; Peek, Wait and Free each from the one goroutine of its stage. How far the
// second stage may read is told to it by the first, outside of the ring.
//
// # Errors
//
// None: a full ring makes them answer false, at once.
package ring
