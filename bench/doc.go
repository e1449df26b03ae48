// Package bench measures Fanfare: load, sinks, ceilings, and the suite that writes BENCHMARKS.md.
//
// # What it is
//
// Publish is the load generator: it speaks the publish request of every face, in a closed loop or in an
// open loop whose latencies count from the intended send time, to one topic or to very many in turn; those of SNS and SQS
// also signed, with several messages in one, and for FIFO topics and queues. Receive empties a queue. Sink is
// a subscriber that counts, prints or remembers what arrives, and tells how late it was. FixedReply and PushLoop
// are the ceilings: what a bare server and a bare client of the same HTTP library cost. Suite starts all of them as
// processes of their own, runs them in turns, and reads their CPU time from the operating system, and what their
// runtime holds and collects from their metrics; each group of rows is a file rows_GROUP.go. Peers are programs of
// others that it measures at the same work. WriteReport makes a page of the figures and Plots draws them; Compare
// says what changed from one report to another, and how sure that is.
//
// Profile captures profiles of a server under named scenarios, which are data (ProfileScenarios); Vary runs one of
// them with different settings in turns; Gate judges a few ratios of the suite's kind by committed ones.
//
// # Where it stands on the data path
//
// Outside, at both ends: Publish before the ingress, Sink behind the egress. It imports neither, and
// knows the program only by its command line, its log and its HTTP API.
//
// # Ownership
//
// Whoever starts something here waits for it: Publish, Receive and PushLoop return when their connections are
// closed, Suite when its processes have ended and their data is removed. Listeners are the caller's until
// Serve, which closes them.
//
// # Concurrency
//
// Publish, Receive and PushLoop run one goroutine per connection and may be called side by side. Sink and
// FixedReply serve any number of connections. Suite measures one thing at a time, on purpose.
//
// # Errors
//
// A request that fails is counted by kind, and the first few are kept whole; it ends nothing. Wrong
// options, all of them at once, and a target nobody answers at are returned. In the suite a row that
// cannot be measured says why in its place of the table, and the next one is run.
package bench
