package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Source: Amazon SQS API reference. The SDK checks the MD5 of every text by itself, when it is sent and when it is received.

const queueARN = "arn:aws:sqs:us-east-1:000000000000:"

func TestSQSGoMessages(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	url := sqsQueue(t, client, "orders", nil)
	same(t, "QueueUrl", *url, server.url+"/000000000000/orders")
	const text = "héllo & <x> \"q\"\n\t\\ 订单 \U0001f600"
	sent, err := client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: url, MessageBody: aws.String(text), MessageGroupId: aws.String("tenant"), DelaySeconds: 0,
		MessageAttributes: map[string]types.MessageAttributeValue{
			"a.b":    {DataType: aws.String("String.x"), StringValue: aws.String("v & <w>")},
			"number": {DataType: aws.String("Number"), StringValue: aws.String("-1.5e3")},
			"bytes":  {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 254, 255}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-x")}},
	})
	must(t, "SendMessage", err)
	matches(t, "MessageId", *sent.MessageId, uuidForm)
	got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: url, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, WaitTimeSeconds: 20,
	})
	must(t, "ReceiveMessage", err)
	if len(got.Messages) != 1 {
		t.Fatalf("%d messages", len(got.Messages))
	}
	m := got.Messages[0]
	same(t, "the text", *m.Body, text)
	same(t, "MessageId", *m.MessageId, *sent.MessageId)
	same(t, "MD5 of the attributes", *m.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
	if !bytes.Equal(m.MessageAttributes["bytes"].BinaryValue, []byte{0, 1, 254, 255}) || *m.MessageAttributes["a.b"].StringValue != "v & <w>" ||
		*m.MessageAttributes["a.b"].DataType != "String.x" || *m.MessageAttributes["number"].StringValue != "-1.5e3" {
		t.Errorf("the attributes are %+v", m.MessageAttributes)
	}
	for name, want := range map[string]string{"AWSTraceHeader": "Root=1-x", "MessageGroupId": "tenant", "ApproximateReceiveCount": "1", "SenderId": "000000000000"} {
		same(t, name, m.Attributes[name], want)
	}
	_, err = client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
	must(t, "ChangeMessageVisibility", err)
	got, err = client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
	must(t, "ReceiveMessage", err)
	if len(got.Messages) != 1 || got.Messages[0].MessageAttributes != nil || got.Messages[0].Attributes != nil {
		t.Fatalf("behind the change: %+v", got.Messages)
	}
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: got.Messages[0].ReceiptHandle})
	must(t, "DeleteMessage", err)
	_, err = client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 5})
	var notFlying *types.MessageNotInflight
	if !errors.As(err, &notFlying) {
		t.Errorf("ChangeMessageVisibility of a message that is gone: %v", err)
	}

	// Batches.
	var entries []types.SendMessageBatchRequestEntry
	for i := range 10 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: aws.String(fmt.Sprint("m", i))})
	}
	entries[9].MessageBody = aws.String("\x01")
	batch, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	must(t, "SendMessageBatch", err)
	if len(batch.Successful) != 9 || len(batch.Failed) != 1 || *batch.Failed[0].Code != "InvalidMessageContents" || !batch.Failed[0].SenderFault {
		t.Fatalf("SendMessageBatch: %+v", batch)
	}
	var changes []types.ChangeMessageVisibilityBatchRequestEntry
	var deletes []types.DeleteMessageBatchRequestEntry
	for len(changes) < 9 {
		got, err = client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		must(t, "ReceiveMessage", err)
		if len(got.Messages) == 0 {
			t.Fatalf("only %d messages", len(changes))
		}
		for _, m := range got.Messages {
			id := aws.String(fmt.Sprint(len(changes)))
			changes = append(changes, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 100})
			deletes = append(deletes, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: m.ReceiptHandle})
		}
	}
	changes[0].ReceiptHandle = aws.String("x")
	changed, err := client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: changes})
	must(t, "ChangeMessageVisibilityBatch", err)
	if len(changed.Successful) != 8 || len(changed.Failed) != 1 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("ChangeMessageVisibilityBatch: %+v", changed)
	}
	deleted, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: deletes})
	must(t, "DeleteMessageBatch", err)
	same(t, "deleted", len(deleted.Successful), 9)
	attributes, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
	must(t, "GetQueueAttributes", err)
	same(t, "what is left", attributes.Attributes, map[string]string{"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"})
}

func TestSQSGoQueues(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	letters := sqsQueue(t, client, "letters", nil)
	attributes := map[string]string{
		"VisibilityTimeout": "0", "DelaySeconds": "1", "MessageRetentionPeriod": "60", "MaximumMessageSize": "2048", "ReceiveMessageWaitTimeSeconds": "3",
		"RedrivePolicy": `{"deadLetterTargetArn":"` + queueARN + `letters","maxReceiveCount":2}`,
	}
	input := &sqs.CreateQueueInput{QueueName: aws.String("orders"), Attributes: attributes, Tags: map[string]string{"team": "red & blue"}}
	for range 2 {
		_, err := client.CreateQueue(ctx, input)
		must(t, "CreateQueue", err)
	}
	input.Attributes = map[string]string{"DelaySeconds": "2"}
	_, err := client.CreateQueue(ctx, input)
	var exists *types.QueueNameExists
	if !errors.As(err, &exists) {
		t.Errorf("CreateQueue with another delay: %v", err)
	}
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("orders"), QueueOwnerAWSAccountId: aws.String("000000000000")})
	must(t, "GetQueueUrl", err)
	url := found.QueueUrl
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"All"}})
	must(t, "GetQueueAttributes", err)
	for name, value := range attributes {
		same(t, name, got.Attributes[name], value)
	}
	same(t, "QueueArn", got.Attributes["QueueArn"], queueARN+"orders")
	_, err = client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"DelaySeconds": "0", "RedrivePolicy": ""}})
	must(t, "SetQueueAttributes", err)
	got, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"DelaySeconds", "RedrivePolicy"}})
	must(t, "GetQueueAttributes", err)
	same(t, "the attributes", got.Attributes, map[string]string{"DelaySeconds": "0"})
	_, err = client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"DelaySeconds": "901"}})
	var badValue *types.InvalidAttributeValue
	if !errors.As(err, &badValue) {
		t.Errorf("SetQueueAttributes with a delay that is too long: %v", err)
	}
	_, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"Colour"}})
	var badName *types.InvalidAttributeName
	if !errors.As(err, &badName) {
		t.Errorf("GetQueueAttributes of an unknown one: %v", err)
	}

	// Tags.
	_, err = client.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"a": "", "team": "green"}})
	must(t, "TagQueue", err)
	_, err = client.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"a", "never"}})
	must(t, "UntagQueue", err)
	tags, err := client.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})
	must(t, "ListQueueTags", err)
	same(t, "the tags", tags.Tags, map[string]string{"team": "green"})

	// Permissions.
	permission := &sqs.AddPermissionInput{QueueUrl: url, Label: aws.String("l"), AWSAccountIds: []string{"111122223333"}, Actions: []string{"SendMessage"}}
	_, err = client.AddPermission(ctx, permission)
	must(t, "AddPermission", err)
	_, err = client.AddPermission(ctx, permission)
	apiError(t, "AddPermission again", err, "InvalidParameterValue", "Value l for parameter Label is invalid. Reason: Already exists.")
	got, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []types.QueueAttributeName{"Policy"}})
	must(t, "GetQueueAttributes", err)
	if !strings.Contains(got.Attributes["Policy"], `"Action":"SQS:SendMessage"`) {
		t.Errorf("the policy is %s", got.Attributes["Policy"])
	}
	_, err = client.RemovePermission(ctx, &sqs.RemovePermissionInput{QueueUrl: url, Label: aws.String("l")})
	must(t, "RemovePermission", err)

	// Lists, with the SDK's own paginators.
	var want, listed, sources []string
	for i := range 5 {
		url := sqsQueue(t, client, fmt.Sprint("list", i), map[string]string{"RedrivePolicy": attributes["RedrivePolicy"]})
		want = append(want, *url)
	}
	for pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("list"), MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, "ListQueues", err)
		listed = append(listed, page.QueueUrls...)
	}
	same(t, "the queues", listed, want)
	for pages := sqs.NewListDeadLetterSourceQueuesPaginator(client, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: letters, MaxResults: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, "ListDeadLetterSourceQueues", err)
		sources = append(sources, page.QueueUrls...)
	}
	same(t, "the sources", sources, want)

	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")})
	must(t, "SendMessage", err)
	_, err = client.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: url})
	must(t, "PurgeQueue", err)
	none, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 1})
	must(t, "ReceiveMessage", err)
	same(t, "messages behind the purge", len(none.Messages), 0)
	_, err = client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})
	must(t, "DeleteQueue", err)
	_, err = client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		t.Errorf("GetQueueUrl of a queue that was deleted: %v", err)
	}
	same(t, "the code", codeOf(err), "AWS.SimpleQueueService.NonExistentQueue")
}

func TestSQSGoFIFO(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	url := sqsQueue(t, client, "orders.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
	send := func(body, group string) *sqs.SendMessageOutput {
		t.Helper()
		sent, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body, MessageGroupId: &group})
		must(t, "SendMessage", err)
		return sent
	}
	first, again, second := send("one", "a"), send("one", "a"), send("two", "a")
	send("three", "b")
	same(t, "the duplicate", []string{*again.MessageId, *again.SequenceNumber}, []string{*first.MessageId, *first.SequenceNumber})
	matches(t, "SequenceNumber", *second.SequenceNumber, `1[0-9]{19}`)
	if *second.SequenceNumber <= *first.SequenceNumber {
		t.Errorf("%s is not behind %s", *second.SequenceNumber, *first.SequenceNumber)
	}
	var texts []string
	for len(texts) < 3 {
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 1, WaitTimeSeconds: 20})
		must(t, "ReceiveMessage", err)
		if len(got.Messages) == 0 {
			t.Fatalf("only %q", texts)
		}
		m := got.Messages[0]
		texts = append(texts, *m.Body)
		_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle})
		must(t, "DeleteMessage", err)
	}
	if slices.Index(texts, "one") > slices.Index(texts, "two") {
		t.Errorf("received %q", texts)
	}
	_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")})
	apiError(t, "SendMessage without a group", err, "MissingParameter", "The request must contain the parameter MessageGroupId.")
}

// TestSQSGoMoves has messages become dead letters, and moves them back.
func TestSQSGoMoves(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	letters := sqsQueue(t, client, "letters", nil)
	url := sqsQueue(t, client, "orders", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + queueARN + `letters","maxReceiveCount":1}`, "VisibilityTimeout": "0"})
	for i := range 3 {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(fmt.Sprint(i))})
		must(t, "SendMessage", err)
	}
	var dead []types.Message
	for began := time.Now(); len(dead) < 3 && time.Since(began) < 30*time.Second; {
		_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
		must(t, "ReceiveMessage", err)
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: letters, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"DeadLetterQueueSourceArn"}})
		must(t, "ReceiveMessage", err)
		dead = append(dead, got.Messages...)
	}
	same(t, "dead letters", len(dead), 3)
	for _, m := range dead {
		same(t, "DeadLetterQueueSourceArn", m.Attributes["DeadLetterQueueSourceArn"], queueARN+"orders")
		_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: letters, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
		must(t, "ChangeMessageVisibility", err)
	}
	target := sqsQueue(t, client, "target", nil)
	started, err := client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN + "letters"), DestinationArn: aws.String(queueARN + "target"), MaxNumberOfMessagesPerSecond: aws.Int32(1)})
	must(t, "StartMessageMoveTask", err)
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN + "letters")})
	apiError(t, "StartMessageMoveTask again", err, "InvalidParameterValue", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	cancelled, err := client.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
	must(t, "CancelMessageMoveTask", err)
	if cancelled.ApproximateNumberOfMessagesMoved > 3 {
		t.Errorf("%d were moved", cancelled.ApproximateNumberOfMessagesMoved)
	}
	status := func(want string) types.ListMessageMoveTasksResultEntry {
		t.Helper()
		for began := time.Now(); ; {
			list, err := client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(queueARN + "letters"), MaxResults: aws.Int32(10)})
			must(t, "ListMessageMoveTasks", err)
			if len(list.Results) > 0 && *list.Results[0].Status == want {
				return list.Results[0]
			}
			if time.Since(began) > 30*time.Second {
				t.Fatalf("the tasks are %+v", list.Results)
			}
		}
	}
	first := status("CANCELLED")
	same(t, "DestinationArn", *first.DestinationArn, queueARN+"target")
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN + "letters")})
	must(t, "StartMessageMoveTask", err)
	second := status("COMPLETED")
	same(t, "moved by both", first.ApproximateNumberOfMessagesMoved+second.ApproximateNumberOfMessagesMoved, int64(3))
	var texts []string
	for began := time.Now(); len(texts) < 3 && time.Since(began) < 30*time.Second; {
		for _, url := range []*string{url, target} {
			got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 100})
			must(t, "ReceiveMessage", err)
			for _, m := range got.Messages {
				texts = append(texts, *m.Body)
			}
		}
	}
	slices.Sort(texts)
	same(t, "what was moved", texts, []string{"0", "1", "2"})
	_, err = client.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: started.TaskHandle})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("CancelMessageMoveTask of one that has ended: %v", err)
	}
}

// TestSQSGoLongReplies receives ten messages of 100 KiB at a time, again and again.
func TestSQSGoLongReplies(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	url := sqsQueue(t, client, "orders", map[string]string{"VisibilityTimeout": "0"})
	body := strings.Repeat("\"é\\ ", 100<<10/5)
	for i := range 10 {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(fmt.Sprint(i, body))})
		must(t, "SendMessage", err)
	}
	for range 50 {
		got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		must(t, "ReceiveMessage", err)
		for _, m := range got.Messages {
			if (*m.Body)[1:] != body {
				t.Fatalf("a message of %d bytes came as %d", len(body), len(*m.Body)-1)
			}
		}
		if len(got.Messages) == 0 {
			t.Fatal("no message")
		}
	}
}

// TestSQSGoErrors meets the errors that have a type of their own.
func TestSQSGoErrors(t *testing.T) {
	server := start(t)
	client, ctx := sqsClient(server), t.Context()
	url := sqsQueue(t, client, "orders", map[string]string{"MaximumMessageSize": "1024"})
	is := func(err error, target any) {
		t.Helper()
		if !errors.As(err, target) {
			t.Errorf("%v is no %v", err, reflect.TypeOf(target).Elem())
		}
	}
	batch := func(bodies ...string) error {
		var entries []types.SendMessageBatchRequestEntry
		for i, body := range bodies {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &body})
		}
		if len(bodies) == 2 {
			entries[1].Id = entries[0].Id
		}
		_, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
		return err
	}
	is(batch(make([]string, 11)...), new(*types.TooManyEntriesInBatchRequest))
	is(batch("a", "b"), new(*types.BatchEntryIdsNotDistinct))
	is(batch(strings.Repeat("a", 1<<20), "", "b"), new(*types.BatchRequestTooLong))
	_, err := client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{}})
	is(err, new(*types.EmptyBatchRequest))
	_, err = client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a b"), MessageBody: aws.String("m")}}})
	is(err, new(*types.InvalidBatchEntryId))
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("\ufffe")})
	is(err, new(*types.InvalidMessageContents))
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String(strings.Repeat("m", 1025))})
	apiError(t, "a message that is too long", err, "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.")
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(server.url + "/000000000000/nobody"), MessageBody: aws.String("m")})
	is(err, new(*types.QueueDoesNotExist))
	_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: aws.String("x")})
	is(err, new(*types.ReceiptHandleIsInvalid))
	_, err = client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN + "nobody")})
	is(err, new(*types.ResourceNotFoundException))
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringListValues: []string{"v"}}}})
	is(err, new(*types.UnsupportedOperation))
}

// TestSQSSignedBySDK signs with the SDK, with keys that permit something.
func TestSQSSignedBySDK(t *testing.T) {
	server := startClosed(t)
	owner := sqsClient(server)
	url := sqsQueue(t, owner, "orders", nil)
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	publisher := sqsClientWith(server, "AKIDPUBLISH", secret)
	send := func(client *sqs.Client) error {
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("héllo & <x>=1+1 ~*'()")})
		return err
	}
	must(t, "SendMessage", send(publisher))
	same(t, "another secret", codeOf(send(sqsClientWith(server, "AKIDPUBLISH", secret+"x"))), "SignatureDoesNotMatch")
	same(t, "another key", codeOf(send(sqsClientWith(server, "AKIDOTHER", secret))), "InvalidClientTokenId")
	same(t, "no key", codeOf(send(sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.url), Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{}}))), "MissingAuthenticationToken")
	_, err := publisher.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
	apiError(t, "ReceiveMessage of a publisher", err, "AccessDenied", "User: arn:aws:iam::000000000000:user/publisher is not authorized to perform: "+
		"sqs:receivemessage because no identity-based policy allows the sqs:receivemessage action")
	_, err = publisher.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: url})
	same(t, "DeleteQueue of a publisher", codeOf(err), "AccessDenied")
	got, err := owner.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 20})
	must(t, "ReceiveMessage", err)
	same(t, "messages", len(got.Messages), 1)
}

// TestSQSGoLongPoll waits with the SDK until a message comes; FANFARE_LONG=1 waits longer than the server does for the head of
// a request.
func TestSQSGoLongPoll(t *testing.T) {
	server := start(t)
	client := sqsClient(server)
	url := sqsQueue(t, client, "orders", map[string]string{"ReceiveMessageWaitTimeSeconds": "20"})
	type outcome struct {
		output *sqs.ReceiveMessageOutput
		err    error
	}
	wait := time.Second
	if os.Getenv("FANFARE_LONG") != "" {
		wait = 12 * time.Second
	}
	received := make(chan outcome, 1)
	go func() {
		output, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: url})
		received <- outcome{output, err}
	}()
	select {
	case got := <-received:
		t.Fatalf("it did not wait: %+v", got)
	case <-time.After(wait):
	}
	_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("m")})
	must(t, "SendMessage", err)
	got := <-received
	must(t, "ReceiveMessage", got.err)
	same(t, "messages", len(got.output.Messages), 1)
}
