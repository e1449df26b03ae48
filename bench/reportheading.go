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
			"body of the same request and gives one fixed reply. `sync` is answered after the message was synced to the disk, `memory` has no store.",
	},
	{
		groupPush, "Push", "push",
		"One push of 1 KiB to a subscriber on the same machine. Plain has one request in flight on a connection, and its ceiling is a " +
			"loop on fasthttp's HostClient that posts one fixed body. Pipelined has that many, and its ceiling is a bare loop that writes " +
			"as many fixed requests with one write and reads their answers.",
	},
	{
		groupEnd, "End to end", "message",
		"One message from its publish to its last push. The ceiling is the sum of the parts: " +
			"one fixed reply at the same rate, and as many bare posts as the fan-out.",
	},
	{
		"fan-out", "Fan-out", "message",
		"One message of 1 KiB from its publish to the last of that many pushes.",
	},
	{
		"topics", "Topics", "message",
		"The same load spread over that many topics. The ceiling is the row with one topic, so the ratio is what the others cost.",
	},
	{
		"bodies", "Bodies", "message",
		"One message with a body of that size, from its publish to its push.",
	},
	{
		"filters", "Filters", "evaluation",
		"What one evaluation of a simple filter policy adds to a message.",
	},
	{
		"latency", "Latency", "message",
		"From the intended time of a publish, in an open loop, to the arrival of its push. The loads are shares of the rate the machine was " +
			"measured to sustain. The ceiling is a plain round trip and one sync of the disk, measured beside it, and the ratio is that of the p99.",
	},
	{
		"allocations", "Allocations and garbage collection", "message",
		"From the runtime's own counters, over steady load: heap allocations of the whole process per message, and the garbage collector's share of its CPU time.",
	},
	{
		"memory", "Memory", "thing",
		"Resident memory of an idle process, and what each idle thing adds to it.",
	},
	{
		groupPeers, "Peers", "message",
		"Other programs at the same work: 1 KiB, published in a closed loop and pushed to one HTTP subscriber. " +
			"CPU time is that of all the program's processes. They promise different things, and each row's note says which.",
	},
}

const groupPeers = "peers"
