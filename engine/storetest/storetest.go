package storetest

import (
	"fmt"
	"math"
	"testing"

	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// Run runs the suite. open opens the same store each time it is called in one test; a store that keeps
// nothing says so with durable false, and the tests that open it anew are left out.
func Run(t *testing.T, durable bool, open func(t *testing.T) engine.Store) {
	cases := []struct {
		name    string
		durable bool
		run     func(t *testing.T, s engine.Store, reopen func() engine.Store)
	}{
		{"messages", false, testMessages},
		{"trim", false, testTrim},
		{"high water survives trim", true, testHighWater},
		{"drop topic", false, testDropTopic},
		{"progress", true, testProgress},
		{"timers", false, testTimers},
		{"dead letters", false, testDeadLetters},
		{"marks", false, testMarks},
		{"deleted messages", false, testDeleteMessage},
		{"states", false, func(t *testing.T, s engine.Store, _ func() engine.Store) {
			testStates(t, s, func() engine.Store { return s })
		}},
		{"states survive", true, testStates},
		{"catalog", true, testCatalog},
		{"batch is used again", false, testReuse},
		{"close twice", false, func(t *testing.T, s engine.Store, _ func() engine.Store) { closeStore(t, s) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.durable && !durable {
				return // declared by the caller: this store keeps nothing
			}
			s := open(t)
			defer func() { closeStore(t, s) }()
			c.run(t, s, func() engine.Store {
				closeStore(t, s)
				s = open(t)
				return s
			})
		})
	}
}

func closeStore(t *testing.T, s engine.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, s engine.Store, fill func(b engine.Batch)) {
	t.Helper()
	b := s.NewBatch()
	fill(b)
	if err := b.Apply(true); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(); err != nil {
		t.Fatal(err)
	}
}

func record(topic, seq int) []byte { return fmt.Appendf(nil, "record %d of topic %d", seq, topic) }

func appendMessages(t *testing.T, s engine.Store, topic, first, last int) {
	t.Helper()
	commit(t, s, func(b engine.Batch) {
		for i := first; i <= last; i++ {
			b.AppendMessage(engine.TopicID(topic), engine.Sequence(i), record(topic, i))
		}
	})
}

func readTopic(t *testing.T, s engine.Store, topic, first, last uint64) []string {
	t.Helper()
	var got []string
	err := s.ReadTopic(engine.TopicID(topic), engine.Sequence(first), engine.Sequence(last), func(seq engine.Sequence, r []byte) bool {
		got = append(got, fmt.Sprintf("%d: %s", seq, r))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testMessages(t *testing.T, s engine.Store, _ func() engine.Store) {
	appendMessages(t, s, 1, 1, 3)
	appendMessages(t, s, 2, 1, 1)
	appendMessages(t, s, 1, 4, 5)
	want(t, "all of topic 1", readTopic(t, s, 1, 1, math.MaxUint64), []string{
		"1: record 1 of topic 1", "2: record 2 of topic 1", "3: record 3 of topic 1", "4: record 4 of topic 1", "5: record 5 of topic 1",
	})
	want(t, "a part of it", readTopic(t, s, 1, 2, 3), []string{"2: record 2 of topic 1", "3: record 3 of topic 1"})
	want(t, "behind its end", readTopic(t, s, 1, 6, 9), []string(nil))
	want(t, "topic 2", readTopic(t, s, 2, 1, math.MaxUint64), []string{"1: record 1 of topic 2"})
	want(t, "no such topic", readTopic(t, s, 3, 1, math.MaxUint64), []string(nil))
	n := 0
	err := s.ReadTopic(1, 1, 5, func(engine.Sequence, []byte) bool { n++; return n < 2 })
	want(t, "a stopped read", fmt.Sprint(n, err), "2 <nil>")
}

func testTrim(t *testing.T, s engine.Store, _ func() engine.Store) {
	appendMessages(t, s, 1, 1, 6)
	appendMessages(t, s, 2, 1, 2)
	commit(t, s, func(b engine.Batch) { b.TrimTopic(1, 0, 2) })
	commit(t, s, func(b engine.Batch) { b.TrimTopic(1, 2, 5) })
	want(t, "topic 1", readTopic(t, s, 1, 1, 9), []string{"6: record 6 of topic 1"})
	want(t, "topic 2", len(readTopic(t, s, 2, 1, 9)), 2)
}

func testHighWater(t *testing.T, s engine.Store, reopen func() engine.Store) {
	high := func() engine.Sequence {
		t.Helper()
		h, err := s.HighWater(1)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	want(t, "without a message", high(), engine.Sequence(0))
	appendMessages(t, s, 1, 1, 4)
	want(t, "with messages", high(), engine.Sequence(4))
	commit(t, s, func(b engine.Batch) { b.TrimTopic(1, 0, 4) })
	want(t, "with all trimmed", high(), engine.Sequence(4))
	s = reopen()
	want(t, "opened anew", high(), engine.Sequence(4))
	appendMessages(t, s, 1, 5, 5)
	s = reopen()
	want(t, "behind one more", high(), engine.Sequence(5))
}

func testDropTopic(t *testing.T, s engine.Store, _ func() engine.Store) {
	appendMessages(t, s, 1, 1, 3)
	appendMessages(t, s, 2, 1, 3)
	commit(t, s, func(b engine.Batch) { b.DropTopic(1) })
	want(t, "topic 1", readTopic(t, s, 1, 1, 9), []string(nil))
	want(t, "topic 2", len(readTopic(t, s, 2, 1, 9)), 3)
}

func testProgress(t *testing.T, s engine.Store, reopen func() engine.Store) {
	read := func(sub engine.SubscriptionID) string {
		t.Helper()
		p, err := s.ReadProgress(sub)
		if err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	want(t, "nothing saved", read(1), "")
	commit(t, s, func(b engine.Batch) { b.SaveProgress(1, []byte("a")); b.SaveProgress(2, []byte("b")) })
	commit(t, s, func(b engine.Batch) { b.SaveProgress(1, []byte("c")) })
	s = reopen()
	want(t, "saved twice", read(1), "c")
	commit(t, s, func(b engine.Batch) { b.DropSubscription(1) })
	want(t, "dropped", read(1), "")
	want(t, "the other", read(2), "b")
}

func testTimers(t *testing.T, s engine.Store, _ func() engine.Store) {
	key := func(due int64, id uint64) engine.TimerKey { return engine.TimerKey{Due: due, ID: id} }
	keys := func(first, last engine.TimerKey) []engine.TimerKey {
		t.Helper()
		var got []engine.TimerKey
		err := s.ReadTimers(first, last, func(k engine.TimerKey) bool { got = append(got, k); return true })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	a, b2, c := key(-5, 1), key(10, math.MaxUint64), key(10, 2)
	commit(t, s, func(b engine.Batch) {
		b.PutTimer(b2, []byte("head"), []byte(" b"))
		b.PutTimer(a, nil, []byte("a"))
		b.PutTimer(c, []byte("c"), nil)
	})
	want(t, "all, in order", keys(key(math.MinInt64, 0), engine.TimerKeyMax), []engine.TimerKey{a, c, b2})
	want(t, "the end is excluded", keys(a, c), []engine.TimerKey{a})
	value, ok, err := s.ReadTimer(b2, []byte("> "))
	want(t, "a value", fmt.Sprintf("%s %v %v", value, ok, err), "> head b true <nil>")
	commit(t, s, func(b engine.Batch) { b.DeleteTimer(c); b.DeleteTimer(key(99, 99)) })
	want(t, "one deleted", keys(key(math.MinInt64, 0), engine.TimerKeyMax), []engine.TimerKey{a, b2})
	_, ok, err = s.ReadTimer(c, nil)
	want(t, "the deleted", fmt.Sprint(ok, err), "false <nil>")
}

func testDeadLetters(t *testing.T, s engine.Store, _ func() engine.Store) {
	commit(t, s, func(b engine.Batch) {
		b.PutDeadLetter(1, 9, []byte("head "), []byte("nine"))
		b.PutDeadLetter(1, 3, nil, []byte("three"))
		b.PutDeadLetter(2, 1, nil, []byte("other"))
	})
	readAfter := func(sub engine.SubscriptionID, after engine.Sequence) []string {
		t.Helper()
		var got []string
		err := s.ReadDeadLetters(sub, after, func(seq engine.Sequence, v []byte) bool {
			got = append(got, fmt.Sprintf("%d %s", seq, v))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	read := func(sub engine.SubscriptionID) []string { return readAfter(sub, 0) }
	want(t, "of subscription 1", read(1), []string{"3 three", "9 head nine"})
	want(t, "behind the first", readAfter(1, 3), []string{"9 head nine"})
	want(t, "behind the last", readAfter(1, 9), []string(nil))
	want(t, "behind everything", readAfter(1, math.MaxUint64), []string(nil))
	commit(t, s, func(b engine.Batch) { b.DeleteDeadLetter(1, 3); b.DeleteDeadLetter(1, 4) })
	want(t, "one deleted", read(1), []string{"9 head nine"})
	commit(t, s, func(b engine.Batch) { b.DropSubscription(1) })
	want(t, "dropped", read(1), []string(nil))
	want(t, "of subscription 2", read(2), []string{"1 other"})
}

func testMarks(t *testing.T, s engine.Store, _ func() engine.Store) {
	mark := func(seq engine.Sequence) engine.Mark {
		return engine.Mark{Sequence: seq, At: int64(seq) * 10, Bytes: uint64(seq) * 100}
	}
	read := func(topic engine.TopicID) (got []engine.Mark) {
		t.Helper()
		if err := s.ReadMarks(topic, func(m engine.Mark) { got = append(got, m) }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	appendMessages(t, s, 1, 1, 9)
	commit(t, s, func(b engine.Batch) {
		for _, seq := range []engine.Sequence{1, 4, 7} {
			b.PutMark(1, mark(seq))
		}
		b.PutMark(2, mark(1))
	})
	want(t, "all", read(1), []engine.Mark{mark(1), mark(4), mark(7)})
	commit(t, s, func(b engine.Batch) { b.TrimTopic(1, 0, 4) })
	want(t, "behind a trim", read(1), []engine.Mark{mark(7)})
	commit(t, s, func(b engine.Batch) { b.DropTopic(1) })
	want(t, "of a dropped topic", read(1), []engine.Mark(nil))
	want(t, "of the other", read(2), []engine.Mark{mark(1)})
}

func testCatalog(t *testing.T, s engine.Store, reopen func() engine.Store) {
	commit(t, s, func(b engine.Batch) {
		b.PutCatalog("t/2", []byte("two"))
		b.PutCatalog("t/1", []byte("one"))
		b.PutCatalog("id", []byte("7"))
	})
	commit(t, s, func(b engine.Batch) { b.DeleteCatalog("t/2"); b.PutCatalog("id", []byte("8")) })
	s = reopen()
	var got []string
	err := s.ReadCatalog(func(key string, value []byte) error {
		got = append(got, key+"="+string(value))
		return nil
	})
	want(t, "error", err, nil)
	want(t, "catalog", got, []string{"id=8", "t/1=one"})
}

func testReuse(t *testing.T, s engine.Store, _ func() engine.Store) {
	b := s.NewBatch()
	for i := 1; i <= 100; i++ {
		b.Reset()
		want(t, "length of an empty batch", b.Len(), 0)
		b.AppendMessage(1, engine.Sequence(i), record(1, i))
		want(t, "length", b.Len(), 1)
		if err := b.Apply(i%2 == 0); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := b.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	want(t, "messages", len(readTopic(t, s, 1, 1, 100)), 100)
}
