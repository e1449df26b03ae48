package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"fanfare/engine"
)

func testDeleteMessage(t *testing.T, s engine.Store, _ func() engine.Store) {
	appendMessages(t, s, 1, 1, 5)
	appendMessages(t, s, 2, 1, 3)
	commit(t, s, func(b engine.Batch) {
		b.DeleteMessage(1, 3)
		b.DeleteMessage(1, 9) // never was
		b.DeleteMessage(3, 1) // nor was its topic
	})
	want(t, "one in the middle", readTopic(t, s, 1, 1, 9), []string{
		"1: record 1 of topic 1", "2: record 2 of topic 1", "4: record 4 of topic 1", "5: record 5 of topic 1",
	})
	commit(t, s, func(b engine.Batch) {
		b.DeleteMessage(1, 1)
		b.DeleteMessage(1, 5)
		b.DeleteMessage(1, 3) // twice
	})
	want(t, "the ends", readTopic(t, s, 1, 1, 9), []string{"2: record 2 of topic 1", "4: record 4 of topic 1"})
	want(t, "another topic", readTopic(t, s, 2, 1, 9), []string{"1: record 1 of topic 2", "2: record 2 of topic 2", "3: record 3 of topic 2"})
	commit(t, s, func(b engine.Batch) {
		b.DeleteMessage(1, 2)
		b.DeleteMessage(1, 4)
	})
	want(t, "all", readTopic(t, s, 1, 1, 9), []string(nil))
	appendMessages(t, s, 1, 6, 7)
	commit(t, s, func(b engine.Batch) { b.TrimTopic(1, 0, 6) })
	want(t, "appended behind, and trimmed", readTopic(t, s, 1, 1, 9), []string{"7: record 7 of topic 1"})
	appendMessages(t, s, 1, 9, 9) // as an import does, of what was deleted elsewhere
	appendMessages(t, s, 1, 12, 13)
	commit(t, s, func(b engine.Batch) { b.DeleteMessage(1, 10) })
	want(t, "appended behind a gap", readTopic(t, s, 1, 8, 12), []string{"9: record 9 of topic 1", "12: record 12 of topic 1"})
	commit(t, s, func(b engine.Batch) { b.DeleteMessage(1, 7); b.DeleteMessage(1, 9) })
	want(t, "deleted before a gap", readTopic(t, s, 1, 1, 99), []string{"12: record 12 of topic 1", "13: record 13 of topic 1"})
}

func readStates(t *testing.T, s engine.Store, topic int, kind engine.StateKind, first engine.Sequence) []string {
	t.Helper()
	var got []string
	err := s.ReadStates(engine.TopicID(topic), kind, first, func(seq engine.Sequence, value []byte) bool {
		got = append(got, fmt.Sprintf("%d: %s", seq, value))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func testStates(t *testing.T, s engine.Store, reopen func() engine.Store) {
	const received, published = engine.StateReceived, engine.StatePublished
	far := strings.Repeat("far", 100) // larger than what a store may think usual
	commit(t, s, func(b engine.Batch) {
		for seq := engine.Sequence(1); seq <= 9; seq++ {
			b.PutState(1, received, seq, fmt.Appendf(nil, "r%d", seq))
		}
		b.PutState(1, published, 5, []byte("p"))
		b.PutState(2, received, 5, []byte("other"))
		b.PutState(1, received, 1<<40, []byte("near"))
	})
	commit(t, s, func(b engine.Batch) { b.PutState(1, received, 1<<40, []byte(far)) })
	commit(t, s, func(b engine.Batch) {
		b.PutState(1, received, 2, []byte("again"))
		b.DeleteState(1, received, 3)
		b.DeleteState(1, received, 77) // never was
		b.TrimStates(1, received, 4, 8)
	})
	check := func(s engine.Store) {
		t.Helper()
		want(t, "all", readStates(t, s, 1, received, 0), []string{"1: r1", "2: again", "4: r4", "9: r9", fmt.Sprintf("%d: %s", 1<<40, far)})
		want(t, "some", readStates(t, s, 1, received, 5), []string{"9: r9", fmt.Sprintf("%d: %s", 1<<40, far)})
		want(t, "another kind", readStates(t, s, 1, published, 0), []string{"5: p"})
		want(t, "another topic", readStates(t, s, 2, received, 0), []string{"5: other"})
		want(t, "none", readStates(t, s, 3, received, 0), []string(nil))
	}
	check(s)
	s = reopen()
	check(s)
	n := 0
	err := s.ReadStates(1, received, 0, func(engine.Sequence, []byte) bool { n++; return n < 2 })
	want(t, "a stopped read", fmt.Sprint(n, err), "2 <nil>")
	commit(t, s, func(b engine.Batch) { b.TrimStates(1, received, 0, math.MaxInt64) })
	want(t, "trimmed", readStates(t, s, 1, received, 0), []string(nil))
	commit(t, s, func(b engine.Batch) { b.DropTopic(1) })
	want(t, "a dropped topic", readStates(t, s, 1, published, 0), []string(nil))
	want(t, "another one", readStates(t, s, 2, received, 0), []string{"5: other"})
}
