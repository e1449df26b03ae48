package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: Amazon SNS developer guide, "FIFO topics: message delivery"; what goes to which queue as recorded from AWS.

// subscribedQueue is a queue with a subscription to a topic.
type subscribedQueue struct {
	t      testing.TB
	client *sqs.Client
	url    string
	arn    string
}

// newSubscribedQueue makes a queue and subscribes it.
func newSubscribedQueue(t testing.TB, server *program, topic, name string, attributes map[string]string) *subscribedQueue {
	t.Helper()
	client := sqsClient(server)
	input := &sqs.CreateQueueInput{QueueName: &name}
	if strings.HasSuffix(name, ".fifo") {
		input.Attributes = map[string]string{"FifoQueue": "true"}
	}
	created, err := client.CreateQueue(t.Context(), input)
	must(t, "CreateQueue", err)
	q := &subscribedQueue{t, client, *created.QueueUrl, "arn:aws:sqs:us-east-1:000000000000:" + name}
	subscribed, err := snsClient(server).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &q.arn, Attributes: attributes,
	})
	must(t, "Subscribe", err)
	matches(t, "SubscriptionArn", *subscribed.SubscriptionArn, topic+":"+uuidForm)
	return q
}

// receive receives and deletes so many messages, with all they have, in the order they come in.
func (q *subscribedQueue) receive(n int) []sqstypes.Message {
	q.t.Helper()
	var all []sqstypes.Message
	for empty := 0; len(all) < n; {
		reply, err := q.client.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
		})
		must(q.t, "ReceiveMessage", err)
		if len(reply.Messages) == 0 {
			if empty++; empty == 2 {
				q.t.Fatalf("%s has %d messages, want %d", q.arn, len(all), n)
			}
		}
		for _, m := range reply.Messages {
			_, err := q.client.DeleteMessage(q.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
			must(q.t, "DeleteMessage", err)
		}
		all = append(all, reply.Messages...)
	}
	return all
}

// empty sees to it that nothing more comes.
func (q *subscribedQueue) empty() {
	q.t.Helper()
	reply, err := q.client.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 1})
	must(q.t, "ReceiveMessage", err)
	if len(reply.Messages) > 0 {
		q.t.Errorf("%s has one more: %s", q.arn, *reply.Messages[0].Body)
	}
}

// orderOf is what a message says of its order: the group and the deduplication id.
func orderOf(m *sqstypes.Message) [2]string {
	return [2]string{m.Attributes["MessageGroupId"], m.Attributes["MessageDeduplicationId"]}
}

// TestSNSGoFIFOQueues sends three batches through a FIFO topic into queues of all sorts, and all of it a second time, which
// changes nothing.
func TestSNSGoFIFOQueues(t *testing.T) {
	const batches, groups = 3, 3
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	topic := fifoTopic(t, client, "ledger.fifo", nil)
	enveloped := newSubscribedQueue(t, server, topic, "enveloped.fifo", nil)
	raw := newSubscribedQueue(t, server, topic, "raw.fifo", map[string]string{"RawMessageDelivery": "true"})
	loose := newSubscribedQueue(t, server, topic, "loose", map[string]string{"RawMessageDelivery": "true"})

	type sent struct{ text, group, id, message, sequence string }
	var all []sent
	for round := range 2 {
		for b := range batches {
			input := &sns.PublishBatchInput{TopicArn: &topic}
			for i := range 10 {
				n := 10*b + i
				input.PublishBatchRequestEntries = append(input.PublishBatchRequestEntries, types.PublishBatchRequestEntry{
					Id: aws.String(fmt.Sprint("e", i)), Message: aws.String(fmt.Sprint("text ", n)),
					MessageGroupId: aws.String(fmt.Sprint("g", n%groups)), MessageDeduplicationId: aws.String(fmt.Sprint("d", n)),
					MessageAttributes: map[string]types.MessageAttributeValue{"n": {DataType: aws.String("Number"), StringValue: aws.String(fmt.Sprint(n))}},
				})
			}
			reply, err := client.PublishBatch(ctx, input)
			must(t, "PublishBatch", err)
			if len(reply.Successful) != 10 {
				t.Fatalf("%d entries succeeded", len(reply.Successful))
			}
			for i, s := range reply.Successful {
				n := 10*b + i
				if round == 0 {
					all = append(all, sent{fmt.Sprint("text ", n), fmt.Sprint("g", n%groups), fmt.Sprint("d", n), *s.MessageId, *s.SequenceNumber})
				} else {
					same(t, "the duplicate", numbered{*s.MessageId, *s.SequenceNumber}, numbered{all[n].message, all[n].sequence})
				}
			}
		}
	}
	// ofGroup is what was sent to a group, in its order.
	ofGroup := func(group string) (texts []string) {
		for _, s := range all {
			if s.group == group {
				texts = append(texts, s.text)
			}
		}
		return texts
	}

	got := map[string][]string{}
	for _, m := range raw.receive(len(all)) {
		i := slices.IndexFunc(all, func(s sent) bool { return s.text == *m.Body })
		if i < 0 {
			t.Fatalf("nobody sent %q", *m.Body)
		}
		same(t, "the order of "+*m.Body, orderOf(&m), [2]string{all[i].group, all[i].id})
		same(t, "the attribute of "+*m.Body, *m.MessageAttributes["n"].StringValue, strings.TrimPrefix(all[i].text, "text "))
		got[all[i].group] = append(got[all[i].group], *m.Body)
	}
	for g := range groups {
		group := fmt.Sprint("g", g)
		same(t, "the order of the group "+group, got[group], ofGroup(group))
	}

	got = map[string][]string{}
	for _, m := range enveloped.receive(len(all)) {
		document := objectMembers(t, *m.Body)
		text := value(t, document, "Message")
		i := slices.IndexFunc(all, func(s sent) bool { return s.text == text })
		if i < 0 {
			t.Fatalf("nobody sent %q", text)
		}
		s := all[i]
		same(t, "the order of "+text, orderOf(&m), [2]string{s.group, s.id})
		same(t, "the document's names and first members", append(names(document), document[1].Value, document[2].Value, document[3].Value),
			[]string{"Type", "MessageId", "SequenceNumber", "TopicArn", "Message", "Timestamp", "UnsubscribeURL", "MessageAttributes", s.message, s.sequence, topic})
		if len(m.MessageAttributes) != 0 {
			t.Errorf("%s has the attributes %v beside its document", text, m.MessageAttributes)
		}
		got[s.group] = append(got[s.group], text)
	}
	for g := range groups {
		group := fmt.Sprint("g", g)
		same(t, "the order of the group "+group, got[group], ofGroup(group))
	}

	// A standard queue gets the messages, and neither groups nor ids.
	var texts, want []string
	for _, m := range loose.receive(len(all)) {
		texts = append(texts, *m.Body)
		same(t, "the order of "+*m.Body, orderOf(&m), [2]string{})
	}
	for _, s := range all {
		want = append(want, s.text)
	}
	slices.Sort(texts)
	slices.Sort(want)
	same(t, "what the standard queue got", texts, want)
	enveloped.empty()
	raw.empty()
	loose.empty()
}

func names(members []member) (all []string) {
	for _, m := range members {
		all = append(all, m.Name)
	}
	return all
}

// TestSNSGoFIFOContentQueue is the deduplication id that a queue gets when the publisher gave none: the sum of the text that
// is delivered, not of the document around it.
func TestSNSGoFIFOContentQueue(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	topic := fifoTopic(t, client, "news.fifo", map[string]string{"ContentBasedDeduplication": "true"})
	enveloped := newSubscribedQueue(t, server, topic, "enveloped.fifo", nil)
	raw := newSubscribedQueue(t, server, topic, "raw.fifo", map[string]string{"RawMessageDelivery": "true"})
	publishOrdered(t, client, topic, "order 17 paid", "g", "")
	publishOrdered(t, client, topic, "order 17 paid", "g", "own")
	_, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn: &topic, MessageGroupId: aws.String("g"), MessageStructure: aws.String("json"), Message: aws.String(`{"default":"for all","sqs":"for queues"}`),
	})
	must(t, "Publish by protocol", err)
	sum := sha256.Sum256([]byte("for queues"))
	want := [][2]string{{"g", "557367980bb8d1a41a9037d2ee2ba6c286f12bfc52c4123b832e4e9573ae1a11"}, {"g", "own"}, {"g", hex.EncodeToString(sum[:])}}
	for _, q := range []*subscribedQueue{enveloped, raw} {
		var got [][2]string
		for _, m := range q.receive(3) {
			got = append(got, orderOf(&m))
		}
		same(t, "what "+q.arn+" got", got, want)
	}
}

// TestSNSGoFIFOEndpoints is what a FIFO queue may be subscribed to.
func TestSNSGoFIFOEndpoints(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	topic, standard := fifoTopic(t, client, "ledger.fifo", nil), snsTopic(t, client, "orders")
	q := newSubscribedQueue(t, server, topic, "one.fifo", nil)
	_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &standard, Protocol: aws.String("sqs"), Endpoint: &q.arn})
	apiError(t, "Subscribe of a FIFO queue to a standard topic", err, "InvalidParameter",
		"Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	listed, err := client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	must(t, "ListSubscriptionsByTopic", err)
	if len(listed.Subscriptions) != 1 {
		t.Fatalf("%d subscriptions are listed", len(listed.Subscriptions))
	}
	same(t, "the subscription", []string{*listed.Subscriptions[0].Protocol, *listed.Subscriptions[0].Endpoint}, []string{"sqs", q.arn})
	arn := listed.Subscriptions[0].SubscriptionArn
	set := func(queue string) error {
		_, err := client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: arn, AttributeName: aws.String("RedrivePolicy"), AttributeValue: aws.String(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:` + queue + `"}`),
		})
		return err
	}
	apiError(t, "a standard queue for dead letters", set("dead"), "InvalidParameter",
		"Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
	must(t, "a FIFO queue for dead letters", set("dead.fifo"))
}

// TestSNSNodeFIFOQueue publishes with the SDK for JavaScript what a FIFO queue then has, in its order and once.
func TestSNSNodeFIFOQueue(t *testing.T) {
	server := start(t)
	topic := fifoTopic(t, snsClient(server), "ledger.fifo", nil)
	q := newSubscribedQueue(t, server, topic, "one.fifo", map[string]string{"RawMessageDelivery": "true"})
	var steps []step
	var want []string
	for b := range 3 {
		var entries []step
		for i := range 10 {
			text := fmt.Sprint("text ", 10*b+i)
			entries = append(entries, step{"Id": fmt.Sprint("e", i), "Message": text, "MessageGroupId": "g", "MessageDeduplicationId": fmt.Sprint("d", 10*b+i)})
			want = append(want, text)
		}
		batch := step{"op": "PublishBatch", "input": step{"TopicArn": topic, "PublishBatchRequestEntries": entries}}
		steps = append(steps, batch, batch)
	}
	for _, r := range (nodeProgram{file: "sns.js", url: server.url}).run(t, steps...) {
		if reply := decode[sns.PublishBatchOutput](t, "PublishBatch", r); len(reply.Successful) != 10 {
			t.Errorf("%d entries succeeded", len(reply.Successful))
		}
	}
	var got []string
	for _, m := range q.receive(len(want)) {
		got = append(got, *m.Body)
	}
	same(t, "what the queue got", got, want)
	q.empty()
}
