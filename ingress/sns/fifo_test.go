package sns

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress/facetest"
)

const (
	arnLedger = "arn:aws:sns:us-east-1:000000000000:ledger.fifo"
	arnNews   = "arn:aws:sns:us-east-1:000000000000:news.fifo"
)

func newFIFOServer(t *testing.T) *server {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	setupFIFO(t, e)
	return &server{t, e, New(e, Options{}), recorder}
}

// createWith is a CreateTopic with attributes, given as names and values in turn.
func createWith(name string, attributes ...string) []string {
	pairs := []string{"Action", "CreateTopic", "Name", name}
	for i := 0; i < len(attributes); i += 2 {
		entry := fmt.Sprintf("Attributes.entry.%d.", 1+i/2)
		pairs = append(pairs, entry+"key", attributes[i], entry+"value", attributes[i+1])
	}
	return pairs
}

func TestCreateFIFOTopicRules(t *testing.T) {
	s := newFIFOServer(t)
	refused, accepted := s.wantInvalid, s.wantAccepted
	// The ending and the attribute go together. The ending counts for the length.
	accepted(createWith(strings.Repeat("n", 251)+".fifo", "FifoTopic", "true")...)
	for _, name := range []string{strings.Repeat("n", 252) + ".fifo", ".fifo", "a.b.fifo", "a.fifo.fifo", "a b.fifo", "a", "a.FIFO", "a.fifo ", "afifo"} {
		refused("Topic Name", createWith(name, "FifoTopic", "true")...)
	}
	refused("Topic Name", createWith("a.fifo")...)
	refused("Topic Name", createWith("a.fifo", "FifoTopic", "false")...)
	refused("Topic Name", createWith("a.fifo", "FifoTopic", "")...)

	const reason = "Attributes Reason: "
	refused(reason+"FifoTopic: Invalid value [yes]. Must be true or false.", createWith("a.fifo", "FifoTopic", "yes")...)
	refused(reason+"ContentBasedDeduplication: Invalid value [1]. Must be true or false.", createWith("a.fifo", "FifoTopic", "true", "ContentBasedDeduplication", "1")...)
	refused(reason+"FifoThroughputScope: Invalid value [topic]. Must be Topic or MessageGroup.", createWith("a.fifo", "FifoTopic", "true", "FifoThroughputScope", "topic")...)
	for name, value := range map[string]string{"ContentBasedDeduplication": "true", "FifoThroughputScope": "Topic"} {
		refused(reason+name+": can only be set for FIFO topics", createWith("a", name, value)...)
		refused(reason+name+": can only be set for FIFO topics", createWith("a.fifo", name, value)...)
	}
	accepted(createWith("a", "FifoTopic", "false", "ContentBasedDeduplication", "false")...)
	accepted(createWith("a")...)
	if got := s.attributes("GetTopicAttributes", "TopicArn", arnBase+"a"); got["FifoTopic"] != "" || got["ContentBasedDeduplication"] != "" {
		t.Errorf("a standard topic shows %v", got)
	}
}

// TestCreateFIFOTopicAgain is the rule that what is given must be what is there, defaults included.
func TestCreateFIFOTopicAgain(t *testing.T) {
	s := newFIFOServer(t)
	const differs = "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
	f := func(name string, first []string, same, different [][]string) {
		t.Helper()
		s.wantError(200, "", "", createWith(name, first...)...)
		for _, attributes := range same {
			s.wantError(200, "", "", createWith(name, attributes...)...)
		}
		for _, attributes := range different {
			s.wantError(400, "InvalidParameter", differs, createWith(name, attributes...)...)
		}
	}
	fifo := func(more ...string) []string { return append([]string{"FifoTopic", "true"}, more...) }
	const content, scope = "ContentBasedDeduplication", "FifoThroughputScope"
	f("plain.fifo", fifo(), [][]string{fifo(), {"FifoTopic", "TRUE"}, fifo(content, "false"), fifo(scope, "Topic"), fifo(content, "", scope, "")},
		[][]string{fifo(content, "true"), fifo(scope, "MessageGroup"), fifo("DisplayName", "d")})
	f("both.fifo", fifo(content, "true", scope, "MessageGroup", "DisplayName", "d"),
		[][]string{fifo(), fifo(content, "True"), fifo(scope, "MessageGroup"), fifo("DisplayName", "d")},
		[][]string{fifo(content, "false"), fifo(scope, "Topic"), fifo("DisplayName", "e")})
	f("topic.fifo", fifo(scope, "Topic"), [][]string{fifo(), fifo(scope, "Topic")}, [][]string{fifo(scope, "MessageGroup")})

	// What another face made: a FIFO topic without the ending, and the reverse.
	for name, fifo := range map[string]*engine.FIFO{"bare": {}, "ended.fifo": nil} {
		if _, _, err := s.engine.CreateTopicWith(engine.TopicConfig{Name: name, FIFO: fifo}); err != nil {
			t.Fatal(err)
		}
	}
	s.wantError(400, "InvalidParameter", differs, createWith("bare")...)
	s.wantError(400, "InvalidParameter", differs, createWith("ended.fifo", "FifoTopic", "true")...)

	// A topic that is gone can be made anew, otherwise.
	s.wantError(200, "", "", "Action", "DeleteTopic", "TopicArn", arnBase+"both.fifo")
	s.wantError(200, "", "", createWith("both.fifo", fifo(content, "false")...)...)
}

func TestFIFOTopicAttributes(t *testing.T) {
	s := newFIFOServer(t)
	shown := func(topic, content, scope string) {
		t.Helper()
		got := s.attributes("GetTopicAttributes", "TopicArn", arnBase+topic)
		if got["FifoTopic"] != "true" || got["ContentBasedDeduplication"] != content || got["FifoThroughputScope"] != scope {
			t.Errorf("%s shows %q, %q, %q; want content %q, scope %q", topic, got["FifoTopic"], got["ContentBasedDeduplication"], got["FifoThroughputScope"], content, scope)
		}
		fifo, want := s.engine.Topic([]byte(topic)).Config().FIFO, engine.FIFO{ByContent: content == "true", PerGroup: scope == "MessageGroup"}
		if fifo == nil || *fifo != want {
			t.Errorf("%s is %+v, want %+v", topic, fifo, want)
		}
	}
	set := func(name, value string) []string {
		return []string{"Action", "SetTopicAttributes", "TopicArn", arnLedger, "AttributeName", name, "AttributeValue", value}
	}
	shown("ledger.fifo", "false", "")
	shown("news.fifo", "true", "")
	for _, c := range []struct{ name, value, content, scope string }{
		{"ContentBasedDeduplication", "true", "true", ""},
		{"FifoThroughputScope", "Topic", "true", "Topic"},
		{"FifoThroughputScope", "MessageGroup", "true", "MessageGroup"},
		{"ContentBasedDeduplication", "False", "false", "MessageGroup"},
		{"DisplayName", "d", "false", "MessageGroup"},
		{"FifoThroughputScope", "Topic", "false", "Topic"},
		{"ContentBasedDeduplication", "TRUE", "true", "Topic"},
		{"ContentBasedDeduplication", "", "false", "Topic"},
		{"FifoThroughputScope", "", "false", ""},
	} {
		s.wantError(200, "", "", set(c.name, c.value)...)
		shown("ledger.fifo", c.content, c.scope)
	}
	for _, c := range []struct{ name, value, fault string }{
		{"FifoTopic", "true", "AttributeName"},
		{"FifoTopic", "false", "AttributeName"},
		{"ContentBasedDeduplication", "yes", "ContentBasedDeduplication: Invalid value [yes]. Must be true or false."},
		{"FifoThroughputScope", "Group", "FifoThroughputScope: Invalid value [Group]. Must be Topic or MessageGroup."},
	} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: "+c.fault, set(c.name, c.value)...)
	}
	shown("ledger.fifo", "false", "")
	s.wantError(200, "", "", createWith("made.fifo", "FifoTopic", "True", "FifoThroughputScope", "Topic")...)
	shown("made.fifo", "false", "Topic")
}

// ordered is a Publish to a FIFO topic.
func ordered(arn, text, group, id string, more ...string) []string {
	pairs := []string{"Action", "Publish", "TopicArn", arn, "Message", text}
	if group != "" {
		pairs = append(pairs, "MessageGroupId", group)
	}
	if id != "" {
		pairs = append(pairs, "MessageDeduplicationId", id)
	}
	return append(pairs, more...)
}

func TestFIFOPublishRules(t *testing.T) {
	s := newFIFOServer(t)
	refused, accepted := s.wantInvalid, s.wantAccepted
	const (
		noGroup = "The MessageGroupId parameter is required for FIFO topics"
		noID    = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
	)
	for _, arn := range []string{arnLedger, arnNews} {
		refused(noGroup, ordered(arn, "m", "", "")...)
		refused(noGroup, ordered(arn, "m", "", "d")...)
		refused(noGroup, ordered(arn, "m", "", "d", "MessageGroupId", "")...)
		accepted(ordered(arn, "m", "g", arn)...)
		accepted(ordered(arn, "m", strings.Repeat("g", 128), strings.Repeat("d", 128))...)
		accepted(ordered(arn, "m", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "~}|{`_^]\\[@?>=<;:/.-,+*)('&%$#\"!")...)
		for _, bad := range []string{strings.Repeat("x", 129), "a b", " ", "é", "a\n", "\x00", "\x7f"} {
			refused("MessageGroupId", ordered(arn, "m", bad, "d")...)
			refused("MessageDeduplicationId", ordered(arn, "m", "g", bad)...)
		}
		refused("Subject", ordered(arn, "m", "", "", "Subject", "")...)
		refused("Empty message", ordered(arn, "", "", "")...)
		refused("Message too long", ordered(arn, strings.Repeat("m", 262_145), "", "")...)
		refused(noGroup, ordered(arn, "no JSON", "", "d", "MessageStructure", "json")...)
		refused("Message Structure - JSON message body failed to parse", ordered(arn, "no JSON", "g", "d", "MessageStructure", "json")...)
	}
	refused(noID, ordered(arnLedger, "m", "g", "")...)
	refused(noID, ordered(arnLedger, "m", "g", "", "MessageDeduplicationId", "")...)
	accepted(ordered(arnNews, "m", "g", "")...)
	accepted("Action", "Publish", "TargetArn", arnNews, "Message", "target", "MessageGroupId", "g")

	// A topic that does not exist is missed before what it might have wanted, and behind what is wrong by itself.
	for _, name := range []string{"gone", "gone.fifo"} {
		s.wantError(404, "NotFound", "Topic does not exist", ordered(arnBase+name, "m", "", "")...)
		s.wantError(404, "NotFound", "Topic does not exist", ordered(arnBase+name, "m", "g", "d")...)
		refused("MessageGroupId", ordered(arnBase+name, "m", "a b", "d")...)
	}
	// It is the topic that counts, not its name: other faces name theirs as they like.
	for name, fifo := range map[string]*engine.FIFO{"bare": {}, "ended.fifo": nil} {
		if _, _, err := s.engine.CreateTopicWith(engine.TopicConfig{Name: name, FIFO: fifo}); err != nil {
			t.Fatal(err)
		}
	}
	refused(noGroup, ordered(arnBase+"bare", "m", "", "")...)
	accepted(ordered(arnBase+"ended.fifo", "m", "", "")...)
	refused("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type", ordered(arnBase+"ended.fifo", "m", "g", "d")...)
}

func TestFIFOBatchRules(t *testing.T) {
	s := newFIFOServer(t)
	batch := func(arn string, entries ...[]string) []string {
		return append([]string{"Action", "PublishBatch", "TopicArn", arn}, batchOf(entries...)[4:]...)
	}
	good := []string{"Id", "a", "Message", "one", "MessageGroupId", "g", "MessageDeduplicationId", "1"}
	const (
		noGroup = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
		noID    = "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
		dedup   = "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"
	)
	for _, c := range []struct {
		arn, want string
		entry     []string
	}{
		{arnLedger, noGroup, []string{"MessageDeduplicationId", "2"}},
		{arnNews, noGroup, nil},
		{arnLedger, noID, []string{"MessageGroupId", "g"}},
		{arnLedger, "Invalid parameter: MessageGroupId", []string{"MessageGroupId", "a b", "MessageDeduplicationId", "2"}},
		{arnLedger, "Invalid parameter: MessageDeduplicationId", []string{"MessageGroupId", "g", "MessageDeduplicationId", "a b"}},
		{arnT1, dedup, []string{"MessageGroupId", "g", "MessageDeduplicationId", "2"}},
	} {
		entry := append([]string{"Id", "b", "Message", "two"}, c.entry...)
		first := good
		if c.arn == arnT1 {
			first = good[:6]
		}
		s.wantError(400, "InvalidParameter", c.want, batch(c.arn, first, entry)...)
		s.wantError(400, "InvalidParameter", c.want, batch(c.arn, entry, first)...)
	}
	if n := s.engine.Stats().Messages; n != 0 {
		t.Fatalf("batches that were refused left %d messages", n)
	}

	// The order of the entries is that of their numbers, whoever wrote them down; one alone may fail.
	var entries [][]string
	for i := range 10 {
		entry := []string{"Id", fmt.Sprint("e", i), "Message", fmt.Sprint(i), "MessageGroupId", fmt.Sprint("g", i%2)}
		if i == 4 {
			entry = append(entry, "Subject", "")
		}
		entries = append(entries, entry)
	}
	r := s.do(batch(arnNews, entries...)...)
	if len(r.Successful) != 9 || len(r.BatchNumbers) != 9 || len(r.Failed) != 1 || r.Failed[0].Id != "e4" || r.Failed[0].SenderFault != "true" {
		t.Fatalf("%s", r.text)
	}
	for i, number := range r.BatchNumbers {
		if want := fmt.Sprintf("1%019d", 1+i); number != want {
			t.Errorf("message %d has the number %s, want %s", i, number, want)
		}
	}
	if r := s.do(batch(arnT1, []string{"Id", "a", "Message", "m", "MessageGroupId", "g"})...); len(r.Successful) != 1 || len(r.BatchNumbers) != 0 {
		t.Errorf("a standard topic answered %s", r.text)
	}
}

// TestSequenceNumbers is that they have 20 digits and grow, in a FIFO topic and in no other.
func TestSequenceNumbers(t *testing.T) {
	s := newFIFOServer(t)
	last := ""
	for i := range 20 {
		r := s.do(ordered(arnLedger, "m", fmt.Sprint("g", i%3), fmt.Sprint(i))...)
		if len(r.SequenceNumber) != 20 || r.SequenceNumber <= last {
			t.Fatalf("behind %q comes %q", last, r.SequenceNumber)
		}
		last = r.SequenceNumber
	}
	if r := s.do(publish("Message", "m", "MessageGroupId", "g")...); r.SequenceNumber != "" || r.MessageID == "" {
		t.Errorf("a standard topic answered %s", r.text)
	}
}

// dispatched waits until so many messages were dispatched, and returns their descriptions.
func (s *server) dispatched(n int) []string {
	s.t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-ticker.C {
		if all := s.recorder.Messages(); len(all) >= n {
			return all
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no %d messages were dispatched", n)
		}
	}
}

// TestTrace is what becomes of a publisher's trace header: it goes with the message, or is left out, and refuses nothing.
func TestTrace(t *testing.T) {
	s := newFIFOServer(t)
	for i, c := range []struct{ header, want string }{
		{"Root=1-5759e988-bd862e3fe1be46a994272793", "Root=1-5759e988-bd862e3fe1be46a994272793"},
		{" Self=1;  Root=2 ", "Self=1;  Root=2"},
		{strings.Repeat("r", 1024), strings.Repeat("r", 1024)},
		{strings.Repeat("r", 1025), ""},
		{"Root=é", ""},
		{"Root=\tx", ""},
		{"", ""},
	} {
		r := s.serve(post(form(ordered(arnLedger, "m", "g", fmt.Sprint(i))...), "X-Amzn-Trace-Id: "+c.header+"\r\n"))
		if r.status != 200 {
			t.Fatalf("%q: %s", c.header, r.text)
		}
		trace := ""
		for line := range strings.Lines(s.dispatched(i + 1)[i]) {
			if rest, ok := strings.CutPrefix(line, "trace: "); ok {
				trace = strings.TrimSuffix(rest, "\n")
			}
		}
		if want := fmt.Sprintf("%q", c.want); trace != want && (c.want != "" || trace != "") {
			t.Errorf("%q became %s, want %s", c.header, trace, want)
		}
	}
}
