package bench

// heading is what stands above the table of a group.
type heading struct {
	group, title string
	what         string // one of which the CPU time is of
	about        string
}

// headings is the order of the tables.
var headings = []heading{
	{
		groupPublish, "Publish", "publish",
		"One publish of 1 KiB in a closed loop, to a topic without subscriptions. The ceiling is a fasthttp server that reads the " +
			"body of the same request and gives one fixed reply. `sync` is answered when the message is synced to the disk, `memory` has no store.",
	},
	{
		groupBatches, "Batches and signatures", "message",
		"One message of 1 KiB through SNS in a closed loop, to a topic without subscriptions: alone over 256 connections, and one of ten in a " +
			"request over 32. The signed requests are verified by a server that has credentials, with version 4 of the scheme; they are signed before " +
			"the load begins. The ceiling is one fixed reply to the same request, divided by its messages.",
	},
	{
		groupPush, "Push", "push",
		"One push of 1 KiB to a subscriber on the same machine, without the publish: one process publishes to itself, without HTTP, and pushes, " +
			"and what as many publishes cost without subscriptions is taken off. Plain has one request in flight on a connection, and its ceiling is a " +
			"loop on fasthttp's HostClient that posts one fixed body. Pipelined has so many, and its ceiling is a bare loop that writes " +
			"as many fixed requests with one write and reads their answers.",
	},
	{
		groupEnd, "End to end", "message",
		"One message of 1 KiB from its publish to its last push, in an open loop. The ceiling is the sum of the parts: one fixed reply at the same " +
			"rate, and as many bare posts as the fan-out. `async` is answered when the message is with the operating system.",
	},
	{
		groupFanOut, "Fan-out", "message",
		"The same with more and more subscriptions: one message from its publish to the last of so many pushes.",
	},
	{
		groupQueues, "Queues", "message",
		"One message of 1 KiB on its way into queues and out of one, all of it synced to the disk. A placement is what one subscribed queue adds to " +
			"a message of a PublishBatch of ten, in an open loop. Batches of ten are sent to a queue over 32 connections in a closed loop, and then " +
			"received and deleted over as many, one receive and one delete for ten messages; their ceiling is the fixed-reply server under the same requests.",
	},
	{
		groupTopics, "Topics", "message",
		"The same load spread over more and more topics. The ceiling is the row with one topic, so that the ratio is what the others cost.",
	},
	{
		groupBodies, "Bodies", "message",
		"One message with a body of that size, from its publish to its push.",
	},
	{
		groupFilters, "Filters", "evaluation",
		"What one subscription whose filter does not match adds to a publish.",
	},
	{
		groupLatency, "Latency", "message",
		"From the intended time of a publish, in an open loop, to the arrival of its push, at shares of the rate that the machine was measured to " +
			"sustain. The ceiling is the p99 of a plain round trip at the same rate and that of one sync of 1 KiB to the same disk, one added to the other. " +
			"Rows without a ceiling are points of the plot.",
	},
	{
		groupAllocations, "Allocations and garbage collection", "message",
		"From the runtime's own counters, over steady load: heap allocations of the whole process per message, and the garbage collector's share of its CPU time.",
	},
	{
		groupMemory, "Memory", "thing",
		"The resident memory of an empty process, and the live memory (the heap's objects behind a collection, and the stacks) that each idle thing adds to it.",
	},
	{
		groupPeers, "Peers", "message",
		"Other programs at the same work: 1 KiB, published over 32 connections in a closed loop and pushed to one HTTP subscriber, until the last push has " +
			"arrived. CPU time is that of all the program's processes. They promise different things, and each row's note says which; Fanfare stands " +
			"beside each with the promise nearest to its.",
	},
}
