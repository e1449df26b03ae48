package sns

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// publishedAs is what a publish was answered.
func (s *server) publishedAs(pairs ...string) [2]string {
	s.t.Helper()
	r := s.do(pairs...)
	if r.status != 200 || r.MessageID == "" || r.SequenceNumber == "" {
		s.t.Fatalf("%q: %s", pairs, r.text)
	}
	return [2]string{r.MessageID, r.SequenceNumber}
}

// dispatchedOnly sees to it that so many messages were dispatched and no more: none lies before one that comes behind them.
func (s *server) dispatchedOnly(n int) {
	s.t.Helper()
	s.do(publish("Message", "the last")...)
	all := s.dispatched(n + 1)
	if len(all) != n+1 || !strings.Contains(all[n], "the last") {
		s.t.Errorf("%d messages were dispatched, want %d and a last one: %s", len(all), n, strings.Join(all, "\n"))
	}
}

// TestFIFODuplicates is that a duplicate is answered as the first was, and dispatched once.
func TestFIFODuplicates(t *testing.T) {
	s := newFIFOServer(t)
	for _, attributes := range [][]string{{"groups.fifo", "FifoThroughputScope", "MessageGroup"}, {"both.fifo", "FifoThroughputScope", "MessageGroup", "ContentBasedDeduplication", "true"}} {
		s.wantError(200, "", "", createWith(attributes[0], append(attributes[1:], "FifoTopic", "true")...)...)
	}
	const hash = "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11"
	want := map[string]bool{}
	var firsts [][2]string
	// f publishes the first of two, and the second, and says whether that must be a duplicate.
	f := func(name string, duplicate bool, first, second []string) {
		t.Helper()
		a := s.publishedAs(first...)
		b := s.publishedAs(second...)
		if (a == b) != duplicate || a[0] == b[0] != duplicate || a[1] == b[1] != duplicate {
			t.Errorf("%s: %v, then %v; want a duplicate: %v", name, a, b, duplicate)
		}
		if again := s.publishedAs(second...); again != b {
			t.Errorf("%s: %v, and again %v", name, b, again)
		}
		if slices.Contains(firsts, a) {
			t.Errorf("%s: the first is a duplicate of one before", name)
		}
		firsts = append(firsts, a)
		want[a[0]], want[b[0]] = true, true
	}
	groups, both := arnBase+"groups.fifo", arnBase+"both.fifo"
	f("the same", true, ordered(arnLedger, "m", "g", "1"), ordered(arnLedger, "m", "g", "1"))
	f("another id", false, ordered(arnLedger, "m", "g", "2"), ordered(arnLedger, "m", "g", "3"))
	f("another text", true, ordered(arnLedger, "m", "g", "4"), ordered(arnLedger, "n", "g", "4"))
	f("another group", true, ordered(arnLedger, "m", "g", "5"), ordered(arnLedger, "m", "h", "5"))
	f("another topic", false, ordered(arnLedger, "m", "g", "6"), ordered(groups, "m", "g", "6"))
	f("of the group", true, ordered(groups, "m", "g", "7"), ordered(groups, "m", "g", "7"))
	f("another group in its scope", false, ordered(groups, "m", "g", "8"), ordered(groups, "m", "h", "8"))
	f("group and id apart", false, ordered(groups, "m", "ab", "c"), ordered(groups, "m", "a", "bc"))
	f("by the text", true, ordered(arnNews, "one", "g", ""), ordered(arnNews, "one", "h", "", "Subject", "s"))
	f("another text by the text", false, ordered(arnNews, "two", "g", ""), ordered(arnNews, "three", "g", ""))
	f("an id before the text", false, ordered(arnNews, "four", "g", ""), ordered(arnNews, "four", "g", "own"))
	f("the text's sum as the id", true, ordered(arnNews, "order 17 paid", "g", ""), ordered(arnNews, "other", "g", hash))
	f("by the text in its group", false, ordered(both, "m", "g", ""), ordered(both, "m", "h", ""))
	f("by protocol", true, ordered(arnNews, `{"default":"d","http":"h"}`, "g", "", "MessageStructure", "json"), ordered(arnNews, `{"default":"d","http":"h"}`, "g", "", "MessageStructure", "json"))
	f("another text of a protocol", false, ordered(arnNews, `{"default":"e","http":"h"}`, "g", "", "MessageStructure", "json"), ordered(arnNews, `{"default":"e","http":"i"}`, "g", "", "MessageStructure", "json"))

	// What a setting is changed to holds from the next message on.
	first := s.publishedAs(ordered(arnLedger, "late", "g", "late")...)
	want[first[0]] = true
	s.wantError(200, "", "", "Action", "SetTopicAttributes", "TopicArn", arnLedger, "AttributeName", "FifoThroughputScope", "AttributeValue", "MessageGroup")
	other := s.publishedAs(ordered(arnLedger, "late", "h", "late")...)
	if want[other[0]] = true; other == first {
		t.Error("a message of another group is a duplicate when groups have ids of their own")
	}
	s.dispatchedOnly(len(want))
}

// TestFIFOBatchDuplicates is the same for entries: of each other, and of what came before.
func TestFIFOBatchDuplicates(t *testing.T) {
	s := newFIFOServer(t)
	batch := func(ids string) (messages, numbers []string) {
		t.Helper()
		pairs := []string{"Action", "PublishBatch", "TopicArn", arnLedger}
		var entries [][]string
		for i, id := range ids {
			entries = append(entries, []string{"Id", fmt.Sprint(i), "Message", "m", "MessageGroupId", "g", "MessageDeduplicationId", string(id)})
		}
		r := s.do(append(pairs, batchOf(entries...)[4:]...)...)
		if len(r.Successful) != len(ids) || len(r.BatchNumbers) != len(ids) {
			t.Fatalf("%s", r.text)
		}
		return r.BatchIDs, r.BatchNumbers
	}
	seen := map[rune][2]string{}
	last := ""
	for _, ids := range []string{"abcab", "c", "ad", "dddeedddee", "fghijklmno", "aonm"} {
		messages, numbers := batch(ids)
		for i, id := range ids {
			got := [2]string{messages[i], numbers[i]}
			first, known := seen[id]
			switch {
			case known && got != first:
				t.Errorf("%s: entry %d is %v, and the first was %v", ids, i, got, first)
			case !known && numbers[i] <= last:
				t.Errorf("%s: entry %d has the number %s, behind %s", ids, i, numbers[i], last)
			case !known:
				seen[id], last = got, numbers[i]
			}
		}
	}
	s.dispatchedOnly(len(seen))
}
