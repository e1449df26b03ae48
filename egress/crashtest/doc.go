// Package crashtest cuts the power of a whole Fanfare, many thousand times, and looks what is left.
//
// # What it is
//
// A world is an engine with its egress and its Pebble store on a disk in memory, and endpoints in memory. A workload
// of seeded random operations runs in it while the power is cut again and again: the disk is cloned as it may be
// found afterwards, with none, some or all of what was not synced. The world does not notice and goes on.
//
// A history notes what was asked and answered, and when, by one logical clock. The checker, which shares no code
// with the engine but the decoders of records, opens every clone and compares: every acknowledged message is, for
// every subscription that existed and matched, owed, on the timer, in the dead letters, or settled with evidence;
// nobody owes or got what is not his; topics, subscriptions, sequences, held and delayed messages are what they
// were said to be. Some clones are driven on until all that was owed has arrived.
//
// Queues have a model and a workload of their own beside these (the files queue*.go): senders, receivers, deletes, purges,
// redrive, moves, duplicates, a queue that comes and goes. A clone is started, sent the same messages once more, and
// emptied: each message that was acknowledged and that nobody deleted is there once, in its order, at its sequence, and
// nothing else is. TestQueueCuts does so in a bubble of time, where a window of minutes costs nothing; TestQueueFaults
// lets every operation of the disk fail.
//
// Three tests stand on the rest: TestPowerCuts; TestModelRuns, which only restarts; and TestFaults, in which every operation
// of the disk fails, once and from there on. The checker itself is tested by bugs that are planted in the store.
// FANFARE_LONG=1 chooses the long forms, FANFARE_CUTS, FANFARE_RUNS and FANFARE_FAULTS their size.
//
// # Where it stands on the data path
//
// Nowhere: nothing imports it. It uses what engine and egress export; inspect.go is the one file that knows how they
// keep their state.
//
// # Ownership
//
// A world owns its disk. The history belongs to a run and outlives its worlds; a fork of it belongs to the clone
// that is driven on.
//
// # Concurrency
//
// A workload is one controller and several publishers, each with a random source of its own. Everything of the
// history that several of them write is behind its mutex; the checker reads it when all have ended.
//
// What a seed repeats: what every goroutine does in its order, how the world is built, how endpoints fail, and the
// power cuts, as the n-th operation of a kind with a share of unsynced data. What it does not: how the goroutines
// interleave, and so which operation of the disk is the n-th. A replay therefore runs the plan many times.
//
// In TestFaults a process that would end stops in the middle of a write, where a goroutine of Pebble holds locks: the
// goroutines of that world stay blocked until the test binary ends.
//
// # Errors
//
// A failure names its seed, the place of the cut and what is wrong.
//
// What is assumed of the disk: a sync that returned saved the file, and the name of a new file with it, as ext4, XFS
// and Btrfs do (Pebble relies on it when it moves the marker of its manifest); nothing else that was not synced need
// be there, names included, in any combination of blocks of 4 KiB.
package crashtest
