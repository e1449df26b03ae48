// Package visibility knows which messages of a queue can be received, and in which order.
//
// # What it is
//
// A Table of the messages that a queue has to know one by one: those that were received and not deleted and, in a FIFO
// queue, those that were looked at. Each is visible or hidden until a time. Visible ones are taken in the order of their
// sequences; of a group, its messages are taken in their order, and none while one of them is in flight.
//
// # Where it stands on the data path
//
// Behind the topic of a queue: engine.Queue decides with it what a receiver gets.
//
// # Ownership
//
// The table owns its entries. An entry is valid until it is removed.
//
// # Concurrency
//
// None: the queue's mutex guards the table.
//
// # Errors
//
// None.
package visibility
