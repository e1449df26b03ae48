package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: Amazon SNS developer guide, "Fanout to Amazon SQS queues", "Dead-letter queues" and "Message delivery for FIFO
// topics"; texts as recorded from AWS.

// queues are those of a server, for what topics deliver into them.
type queues struct {
	t      testing.TB
	client *sqs.Client
}

func queuesOf(t testing.TB, p *program) *queues {
	return &queues{t, sqsClient(p)}
}

// make makes a queue and returns its URL and its ARN.
func (q *queues) make(name string, attributes map[string]string) (url, arn string) {
	q.t.Helper()
	created, err := q.client.CreateQueue(q.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(q.t, "CreateQueue", err)
	got, err := q.client.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	must(q.t, "GetQueueAttributes", err)
	return *created.QueueUrl, got.Attributes["QueueArn"]
}

// take receives n messages and deletes them; the SDK has compared their MD5s.
func (q *queues) take(url string, n int) (all []sqstypes.Message) {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(q.t.Context(), time.Minute)
	defer cancel()
	for len(all) < n {
		got, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
		})
		must(q.t, "ReceiveMessage", err)
		entries := make([]sqstypes.DeleteMessageBatchRequestEntry, 0, len(got.Messages))
		for i, m := range got.Messages {
			entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
		if all = append(all, got.Messages...); len(entries) == 0 {
			continue
		}
		deleted, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: entries})
		must(q.t, "DeleteMessageBatch", err)
		if len(deleted.Failed) > 0 {
			q.t.Fatalf("DeleteMessageBatch: %+v", deleted.Failed)
		}
	}
	return all
}

// empty checks that nothing is left in a queue.
func (q *queues) empty(url string) {
	q.t.Helper()
	got, err := q.client.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	must(q.t, "GetQueueAttributes", err)
	same(q.t, "what is left in "+url, got.Attributes, map[string]string{"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"})
}

// subscribeARN subscribes a queue and returns the subscription's ARN.
func subscribeARN(t testing.TB, client *sns.Client, topic, queue string, attributes map[string]string) string {
	t.Helper()
	got, err := client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &queue, Attributes: attributes})
	must(t, "Subscribe", err)
	matches(t, "SubscriptionArn", *got.SubscriptionArn, topic+":"+uuidForm)
	return *got.SubscriptionArn
}

// TestSNSGoIntoQueues publishes to a topic with two queues: one gets the documents, one the text of what passes its filter.
func TestSNSGoIntoQueues(t *testing.T) {
	const batches = 20
	server := start(t)
	client, q, ctx := snsClient(server), queuesOf(t, server), t.Context()
	topic := snsTopic(t, client, "orders")
	documents, documentsARN := q.make("documents", nil)
	texts, textsARN := q.make("texts", nil)
	subscription := subscribeARN(t, client, topic, documentsARN, nil)
	subscribeARN(t, client, topic, textsARN, map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"colour":["red"]}`})
	same(t, "the ARN of the second call", subscribeARN(t, client, topic, documentsARN, nil), subscription)

	published := map[string]string{} // text by id
	for batch := range batches {
		entries := make([]types.PublishBatchRequestEntry, 0, 10)
		for i := range 10 {
			colour := []string{"red", "green"}[i%2]
			entries = append(entries, types.PublishBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), Message: aws.String(fmt.Sprintf("%s %d \"é\"", colour, 10*batch+i)), Subject: aws.String("s"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"colour": {DataType: aws.String("String"), StringValue: &colour},
					"bytes":  {DataType: aws.String("Binary.raw"), BinaryValue: []byte{0, byte(i), 255}},
					"number": {DataType: aws.String("Number.int"), StringValue: aws.String(strconv.Itoa(i))},
				},
			})
		}
		got, err := client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: entries})
		must(t, "PublishBatch", err)
		for _, s := range got.Successful {
			i, _ := strconv.Atoi(*s.Id)
			published[*s.MessageId] = *entries[i].Message
		}
	}
	same(t, "the number of ids", len(published), 10*batches)

	delivered := map[string]string{}
	for _, m := range q.take(documents, 10*batches) {
		var d struct {
			Type, MessageId, TopicArn, Subject, Message string
			MessageAttributes                           map[string]struct{ Type, Value string }
		}
		must(t, "the document", json.Unmarshal([]byte(*m.Body), &d))
		if len(m.MessageAttributes) > 0 || d.Type != "Notification" || d.TopicArn != topic || d.Subject != "s" || len(d.MessageAttributes) != 3 {
			t.Errorf("the queue got %+v beside %s", m.MessageAttributes, *m.Body)
		}
		delivered[d.MessageId] = d.Message
	}
	same(t, "what the documents say", delivered, published)
	q.empty(documents)

	var reds, want []string
	for _, m := range q.take(texts, 5*batches) {
		reds = append(reds, *m.Body)
		i := m.MessageAttributes["bytes"].BinaryValue[1]
		same(t, "the attributes", attributesOf(m), map[string]string{
			"colour": "String red", "bytes": fmt.Sprintf("Binary.raw %q", []byte{0, i, 255}), "number": fmt.Sprintf("Number.int %d", i),
		})
	}
	for _, text := range published {
		if text[0] == 'r' {
			want = append(want, text)
		}
	}
	slices.Sort(reds)
	slices.Sort(want)
	same(t, "the texts", reds, want)
	q.empty(texts)

	_, err := client.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &subscription})
	must(t, "Unsubscribe", err)
}

// attributesOf are a message's attributes in one word each.
func attributesOf(m sqstypes.Message) map[string]string {
	all := map[string]string{}
	for name, a := range m.MessageAttributes {
		if a.StringValue != nil {
			all[name] = *a.DataType + " " + *a.StringValue
		} else {
			all[name] = fmt.Sprintf("%s %q", *a.DataType, a.BinaryValue)
		}
	}
	return all
}

// TestSNSGoDeadLettersIntoQueues: a queue that is gone, and an endpoint that refuses.
func TestSNSGoDeadLettersIntoQueues(t *testing.T) {
	server := start(t)
	client, q, ctx := snsClient(server), queuesOf(t, server), t.Context()
	topic := snsTopic(t, client, "orders")
	gone, goneARN := q.make("gone", nil)
	dead, deadARN := q.make("dead", nil)
	subscription := subscribeARN(t, client, topic, goneARN, map[string]string{"RawMessageDelivery": "true"})
	_, err := q.client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &gone})
	must(t, "DeleteQueue", err)
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%q}`, deadARN)
	_, err = client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &subscription, AttributeName: aws.String("RedrivePolicy"), AttributeValue: &policy,
	})
	must(t, "SetSubscriptionAttributes", err)
	got, err := client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &subscription})
	must(t, "GetSubscriptionAttributes", err)
	same(t, "the attributes", got.Attributes, map[string]string{
		"ConfirmationWasAuthenticated": "true", "Endpoint": goneARN, "Owner": "000000000000", "PendingConfirmation": "false", "Protocol": "sqs",
		"RawMessageDelivery": "true", "RedrivePolicy": policy, "SubscriptionArn": subscription,
		"SubscriptionPrincipal": "arn:aws:iam::000000000000:user/fanfare", "TopicArn": topic,
	})
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("lost?"), MessageAttributes: map[string]types.MessageAttributeValue{
		"a": {DataType: aws.String("String"), StringValue: aws.String("v")},
	}})
	must(t, "Publish", err)
	letter := q.take(dead, 1)[0]
	same(t, "the dead letter", *letter.Body, "lost?")
	same(t, "its attributes", attributesOf(letter), map[string]string{"a": "String v"})
	q.empty(dead)
}

// TestSNSGoFIFOIntoQueues has the order of groups in a FIFO queue, and nothing of it in another.
func TestSNSGoFIFOIntoQueues(t *testing.T) {
	const each = 30
	server := start(t)
	client, q, ctx := snsClient(server), queuesOf(t, server), t.Context()
	topic := fifoTopic(t, client, "f.fifo", map[string]string{"ContentBasedDeduplication": "true"})
	ordered, orderedARN := q.make("q.fifo", map[string]string{"FifoQueue": "true"})
	standard, standardARN := q.make("q", nil)
	raw := map[string]string{"RawMessageDelivery": "true"}
	subscribeARN(t, client, topic, orderedARN, raw)
	subscribeARN(t, client, topic, standardARN, raw)

	plain := snsTopic(t, client, "orders")
	_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &plain, Protocol: aws.String("sqs"), Endpoint: &orderedARN})
	apiError(t, "Subscribe of a FIFO queue to a standard topic", err, "InvalidParameter",
		"Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	var invalid *types.InvalidParameterException
	if _, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &ordered}); !errors.As(err, &invalid) {
		t.Errorf("Subscribe of a queue's URL: %v", err)
	}

	want := map[string][]string{}
	for i := range each {
		for _, group := range []string{"a", "b", "c"} {
			text := fmt.Sprintf("%s %d", group, i)
			want[group] = append(want[group], text)
			first := publishOrdered(t, client, topic, text, group, "")
			same(t, "what a duplicate is answered", publishOrdered(t, client, topic, text, group, ""), first)
		}
	}
	got := map[string][]string{}
	for _, m := range q.take(ordered, 3*each) {
		group := m.Attributes["MessageGroupId"]
		got[group] = append(got[group], *m.Body)
	}
	same(t, "what the FIFO queue got", got, want)
	q.empty(ordered)
	for _, m := range q.take(standard, 3*each) {
		if group, ok := m.Attributes["MessageGroupId"]; ok {
			t.Fatalf("the standard queue got the group %q", group)
		}
	}
	q.empty(standard)
}
