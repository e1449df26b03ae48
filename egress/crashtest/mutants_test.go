package crashtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var everyFlag = flag.Int("every", 1, "of the planted bugs of TestMutantsAreFound only every so many-th")

var mutantsFlag = flag.Bool("mutants", false, "plant bugs in the code itself, one by one, and see that the tests of this package find each")

// mutant is a bug planted in the code: one piece of a file replaced by another.
type mutant struct {
	what     string
	file     string // below the module's root
	from, to string
	tests    string // that have to find it; "": the power cuts and the model-checked runs
	where    string // package of these tests; "": this one
}

// timerTests are the quick ones of the timer.
const timerTests = "Model|OnTime|FailedRead"

// mutants are bugs of the kinds that code of commits, recovery, settling and timers has had elsewhere.
var mutants = []mutant{
	// Commit.
	{what: "a publish is answered before its group is durable", file: "engine/shard.go", from: "err = g.batch.Wait()", to: "err = nil"},
	{what: "a group is written without a sync", file: "engine/shard.go", from: "g.batch.Apply(true)", to: "g.batch.Apply(false)"},
	{what: "a failed group is answered with success", file: "engine/shard.go", from: "m.err = ErrUnavailable", to: "m.err = nil", tests: "Fault"},
	{what: "a due message leaves its entry of the timer behind", file: "engine/shard.go", from: "b.DeleteTimer(m.from)", to: "_ = b"},
	{what: "a delayed message is not parked", file: "engine/timers.go", from: "b.PutTimer(k, appendTimerHead(head[:0], kind, uint64(m.topic.ID), Parked{}), m.buf)", to: "_ = head"},
	{what: "a message of a delayed publish is delivered at once", file: "engine/shard.go", from: "case !returned && m.DeliverAt() > now && !t.keepsDelayed():", to: "case !returned && m.DeliverAt() > now+1<<40 && !t.keepsDelayed():"},
	{what: "a change of the catalog is answered before it is durable", file: "engine/catalog.go", from: "\tif err != nil || b.Len() == 0 {\n\t\treturn err\n\t}\n\tif err := b.Wait(); err != nil {\n\t\te.fail(err)\n\t\treturn ErrUnavailable\n\t}\n", to: "\tif err != nil {\n\t\treturn err\n\t}\n"},
	{what: "a new subscription begins with the topic's first message", file: "engine/subscriptions.go", from: "progress := Progress{Floor: t.High()}", to: "progress := Progress{}"},
	{what: "a new subscription's progress is not saved", file: "engine/subscriptions.go", from: "b.SaveProgress(s.ID, progress.AppendBytes(nil))", to: "_ = progress"},
	{what: "a deleted subscription stays in the catalog", file: "engine/subscriptions.go", from: "b.DeleteCatalog(subscriptionKey(s.ID))\n\t\tb.DropSubscription(s.ID)\n\t\treturn func()", to: "b.DropSubscription(s.ID)\n\t\treturn func()"},
	{what: "an id is given twice", file: "engine/catalog.go", from: "b.PutCatalog(lastIDKey, mustJSON(c.lastID))", to: "_ = lastIDKey"},
	// Recovery.
	{what: "a restart skips a message", file: "egress/egress.go", from: "next:     progress.Floor + 1,", to: "next:     progress.Floor + 2,"},
	{what: "a restart gives a sequence twice", file: "engine/pebblestore/read.go", from: "high = engine.Sequence(lastNumber(it.Key()))", to: "high = engine.Sequence(lastNumber(it.Key())) - 1"},
	{what: "the high-water mark of a trimmed topic is forgotten", file: "engine/pebblestore/batch.go", from: "b.set(prefixHighWater, uint64(topic), 0, 9, value[:], nil)", to: "_ = value"},
	{what: "the stored floor counts what is settled above it", file: "engine/progress.go", from: "binary.BigEndian.AppendUint64(dst, uint64(p.Floor))", to: "binary.BigEndian.AppendUint64(dst, uint64(p.Floor)+uint64(p.marked))"},
	{what: "a run of the settled window is read one too long", file: "engine/progress.go", from: "last = first + Sequence(length)\n\t\tif", to: "last = first + Sequence(length) + 1\n\t\tif"},
	{what: "one message too many is trimmed", file: "engine/pebblestore/batch.go", from: "uint64(after)+1, uint64(through)+1)\n\tb.dropMarks", to: "uint64(after)+1, uint64(through)+2)\n\tb.dropMarks"},
	{what: "a topic is trimmed to its fastest subscription", file: "egress/ledger.go", from: "floor = min(floor, s.Receiver().(*lane).saved)", to: "floor = max(1, s.Receiver().(*lane).saved)"},
	// Settling.
	{what: "a failed attempt counts as delivered", file: "egress/settle.go", from: "case r.outcome == Delivered:", to: "case r.outcome == Delivered || r.outcome == Retry:"},
	{what: "a retry is not written", file: "egress/ledger.go", from: "w.batch.PutTimer(n.parked, w.scratch, n.d.m.Record())", to: "_ = n"},
	{what: "a dead letter is not written", file: "egress/deadletter.go", from: "w.batch.PutDeadLetter(n.lane.sub.ID, n.d.m.Sequence(), w.scratch, n.d.m.Record())", to: "_ = n"},
	{what: "the batch that parks a delivery does not settle it", file: "egress/ledger.go", from: "l.noted = false\n\t\tw.saveProgress(l)", to: "l.noted = false"},
	{what: "a delivery from the timer leaves its entry behind", file: "egress/ledger.go", from: "if !n.d.entry.IsZero() {\n\t\tw.batch.DeleteTimer(n.d.entry)\n\t}", to: ""},
	{what: "what did not fit into the window is skipped", file: "egress/feeder.go", from: "whole = l.takeLocked(m)", to: "l.takeLocked(m)"},
	{what: "a message that does not fit is taken for taken", file: "egress/lane.go", from: "l.wanted = m.Size()\n\t\treturn false", to: "l.wanted = m.Size()\n\t\tl.next++\n\t\treturn false"},
	{what: "a subscription gets what its filter leaves out", file: "engine/subscription.go", from: `c.FilterTag == "" || string(m.Tag()) == c.FilterTag`, to: `c.FilterTag == "" || string(m.Tag()) == c.FilterTag || len(m.Tag()) > 0`},
	{what: "a restart forgets the filter policies", file: "engine/catalog.go", from: "e.compileStored(t, &config)", to: "_ = config"},
	{what: "a filter policy that is not met lets a message pass", file: "engine/filtering.go", from: "return p.Verdict(&e)", to: "return p.Verdict(&e) || !p.Findable()"},
	{what: "a lagging lane passes over what it has yet to read", file: "egress/lane.go", from: "if to < l.next || l.seen >= l.next || l.closed {", to: "if to < l.next || l.closed {"},
	{what: "a topic counts as passed before its lanes were asked", file: "egress/worker.go", from: "t.SetPassed(m.Sequence())", to: "t.SetPassed(m.Sequence() + 1)"},
	{what: "a subscription is not found by its new tag", file: "engine/interest.go", from: "x.remove(s)\n\tif config != nil {", to: "if config == nil || x.found[s] == nil {\n\t\tx.remove(s)\n\t}\n\tif config != nil && x.found[s] == nil {"},
	{what: "a delivery is buried one attempt early", file: "engine/retry.go", from: "p.MaxAttempts > 0 && attempts >= p.MaxAttempts", to: "p.MaxAttempts > 0 && attempts >= p.MaxAttempts-1"},
	{what: "a drain forgets what was not pushed", file: "egress/settle.go", from: "case r.untried:\n\t\t\tl.putBackLocked(d)", to: "case r.untried:\n\t\t\tl.endLocked(d)"},
	// The timer, and what it fires.
	{what: "a settled hold can be settled again", file: "engine/timers.go", from: "\tm.from = k\n\treturn t.engine.Publish(topic, m)", to: "\treturn t.engine.Publish(topic, m)"},
	{what: "a dropped hold stays", file: "engine/timers.go", from: "b.DeleteTimer(k)\n\t\tif err := t.engine.write(b); err != nil {\n\t\t\treturn err\n\t\t}", to: "_ = b"},
	{what: "a due delivery that found no room is forgotten", file: "egress/egress.go", from: "g.engine.TimerSnooze(p.Entry, at.UnixMilli())", to: "_ = at"},
	{what: "a load forgets the entries of the last millisecond it reached", file: "engine/schedule/load.go", from: "t.horizon = t.found[len(t.found)-1].next()", to: "t.horizon = Key{Due: t.found[len(t.found)-1].Due + 1}", tests: timerTests, where: "./engine/schedule"},
	{what: "an entry added behind the horizon is not seen", file: "engine/schedule/timer.go", from: "if k.Less(t.horizon) || k.Less(t.loading) {", to: "if k.Less(t.loading) {", tests: timerTests, where: "./engine/schedule"},
	{what: "an entry settled during a read fires all the same", file: "engine/schedule/timer.go", from: "if t.reading {\n\t\tt.gone[k] = struct{}{}\n\t}", to: "", tests: timerTests, where: "./engine/schedule"},
	{what: "a failed read counts as one that came to its end", file: "engine/schedule/load.go", from: "return err != nil || len(t.found) == limit, err", to: "return len(t.found) == limit, err", tests: timerTests, where: "./engine/schedule"},
}

// ofQueues reports whether it is a bug of queues.
func (m *mutant) ofQueues() bool { return slices.Contains(queueMutants, *m) }

// queueMutants are bugs of queues and of duplicates.
var queueMutants = []mutant{
	{what: "a queue's progress is that of the moment at which it is written", file: "engine/queueledger.go", from: "l.scratch = p.AppendBytes(l.scratch[:0])", to: "if !q.fifo() {\n\t\t\tp.Next = q.next\n\t\t}\n\t\tl.scratch = p.AppendBytes(l.scratch[:0])", tests: "ProgressIsThat", where: "./engine"},
	{what: "a delete is answered before it is durable", file: "engine/queuesettle.go", from: "if !waits {", to: "if waits || len(errs) > 0 {"},
	{what: "a second delete is answered before the first is durable", file: "engine/queuesettle.go", from: "waits = waits || errs[i] == nil", to: "waits = waits || deleted", tests: "SecondDelete", where: "./engine"},
	{what: "a receipt is written down without the progress", file: "engine/queueledger.go", from: "l.touched[n.queue] = n.progress", to: "if n.kind != noteReceived {\n\t\tl.touched[n.queue] = n.progress\n\t}"},
	{what: "progress is written down without the receipt", file: "engine/queueledger.go", from: "l.batch.PutState(t.ID, StateReceived, n.sequence, l.scratch)", to: "_ = t"},
	{what: "a moved message stays where it was", file: "engine/queueledger.go", from: "n.to.parked(now)\n\t\tl.delete(n)", to: "n.to.parked(now)"},
	{what: "a moved message does not arrive", file: "engine/queueledger.go", from: "l.batch.PutTimer(n.key, l.scratch, l.record)", to: "_ = l.record"},
	{what: "a deleted message stays in the store", file: "engine/queueledger.go", from: "l.batch.DeleteMessage(n.queue.topic.ID, n.sequence)", to: "_ = n"},
	{what: "a deleted message leaves its state behind", file: "engine/queueledger.go", from: "l.batch.DeleteState(n.queue.topic.ID, StateReceived, n.sequence)", to: "_ = n"},
	{what: "a purge leaves the messages", file: "engine/queueledger.go", from: "l.batch.TrimTopic(t.ID, 0, n.sequence)", to: "_ = t"},
	{what: "a purge leaves what is delayed", file: "engine/timers.go", from: "max(since, m.PublishedAt()) < q.Config().PurgedAt", to: "max(since, m.PublishedAt()) < q.Config().PurgedAt-1<<40"},
	{what: "duplicates are forgotten by a restart", file: "engine/duplicates.go", from: "t.duplicates.add(key, publication{id, seq, at})", to: "_, _, _ = key, id, at"},
	{what: "duplicates are not written down", file: "engine/duplicates.go", from: "b.PutState(t.ID, StatePublished, p.sequence, d.scratch)", to: "_ = b"},
	{what: "the window of duplicates is too short", file: "engine/queue.go", from: "DeduplicationWindow  = 5 * time.Minute", to: "DeduplicationWindow  = 2 * time.Minute"},
	{what: "the window of duplicates is too long", file: "engine/queue.go", from: "DeduplicationWindow  = 5 * time.Minute", to: "DeduplicationWindow  = 7 * time.Minute"},
	{what: "a duplicate is answered with its own sequence", file: "engine/duplicates.go", from: "m.setSequence(p.sequence)\n\tm.duplicate", to: "m.setSequence(p.sequence + 1)\n\tm.duplicate"},
	{what: "a group is ready while one of it is in flight", file: "engine/visibility/table.go", from: "g.first != nil && g.inFlight == 0 && g.first.at < 0", to: "g.first != nil && g.first.at < 0"},
	{what: "messages of a group come from its end", file: "engine/visibility/table.go", from: "return t.ready[0].first\n", to: "return t.ready[0].last\n"},
	{what: "a sequence of an empty queue is given again", file: "engine/queuefill.go", from: "high = max(high, p.High)", to: "_ = p.High"},
	{what: "receives are not counted over a restart", file: "engine/receive.go", from: "e.Receives, e.FirstAt = state.receives, state.firstAt", to: "e.FirstAt = state.firstAt"},
	{what: "a FIFO queue's progress passes what is not deleted", file: "engine/receive.go", from: "n.progress.Next = q.floor", to: "n.progress.Next = q.next"},
	{what: "a message deleted by a receipt of before a crash is received", file: "engine/queuesettle.go", from: "q.skip[r.Sequence] = struct{}{}\n", to: ""},
	{what: "an empty batch saves nothing of what was before it", file: "engine/pebblestore/batch.go", from: "if b.syncs && b.b.Empty() {", to: "if b.syncs && b.b == nil {", tests: "EmptyBatchSaves", where: "./engine/pebblestore"},
	{what: "a deleted queue stays in the catalog", file: "engine/queues.go", from: "b.DeleteCatalog(queueKey(q.topic.ID))", to: "_ = b"},
	{what: "a restart shows what is in flight", file: "engine/receive.go", from: "if state.until > nowMillis() {", to: "if state.until > nowMillis()+1<<50 {", tests: queueModelTests, where: "./engine"},
	{what: "a FIFO queue takes an old receipt", file: "engine/queuesettle.go", from: "(r.Receives < e.Receives ||", to: "(r.Receives+1 < e.Receives ||", tests: queueModelTests, where: "./engine"},
	{what: "a message is moved one receive late", file: "engine/receive.go", from: "int(e.Receives) < c.DeadLetters.Receives", to: "int(e.Receives) <= c.DeadLetters.Receives", tests: queueModelTests, where: "./engine"},
	{what: "a receive gets a message twice", file: "engine/receive.go", from: "if e == nil || more {", to: "if e == nil || more && e.Receives == 0 {", tests: queueModelTests, where: "./engine"},
	{what: "a message outlives the retention", file: "engine/receive.go", from: "e.SentAt+c.Retention.Milliseconds() <= now", to: "e.SentAt+2*c.Retention.Milliseconds() <= now", tests: queueModelTests, where: "./engine"},
	{what: "what is young is ended as too old", file: "engine/queuesweep.go", from: "oldest := nowMillis() - q.Config().Retention.Milliseconds()", to: "oldest := nowMillis() - q.Config().Retention.Milliseconds()/2", tests: queueModelTests, where: "./engine"},
	{what: "a restart makes received messages young", file: "engine/receive.go", from: "e.SentAt = state.sentAt", to: "e.SentAt = nowMillis()", tests: queueModelTests, where: "./engine"},
	{what: "the delay of a FIFO queue is none", file: "engine/queuefill.go", from: "m.DeliverAt() > nowMillis()", to: "m.DeliverAt() > nowMillis()+1<<50", tests: queueModelTests, where: "./engine"},
	{what: "a restart forgets which receipts of a FIFO queue are good", file: "engine/queuesettle.go", from: "error {\n\tif !q.fifo() {", to: "error {\n\tif q.ledger != nil {", tests: queueModelTests, where: "./engine"},
	{what: "the ledger goes on behind a failure", file: "engine/queueledger.go", from: "l.failed = l.failed || err != nil", to: "_ = l.failed", tests: "LedgerEnds|RedriveOf", where: "./engine"},
}

// queueModelTests are those of a queue against a model.
const queueModelTests = "QueueModel"

// Every mutant is found. It takes minutes and the go command, so it runs only when it is asked for:
// go test ./egress/crashtest -run TestMutantsAreFound -mutants
func TestMutantsAreFound(t *testing.T) {
	if !*mutantsFlag {
		return // each mutant compiles the engine anew
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range slices.Concat(mutants, queueMutants) {
		if i%*everyFlag != 0 {
			continue
		}
		t.Run(strings.ReplaceAll(m.what, " ", "-"), func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			var out []byte
			err := error(nil)
			for tries := 0; err == nil && tries < 3; tries++ { // some need a power cut at the right moment
				out, err = m.run(t, root)
			}
			switch {
			case err == nil:
				t.Errorf("not found\n%s", tail(out))
			case !bytes.Contains(out, []byte("--- FAIL")) && !bytes.Contains(out, []byte("panic: ")):
				t.Errorf("the tests did not run: %v\n%s", err, tail(out))
			default:
				t.Logf("found in %v: %s", time.Since(begin).Round(time.Second), firstFault(out))
			}
		})
	}
}

// run runs the tests on the code with the mutant.
func (m *mutant) run(t *testing.T, root string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(root, m.file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.from); n != 1 {
		t.Fatalf("%s has the piece to replace %d times, want once: %q", m.file, n, m.from)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	overlay := filepath.Join(dir, "overlay.json")
	plan, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: []byte(strings.Replace(string(text), m.from, m.to, 1)), overlay: plan} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A bug may make a test wait for ever; here each takes seconds.
	tests, where, timeout := m.tests, m.where, "-timeout=60s"
	if where != "" {
		timeout = "-timeout=20s"
	}
	if tests == "" {
		tests = "PowerCuts|Model"
		if m.ofQueues() {
			tests = "QueueCuts"
		}
	}
	args := []string{"test", "-overlay", overlay, "-count=1", timeout, "-vet=off", "-run", "^Test.*(" + tests + ")"}
	if where == "" {
		where = "./egress/crashtest"
		args = append(args, where, "-cuts", fmt.Sprint(mutantCuts), "-patience", "1s")
	} else {
		args = append(args, where)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	return cmd.CombinedOutput()
}

// mutantCuts is how many power cuts, or runs, a mutant has to survive to count as not found.
const mutantCuts = 1500

func tail(out []byte) []byte { return out[max(0, len(out)-2000):] }

func firstFault(out []byte) string {
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic") {
			return line
		}
	}
	return "?"
}

// Every piece that a mutant replaces is there, once.
func TestMutantsHaveTheirPieces(t *testing.T) {
	for _, m := range slices.Concat(mutants, queueMutants) {
		text, err := os.ReadFile(filepath.Join("../..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.from); n != 1 {
			t.Errorf("%s has the piece to replace %d times, want once: %q", m.file, n, m.from)
		}
	}
}
