package conformance

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Source: Amazon SNS developer guide, "Message ordering and deduplication"; texts as recorded from AWS. What a duplicate is
// answered is not recorded: here it is what the first one was.

const (
	noGroupText = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
	noIDText    = "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
	unfitIDText = "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"
	nameText    = "Invalid parameter: Topic Name"
	differsText = "Invalid parameter: Attributes Reason: Topic already exists with different attributes"

	sequenceForm = `1[0-9]{19}`
)

// fifoTopic makes a FIFO topic and returns its ARN.
func fifoTopic(t testing.TB, client *sns.Client, name string, attributes map[string]string) string {
	t.Helper()
	all := map[string]string{"FifoTopic": "true"}
	for key, value := range attributes {
		all[key] = value
	}
	created, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name, Attributes: all})
	must(t, "CreateTopic", err)
	same(t, "TopicArn", *created.TopicArn, snsARN+name)
	return *created.TopicArn
}

// numbered is what a publish to a FIFO topic is answered.
type numbered struct{ ID, Sequence string }

// publishOrdered publishes to a FIFO topic; an id "" is left out.
func publishOrdered(t testing.TB, client *sns.Client, arn, text, group, id string) numbered {
	t.Helper()
	input := &sns.PublishInput{TopicArn: &arn, Message: &text, MessageGroupId: &group}
	if id != "" {
		input.MessageDeduplicationId = &id
	}
	published, err := client.Publish(t.Context(), input)
	must(t, "Publish", err)
	matches(t, "MessageId", *published.MessageId, uuidForm)
	if published.SequenceNumber == nil {
		t.Fatal("the reply has no SequenceNumber")
	}
	matches(t, "SequenceNumber", *published.SequenceNumber, sequenceForm)
	return numbered{*published.MessageId, *published.SequenceNumber}
}

func TestSNSGoFIFOTopics(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	create := func(name string, attributes map[string]string) error {
		_, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: attributes})
		return err
	}
	shown := func(arn string, content, scope string) {
		t.Helper()
		got, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
		must(t, "GetTopicAttributes", err)
		same(t, "the attributes of "+arn, []string{got.Attributes["FifoTopic"], got.Attributes["ContentBasedDeduplication"], got.Attributes["FifoThroughputScope"]},
			[]string{"true", content, scope})
	}
	set := func(arn, name, value string) error {
		_, err := client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	var invalid *types.InvalidParameterException
	if err := create("orders.fifo", nil); !errors.As(err, &invalid) {
		t.Errorf("CreateTopic of a standard topic that ends in .fifo: %v", err)
	}
	apiError(t, "CreateTopic of a standard topic that ends in .fifo", create("orders.fifo", nil), "InvalidParameter", nameText)
	apiError(t, "CreateTopic of a FIFO topic that does not", create("orders", map[string]string{"FifoTopic": "true"}), "InvalidParameter", nameText)

	plain := fifoTopic(t, client, "plain.fifo", nil)
	shown(plain, "false", "")
	full := fifoTopic(t, client, "full.fifo", map[string]string{"ContentBasedDeduplication": "true", "FifoThroughputScope": "MessageGroup", "DisplayName": "d"})
	shown(full, "true", "MessageGroup")
	same(t, "the ARN of the second call", fifoTopic(t, client, "full.fifo", map[string]string{"FifoThroughputScope": "MessageGroup"}), full)
	apiError(t, "CreateTopic with another scope", create("full.fifo", map[string]string{"FifoTopic": "true", "FifoThroughputScope": "Topic"}), "InvalidParameter", differsText)
	apiError(t, "CreateTopic without deduplication by content", create("full.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "false"}), "InvalidParameter", differsText)

	must(t, "SetTopicAttributes", set(plain, "ContentBasedDeduplication", "true"))
	must(t, "SetTopicAttributes", set(plain, "FifoThroughputScope", "Topic"))
	shown(plain, "true", "Topic")
	must(t, "SetTopicAttributes", set(plain, "FifoThroughputScope", "MessageGroup"))
	must(t, "SetTopicAttributes", set(plain, "ContentBasedDeduplication", "false"))
	shown(plain, "false", "MessageGroup")
	apiError(t, "SetTopicAttributes with FifoTopic", set(plain, "FifoTopic", "false"), "InvalidParameter", "Invalid parameter: AttributeName")

	// The only endpoints of a FIFO topic are queues.
	for _, c := range []struct{ protocol, endpoint string }{
		{"http", "http://127.0.0.1:9/hook"}, {"https", "https://127.0.0.1:9/hook"}, {"sms", "+15551234567"}, {"email", "a@fanfare.example"},
	} {
		_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &plain, Protocol: &c.protocol, Endpoint: &c.endpoint})
		if !errors.As(err, &invalid) {
			t.Errorf("Subscribe of %s to a FIFO topic: %v", c.protocol, err)
		}
	}
}

func TestSNSGoFIFOPublish(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	ledger := fifoTopic(t, client, "ledger.fifo", nil)
	publish := func(arn string, group, id *string) error {
		_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: &arn, Message: aws.String("m"), MessageGroupId: group, MessageDeduplicationId: id})
		return err
	}
	apiError(t, "Publish without a group", publish(ledger, nil, aws.String("d")), "InvalidParameter", noGroupText)
	apiError(t, "Publish without an id", publish(ledger, aws.String("g"), nil), "InvalidParameter", noIDText)
	standard := snsTopic(t, client, "standard")
	apiError(t, "Publish of an id to a standard topic", publish(standard, aws.String("g"), aws.String("d")), "InvalidParameter", unfitIDText)
	same(t, "the error of a group on a standard topic", publish(standard, aws.String("g"), nil), nil)

	last := publishOrdered(t, client, ledger, "0", "g", "0")
	for i := 1; i < 10; i++ {
		next := publishOrdered(t, client, ledger, fmt.Sprint(i), fmt.Sprint("g", i%2), fmt.Sprint(i))
		if next.Sequence <= last.Sequence || next.ID == last.ID {
			t.Errorf("behind %v comes %v", last, next)
		}
		last = next
	}
	reply, err := client.Publish(ctx, &sns.PublishInput{TopicArn: &standard, Message: aws.String("m")})
	must(t, "Publish", err)
	if reply.SequenceNumber != nil {
		t.Errorf("a standard topic answers the number %s", *reply.SequenceNumber)
	}
}

func TestSNSGoFIFODuplicates(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	ledger := fifoTopic(t, client, "ledger.fifo", nil)
	first := publishOrdered(t, client, ledger, "one", "g", "d")
	same(t, "a duplicate", publishOrdered(t, client, ledger, "one", "g", "d"), first)
	same(t, "a duplicate with another text", publishOrdered(t, client, ledger, "two", "g", "d"), first)
	same(t, "a duplicate of another group", publishOrdered(t, client, ledger, "one", "h", "d"), first)
	if other := publishOrdered(t, client, ledger, "one", "g", "e"); other == first {
		t.Error("a message with another id is a duplicate")
	}

	// The text as the id. An id of the publisher's own comes before it, and both are of one kind.
	news := fifoTopic(t, client, "news.fifo", map[string]string{"ContentBasedDeduplication": "true"})
	first = publishOrdered(t, client, news, "order 17 paid", "g", "")
	same(t, "a duplicate by its text", publishOrdered(t, client, news, "order 17 paid", "h", ""), first)
	same(t, "a duplicate by the sum of that text", publishOrdered(t, client, news, "other", "g", "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11"), first)
	if other := publishOrdered(t, client, news, "order 17 paid", "g", "own"); other == first {
		t.Error("a message with an id of its own is a duplicate by its text")
	}
	published, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn: &news, Message: aws.String("order 17 paid"), Subject: aws.String("s"), MessageGroupId: aws.String("g"),
		MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("v")}},
	})
	must(t, "Publish", err)
	same(t, "a duplicate with another subject and attributes", numbered{*published.MessageId, *published.SequenceNumber}, first)

	// Within a group.
	groups := fifoTopic(t, client, "groups.fifo", map[string]string{"FifoThroughputScope": "MessageGroup"})
	first = publishOrdered(t, client, groups, "one", "g", "d")
	same(t, "a duplicate of the group", publishOrdered(t, client, groups, "one", "g", "d"), first)
	if other := publishOrdered(t, client, groups, "one", "h", "d"); other == first {
		t.Error("a message of another group is a duplicate")
	}
}

// TestSNSGoFIFORestart ends the program without a warning: what was published before is known behind it.
func TestSNSGoFIFORestart(t *testing.T) {
	dir := t.TempDir()
	server := startOn(t, dir)
	client := snsClient(server)
	ledger := fifoTopic(t, client, "ledger.fifo", nil)
	var before []numbered
	for i := range 20 {
		before = append(before, publishOrdered(t, client, ledger, "m", fmt.Sprint("g", i%3), fmt.Sprint(i)))
	}
	server.kill()
	client = snsClient(startOn(t, dir))
	for i, want := range before {
		same(t, "a duplicate behind the restart", publishOrdered(t, client, ledger, "m", fmt.Sprint("g", i%3), fmt.Sprint(i)), want)
	}
	if next := publishOrdered(t, client, ledger, "m", "g0", "new"); next.Sequence <= before[len(before)-1].Sequence {
		t.Errorf("behind %v comes %v", before[len(before)-1], next)
	}
}

func TestSNSGoFIFOBatch(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	ledger := fifoTopic(t, client, "ledger.fifo", nil)
	entry := func(name, group, id string) types.PublishBatchRequestEntry {
		e := types.PublishBatchRequestEntry{Id: &name, Message: aws.String("text of " + name)}
		if group != "" {
			e.MessageGroupId = &group
		}
		if id != "" {
			e.MessageDeduplicationId = &id
		}
		return e
	}
	batch := func(arn string, entries ...types.PublishBatchRequestEntry) (*sns.PublishBatchOutput, error) {
		return client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: entries})
	}
	// A fault of an entry's order is one of the whole call, and nothing of it is published.
	_, err := batch(ledger, entry("a", "g", "1"), entry("b", "", "2"))
	apiError(t, "PublishBatch without a group", err, "InvalidParameter", noGroupText)
	_, err = batch(ledger, entry("a", "g", "1"), entry("b", "g", ""))
	apiError(t, "PublishBatch without an id", err, "InvalidParameter", noIDText)
	_, err = batch(snsTopic(t, client, "standard"), entry("a", "g", ""), entry("b", "g", "2"))
	apiError(t, "PublishBatch of an id to a standard topic", err, "InvalidParameter", unfitIDText)

	// Numbers in the order of the entries; one with a bad subject fails alone; a duplicate is that of the first.
	bad := entry("bad", "g", "bad")
	bad.Subject = aws.String("a\nb")
	reply, err := batch(ledger, entry("a", "g", "1"), entry("b", "h", "2"), bad, entry("c", "g", "3"), entry("again", "g", "1"))
	must(t, "PublishBatch", err)
	if len(reply.Failed) != 1 || *reply.Failed[0].Id != "bad" || len(reply.Successful) != 4 {
		t.Fatalf("%d entries succeeded, and %d failed", len(reply.Successful), len(reply.Failed))
	}
	var all []numbered
	for i, name := range []string{"a", "b", "c", "again"} {
		s := reply.Successful[i]
		same(t, "the id", *s.Id, name)
		matches(t, "SequenceNumber", *s.SequenceNumber, sequenceForm)
		all = append(all, numbered{*s.MessageId, *s.SequenceNumber})
	}
	same(t, "the duplicate", all[3], all[0])
	if all[0].Sequence >= all[1].Sequence || all[1].Sequence >= all[2].Sequence {
		t.Errorf("the numbers are %v", all)
	}
	same(t, "a duplicate of an entry", publishOrdered(t, client, ledger, "m", "g", "3"), all[2])
	again, err := batch(ledger, entry("x", "g", "3"), entry("y", "g", "4"))
	must(t, "PublishBatch", err)
	same(t, "an entry that is a duplicate", numbered{*again.Successful[0].MessageId, *again.Successful[0].SequenceNumber}, all[2])
	if *again.Successful[1].SequenceNumber <= all[2].Sequence {
		t.Errorf("behind %v comes %v", all[2], *again.Successful[1].SequenceNumber)
	}
}

// TestSNSNodeFIFO drives the same with the SDK for JavaScript, which leaves it to the server to ask for what is missing.
func TestSNSNodeFIFO(t *testing.T) {
	server := start(t)
	ledger := snsARN + "ledger.fifo"
	publish := func(more step) step {
		input := step{"TopicArn": ledger, "Message": "m"}
		for key, value := range more {
			input[key] = value
		}
		return step{"op": "Publish", "input": input}
	}
	entry := func(name, group, id string) step {
		return step{"Id": name, "Message": "text of " + name, "MessageGroupId": group, "MessageDeduplicationId": id}
	}
	replies := nodeProgram{file: "sns.js", url: server.url}.run(t,
		step{"op": "CreateTopic", "input": step{"Name": "ledger.fifo"}},
		step{"op": "CreateTopic", "input": step{"Name": "ledger.fifo", "Attributes": step{"FifoTopic": "true"}}},
		publish(nil),
		publish(step{"MessageGroupId": "g"}),
		publish(step{"MessageGroupId": "g", "MessageDeduplicationId": "d 1"}),
		publish(step{"MessageGroupId": "g~!*'()", "MessageDeduplicationId": "d"}),
		publish(step{"MessageGroupId": "g~!*'()", "MessageDeduplicationId": "d"}),
		step{"op": "PublishBatch", "input": step{"TopicArn": ledger, "PublishBatchRequestEntries": []step{entry("a", "g", "1"), entry("b", "h", "2"), entry("c", "g", "d")}}},
		step{"op": "GetTopicAttributes", "input": step{"TopicArn": ledger}},
		step{"op": "SetTopicAttributes", "input": step{"TopicArn": ledger, "AttributeName": "ContentBasedDeduplication", "AttributeValue": "true"}},
		publish(step{"MessageGroupId": "g"}),
		step{"op": "Subscribe", "input": step{"TopicArn": ledger, "Protocol": "http", "Endpoint": "http://127.0.0.1:9/hook"}},
	)
	refused := map[int]string{
		0: nameText, 2: noGroupText, 3: noIDText, 4: "Invalid parameter: MessageDeduplicationId", 11: "",
	}
	for i, r := range replies {
		text, bad := refused[i]
		switch {
		case !bad && r.Error != nil:
			t.Errorf("step %d: %+v", i, *r.Error)
		case bad && (r.Error == nil || r.Error.Name != "InvalidParameterException" || text != "" && r.Error.Message != text):
			t.Errorf("step %d: got %+v, want %s", i, r.Error, text)
		}
	}
	first := decode[sns.PublishOutput](t, "Publish", replies[5])
	matches(t, "SequenceNumber", *first.SequenceNumber, sequenceForm)
	again := decode[sns.PublishOutput](t, "Publish again", replies[6])
	same(t, "the duplicate", []string{*again.MessageId, *again.SequenceNumber}, []string{*first.MessageId, *first.SequenceNumber})
	batch := decode[sns.PublishBatchOutput](t, "PublishBatch", replies[7]).Successful
	if len(batch) != 3 || *batch[0].SequenceNumber >= *batch[1].SequenceNumber || *batch[2].SequenceNumber != *first.SequenceNumber || *batch[2].MessageId != *first.MessageId {
		t.Errorf("the batch's reply is %+v", batch)
	}
	attributes := decode[sns.GetTopicAttributesOutput](t, "GetTopicAttributes", replies[8]).Attributes
	same(t, "the attributes", []string{attributes["FifoTopic"], attributes["ContentBasedDeduplication"]}, []string{"true", "false"})
}
