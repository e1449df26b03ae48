package conformance

import (
	"encoding/json"
	"slices"
	"testing"
)

// sqsReply is what the SDK for JavaScript makes of the replies.
type sqsReply struct {
	QueueUrl           string   `json:"QueueUrl"`
	QueueURLs          []string `json:"QueueUrls"`
	Sources            []string `json:"queueUrls"`
	MessageID          string   `json:"MessageId"`
	SequenceNumber     string
	TaskHandle         string
	Attributes, Tags   map[string]string
	Messages           []sqsMessage
	Successful, Failed []struct {
		ID   string `json:"Id"`
		Code string
	}
	Results []struct{ Status string }
}

type sqsMessage struct {
	Body, ReceiptHandle string
	Attributes          map[string]string
	MessageAttributes   map[string]struct {
		DataType, StringValue string
		BinaryValue           json.RawMessage
	}
}

// TestSQSNode performs every action with the SDK for JavaScript, which checks the MD5 of texts and attributes itself. A handle
// that one run was given is used in the next.
func TestSQSNode(t *testing.T) {
	server := start(t)
	client := nodeProgram{file: "sqs.js", url: server.url}
	const queue, fifo = "/000000000000/orders", "/000000000000/orders.fifo"
	url, fifoURL := server.url+queue, server.url+fifo
	with := func(input step) step {
		if input["QueueUrl"] == nil {
			input["QueueUrl"] = url
		}
		return input
	}
	at := func(op string, input step) step { return step{"op": op, "input": with(input)} }
	reply := func(o outcome) sqsReply {
		t.Helper()
		return decode[sqsReply](t, "the reply", o)
	}
	const text = "héllo & <x> \"q\"\n订单 😀"
	first := client.run(t,
		step{"op": "CreateQueue", "input": step{"QueueName": "letters"}},
		step{"op": "CreateQueue", "input": step{"QueueName": "orders", "tags": step{"team": "red"}, "Attributes": step{"RedrivePolicy": `{"deadLetterTargetArn":"` + queueARN + `letters","maxReceiveCount":"5"}`}}},
		step{"op": "CreateQueue", "input": step{"QueueName": "orders.fifo", "Attributes": step{"FifoQueue": "true"}}},
		step{"op": "GetQueueUrl", "input": step{"QueueName": "orders"}},
		step{"op": "ListQueues", "input": step{"QueueNamePrefix": "orders"}},
		at("SetQueueAttributes", step{"Attributes": step{"VisibilityTimeout": "100"}}),
		at("GetQueueAttributes", step{"AttributeNames": []string{"All"}}),
		at("TagQueue", step{"Tags": step{"a": "b"}}),
		at("UntagQueue", step{"TagKeys": []string{"team"}}),
		at("ListQueueTags", step{}),
		at("AddPermission", step{"Label": "l", "AWSAccountIds": []string{"111122223333"}, "Actions": []string{"*"}}),
		at("RemovePermission", step{"Label": "l"}),
		at("ListDeadLetterSourceQueues", step{"QueueUrl": server.url + "/000000000000/letters"}),
		at("SendMessage", step{"MessageBody": text, "MessageAttributes": step{
			"a": step{"DataType": "String", "StringValue": "v <>"}, "b": step{"DataType": "Binary", "BinaryValue": step{"base64": "AP8="}},
		}}),
		at("SendMessageBatch", step{"Entries": []step{{"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": ""}}}),
		at("SendMessage", step{"QueueUrl": fifoURL, "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}),
		at("ReceiveMessage", step{"MaxNumberOfMessages": 10, "WaitTimeSeconds": 20, "MessageAttributeNames": []string{"All"}, "AttributeNames": []string{"All"}}),
		step{"op": "ListMessageMoveTasks", "input": step{"SourceArn": queueARN + "letters"}},
		step{"op": "StartMessageMoveTask", "input": step{"SourceArn": queueARN + "letters"}},
	)
	for i, o := range first {
		if o.Error != nil {
			t.Errorf("step %d: %+v", i, *o.Error)
		}
	}
	if t.Failed() {
		return
	}
	same(t, "QueueUrl", []string{reply(first[1]).QueueUrl, reply(first[3]).QueueUrl}, []string{url, url})
	same(t, "ListQueues", reply(first[4]).QueueURLs, []string{url, fifoURL})
	same(t, "VisibilityTimeout", reply(first[6]).Attributes["VisibilityTimeout"], "100")
	same(t, "RedrivePolicy", reply(first[6]).Attributes["RedrivePolicy"], `{"deadLetterTargetArn":"`+queueARN+`letters","maxReceiveCount":5}`)
	same(t, "the tags", reply(first[9]).Tags, map[string]string{"a": "b"})
	same(t, "the sources", reply(first[12]).Sources, []string{url})
	if batch := reply(first[14]); len(batch.Successful) != 1 || len(batch.Failed) != 1 || batch.Failed[0].Code != "MissingParameter" {
		t.Errorf("SendMessageBatch: %s", first[14].Value)
	}
	matches(t, "SequenceNumber", reply(first[15]).SequenceNumber, `1[0-9]{19}`)
	messages := reply(first[16]).Messages
	i := slices.IndexFunc(messages, func(m sqsMessage) bool { return m.Body == text })
	if i < 0 || len(messages) != 2 {
		t.Fatalf("received %s", first[16].Value)
	}
	m := messages[i]
	if m.MessageAttributes["a"].StringValue != "v <>" || string(m.MessageAttributes["b"].BinaryValue) != `{"0":0,"1":255}` || m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("received %s", first[16].Value)
	}

	second := client.run(t,
		at("ChangeMessageVisibility", step{"ReceiptHandle": messages[0].ReceiptHandle, "VisibilityTimeout": 50}),
		at("ChangeMessageVisibilityBatch", step{"Entries": []step{{"Id": "a", "ReceiptHandle": messages[1].ReceiptHandle, "VisibilityTimeout": 50}, {"Id": "b", "ReceiptHandle": "x", "VisibilityTimeout": 1}}}),
		at("DeleteMessage", step{"ReceiptHandle": messages[0].ReceiptHandle}),
		at("DeleteMessageBatch", step{"Entries": []step{{"Id": "a", "ReceiptHandle": messages[1].ReceiptHandle}}}),
		at("PurgeQueue", step{}),
		at("ReceiveMessage", step{}),
		step{"op": "CancelMessageMoveTask", "input": step{"TaskHandle": "x"}},
		at("DeleteMessage", step{"ReceiptHandle": "x"}),
		at("SendMessage", step{"MessageBody": "\x01"}),
		at("SendMessageBatch", step{"Entries": []step{}}),
		at("SendMessage", step{}),
		at("ChangeMessageVisibility", step{"ReceiptHandle": messages[0].ReceiptHandle, "VisibilityTimeout": 50}),
		at("DeleteQueue", step{}),
		at("SendMessage", step{"MessageBody": "m"}),
		at("CreateQueue", step{"QueueName": "letters", "Attributes": step{"DelaySeconds": "9"}}),
	)
	for i, o := range second[:6] {
		if o.Error != nil {
			t.Errorf("step %d: %+v", i, *o.Error)
		}
	}
	if changed := reply(second[1]); len(changed.Successful) != 1 || len(changed.Failed) != 1 || changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("ChangeMessageVisibilityBatch: %s", second[1].Value)
	}
	same(t, "messages behind the purge", len(reply(second[5]).Messages), 0)
	for i, want := range map[int]string{
		6: "InvalidParameterValue", 7: "ReceiptHandleIsInvalid", 8: "InvalidMessageContents", 9: "EmptyBatchRequest", 10: "MissingParameter",
		11: "MessageNotInflight", 13: "QueueDoesNotExist", 14: "QueueNameExists",
	} {
		if e := second[i].Error; e == nil || e.Name != want {
			t.Errorf("step %d: %+v, want %s", i, e, want)
		}
	}
}
