package sqs

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanfare/engine"
)

func md5Of(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A message is received with all that was sent, is hidden then, and is gone when it was deleted.
func TestSendReceiveDelete(t *testing.T) {
	c := newClient(t, Options{})
	const body = "it's \"<m>\" & é\n"
	attributes := object{"a.x": object{"DataType": "String.kind", "StringValue": "v"}, "b": object{"DataType": "Binary", "BinaryValue": "AgME"}, "n": object{"DataType": "Number", "StringValue": "99.12"}}
	sent := c.must("SendMessage", "plain", object{
		"MessageBody": body, "MessageGroupId": "tenant", "MessageAttributes": attributes,
		"MessageSystemAttributes": object{"AWSTraceHeader": object{"DataType": "String", "StringValue": "Root=1"}},
	})
	if sent.MD5OfMessageBody != md5Of(body) || sent.SequenceNumber != "" {
		t.Errorf("sent: %s", sent.text)
	}
	before := time.Now().UnixMilli()
	_, got := c.receive("plain", object{"MessageAttributeNames": []string{"All"}, "MessageSystemAttributeNames": []string{"All"}})
	if len(got) != 1 {
		t.Fatalf("received %v", got)
	}
	m := got[0]
	if m.Body != body || m.MD5OfBody != md5Of(body) || m.MessageID != sent.MessageID {
		t.Errorf("received %+v", m)
	}
	type value = struct{ DataType, StringValue, BinaryValue string }
	if diff := cmp.Diff(map[string]value{"a.x": {"String.kind", "v", ""}, "b": {"Binary", "", "AgME"}, "n": {"Number", "99.12", ""}}, m.MessageAttributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"SenderId": "000000000000", "ApproximateReceiveCount": "1", "MessageGroupId": "tenant", "AWSTraceHeader": "Root=1"} {
		if m.Attributes[name] != want {
			t.Errorf("%s is %q, want %q", name, m.Attributes[name], want)
		}
	}
	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if n, ok := parseIntegerLong(m.Attributes[name]); !ok || n > time.Now().UnixMilli() || n < before-60_000 {
			t.Errorf("%s is %q", name, m.Attributes[name])
		}
	}
	if len(m.Attributes) != 6 {
		t.Errorf("the attributes are %v", m.Attributes)
	}
	if texts, _ := c.receive("plain", nil); texts != nil {
		t.Errorf("a message that is hidden is received: %q", texts)
	}
	counts := c.must("GetQueueAttributes", "plain", object{"AttributeNames": []string{"All"}}).Attributes
	if counts["ApproximateNumberOfMessages"] != "0" || counts["ApproximateNumberOfMessagesNotVisible"] != "1" {
		t.Errorf("counts: %v", counts)
	}
	c.must("DeleteMessage", "plain", object{"ReceiptHandle": m.ReceiptHandle})
	c.must("DeleteMessage", "plain", object{"ReceiptHandle": m.ReceiptHandle})
	if counts := c.engine.Queue([]byte("plain")).Counts(); counts != (engine.QueueCounts{}) {
		t.Errorf("behind the deletion there are %+v", counts)
	}
	c.refused("DeleteMessage", "waiting", object{"ReceiptHandle": m.ReceiptHandle}, "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
}

func parseIntegerLong(text string) (n int64, ok bool) {
	_, err := fmt.Sscan(text, &n)
	return n, err == nil
}

// Only the attributes that are asked for are received, and the checksum is theirs.
func TestAttributeNames(t *testing.T) {
	c := newClient(t, Options{})
	attributes := object{}
	for name, value := range map[string]string{"Hello": "There", "Help.Me": "Me", "General": "Kenobi"} {
		attributes[name] = object{"DataType": "String", "StringValue": value}
	}
	if sent := c.must("SendMessage", "plain", object{"MessageBody": "msg", "MessageAttributes": attributes}); !strings.Contains(sent.text, "4c360f3fdafd970e05fae2f149d997f5") {
		t.Errorf("sent: %s", sent.text)
	}
	f := func(md5 string, names ...string) {
		t.Helper()
		_, got := c.receive("plain", object{"MessageAttributeNames": names, "VisibilityTimeout": 0})
		if len(got) != 1 || got[0].MD5OfMessageAttributes != md5 {
			t.Errorf("%v: %+v, want the checksum %s", names, got, md5)
		}
	}
	f("")
	f("4c360f3fdafd970e05fae2f149d997f5", "All")
	f("4c360f3fdafd970e05fae2f149d997f5", ".*")
	f("", "Foo", "Help")
	f("fca026605781cb4126a1e9044df24232", "Hello", "General")
	f("a311262e065454b75da111d535b8dacd", "Foo", "Hello")
	f("83fee93c1bcd8b9a5a923ffacdc636c7", "Hel.*")
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.must("SendMessage", "plain", object{"MessageBody": "m"})
	_, first := c.receive("plain", object{"VisibilityTimeout": 100})
	c.must("ChangeMessageVisibility", "plain", object{"ReceiptHandle": first[0].ReceiptHandle, "VisibilityTimeout": 0})
	_, second := c.receive("plain", object{"MessageSystemAttributeNames": []string{"ApproximateReceiveCount"}, "VisibilityTimeout": 1})
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" || second[0].ReceiptHandle == first[0].ReceiptHandle {
		t.Fatalf("a message that was given back: %+v", second)
	}
	_, third := c.receive("plain", object{"WaitTimeSeconds": 20})
	if len(third) != 1 {
		t.Fatal("a message whose time is over is not received")
	}
	// In a standard queue any receipt deletes.
	c.must("DeleteMessage", "plain", object{"ReceiptHandle": first[0].ReceiptHandle})
	c.refused("ChangeMessageVisibility", "plain", object{"ReceiptHandle": third[0].ReceiptHandle, "VisibilityTimeout": 5}, "AWS.SimpleQueueService.MessageNotInflight", "The specified message isn't in flight.")
	for _, n := range []int{-1, 43201} {
		c.refused("ChangeMessageVisibility", "plain", object{"ReceiptHandle": third[0].ReceiptHandle, "VisibilityTimeout": n}, "InvalidParameterValue",
			fmt.Sprintf("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided.", n))
	}
	c.refused("ChangeMessageVisibility", "plain", object{"ReceiptHandle": third[0].ReceiptHandle}, "MissingParameter", "The request must contain the parameter VisibilityTimeout.")
}

func TestDelay(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.must("SetQueueAttributes", "plain", object{"Attributes": object{"DelaySeconds": "900"}})
	c.must("SendMessage", "plain", object{"MessageBody": "later"})
	c.must("SendMessage", "plain", object{"MessageBody": "soon", "DelaySeconds": 1})
	c.must("SendMessage", "plain", object{"MessageBody": "now", "DelaySeconds": 0})
	if texts, _ := c.receive("plain", object{"MaxNumberOfMessages": 10}); len(texts) != 1 || texts[0] != "now" {
		t.Errorf("at once: %q", texts)
	}
	if texts, _ := c.receive("plain", object{"MaxNumberOfMessages": 10, "WaitTimeSeconds": 20}); len(texts) != 1 || texts[0] != "soon" {
		t.Errorf("behind a second: %q", texts)
	}
	if counts := c.engine.Queue([]byte("plain")).Counts(); counts.Delayed != 1 {
		t.Errorf("counts: %+v", counts)
	}
}

// A FIFO queue takes a message once, gives a group's messages in their order, and wants the last receipt.
func TestFIFO(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	send := func(body, group, dedup string) reply {
		t.Helper()
		return c.must("SendMessage", "ordered.fifo", object{"MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": dedup})
	}
	first, duplicate, second := send("a1", "a", "1"), send("other", "b", "1"), send("a2", "a", "2")
	if first.MessageID != duplicate.MessageID || first.SequenceNumber != duplicate.SequenceNumber || len(first.SequenceNumber) != 20 || second.SequenceNumber <= first.SequenceNumber {
		t.Errorf("sent %s\n%s\n%s", first.text, duplicate.text, second.text)
	}
	send("b1", "b", "3")
	_, got := c.receive("ordered.fifo", object{"MessageSystemAttributeNames": []string{"SequenceNumber", "MessageGroupId", "MessageDeduplicationId"}, "VisibilityTimeout": 1})
	want := map[string]string{"SequenceNumber": first.SequenceNumber, "MessageGroupId": "a", "MessageDeduplicationId": "1"}
	if len(got) != 1 || cmp.Diff(want, got[0].Attributes) != "" {
		t.Fatalf("received %+v", got)
	}
	if texts, _ := c.receive("ordered.fifo", object{"MaxNumberOfMessages": 10, "VisibilityTimeout": 100}); len(texts) != 1 || texts[0] != "b1" {
		t.Errorf("while a group is busy: %q", texts)
	}
	texts, again := c.receive("ordered.fifo", object{"MaxNumberOfMessages": 10, "WaitTimeSeconds": 20, "VisibilityTimeout": 100})
	if diff := cmp.Diff([]string{"a1", "a2"}, texts); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	c.refused("DeleteMessage", "ordered.fifo", object{"ReceiptHandle": got[0].ReceiptHandle}, "InvalidParameterValue",
		"Value "+got[0].ReceiptHandle+" for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
	var entries []object
	for i, m := range again {
		entries = append(entries, object{"Id": fmt.Sprint(i), "ReceiptHandle": m.ReceiptHandle})
	}
	if r := c.must("DeleteMessageBatch", "ordered.fifo", object{"Entries": entries}); len(r.Successful) != 2 {
		t.Errorf("deleted: %s", r.text)
	}
	// With an id for each group, and ids made of the text.
	content := func(body, group string) string {
		t.Helper()
		return c.must("SendMessage", "content.fifo", object{"MessageBody": body, "MessageGroupId": group}).MessageID
	}
	if one := content("m", "a"); one == content("m", "b") || one != content("m", "a") || one == content("n", "a") {
		t.Error("duplicates are not told by group and text")
	}
	_, got = c.receive("content.fifo", object{"AttributeNames": []string{"MessageDeduplicationId"}})
	if len(got) != 1 || got[0].Attributes["MessageDeduplicationId"] != "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a" {
		t.Errorf("the id made of the text is %+v", got)
	}
}

func TestSendRules(t *testing.T) {
	c := newClient(t, Options{})
	f := func(queue, code, text string, body object) {
		t.Helper()
		c.refused("SendMessage", queue, body, code, text)
		body["Id"] = "a"
		r := c.must("SendMessageBatch", queue, object{"Entries": []object{body}})
		if len(r.Failed) != 1 || r.Failed[0].Code != code || r.Failed[0].Message != text || !r.Failed[0].SenderFault {
			t.Errorf("in a batch: %s", r.text)
		}
	}
	const invalid, missing = "InvalidParameterValue", "MissingParameter"
	f("plain", missing, "The request must contain the parameter MessageBody.", object{})
	f("plain", "InvalidMessageContents", errContents.text, object{"MessageBody": "\ufffe"})
	f("small", invalid, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.", object{"MessageBody": strings.Repeat("é", 512) + "x"})
	f("small", invalid, "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
		object{"MessageBody": strings.Repeat("m", 1016), "MessageAttributes": object{"a": object{"DataType": "String", "StringValue": "vv"}}})
	f("plain", invalid, "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", object{"MessageBody": "m", "DelaySeconds": 901})
	f("plain", invalid, "Value d for parameter MessageDeduplicationId is invalid. Reason: The request include parameter that is not valid for this queue type.", object{"MessageBody": "m", "MessageDeduplicationId": "d"})
	f("ordered.fifo", missing, "The request must contain the parameter MessageGroupId.", object{"MessageBody": "m", "MessageDeduplicationId": "d"})
	f("ordered.fifo", invalid, errDedup.text, object{"MessageBody": "m", "MessageGroupId": "g"})
	f("ordered.fifo", invalid, "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.",
		object{"MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2})
	for _, id := range []string{"a b", "é", strings.Repeat("a", 129)} {
		f("plain", invalid, "Value "+id+" for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.", object{"MessageBody": "m", "MessageGroupId": id})
	}
	attribute := func(code, text, name string, a object) {
		t.Helper()
		f("plain", code, text, object{"MessageBody": "m", "MessageAttributes": object{name: a}})
	}
	str := object{"DataType": "String", "StringValue": "v"}
	attribute(invalid, "Message attribute name can not be empty.", "", str)
	attribute(invalid, "Length of message attribute name must be less than 256 bytes.", strings.Repeat("a", 257), str)
	attribute(invalid, "Invalid message attribute name starting with character '.' was found.", ".a", str)
	attribute(invalid, "Invalid message attribute name ending with character '.' was found.", "a.", str)
	attribute(invalid, "Message attribute name can not have successive '.' character.", "a..b", str)
	attribute(invalid, "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.", "aWs.x", str)
	attribute(invalid, "Invalid non-alphanumeric character '#xE9' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.", "é", str)
	attribute(invalid, "The message attribute 'a' must contain non-empty message attribute type.", "a", object{"StringValue": "v"})
	attribute(invalid, "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", "a", object{"DataType": "Text", "StringValue": "v"})
	attribute(invalid, "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'.", "a", object{"DataType": "String", "StringValue": ""})
	attribute(invalid, "The message attribute 'a' with type 'Binary' must use field 'Binary'.", "a", object{"DataType": "Binary", "StringValue": "v"})
	attribute(invalid, "The message attribute 'a' with type 'String' must use field 'String'.", "a", object{"DataType": "String", "BinaryValue": "AA=="})
	attribute(invalid, "Can't cast the value of message (user) attribute 'a' to a number.", "a", object{"DataType": "Number", "StringValue": "x"})
	attribute(invalid, "The message attribute 'a' with type 'Binary' has a value that is not base64.", "a", object{"DataType": "Binary", "BinaryValue": "!"})
	attribute("AWS.SimpleQueueService.UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.", "a", object{"DataType": "String", "StringListValues": []string{"v"}})
	many := object{}
	for i := range 11 {
		many[fmt.Sprint("a", i)] = str
	}
	f("plain", invalid, "Number of message attributes [11] exceeds the allowed maximum [10].", object{"MessageBody": "m", "MessageAttributes": many})
	f("plain", invalid, "Message system attribute name 'x' is invalid. It must be AWSTraceHeader, and be given once.", object{"MessageBody": "m", "MessageSystemAttributes": object{"x": str}})
	if texts, _ := c.receive("plain", nil); texts != nil {
		t.Errorf("a message that was refused is received: %q", texts)
	}
}

func TestBatchRules(t *testing.T) {
	c := newClient(t, Options{})
	entries := func(n int, body string) (list []object) {
		for i := range n {
			list = append(list, object{"Id": fmt.Sprint(i), "MessageBody": body, "ReceiptHandle": "x", "VisibilityTimeout": 1})
		}
		return list
	}
	const prefix = "AWS.SimpleQueueService."
	for _, action := range []string{"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		c.refused(action, "plain", object{}, prefix+"EmptyBatchRequest", "There should be at least one "+action+"RequestEntry in the request.")
		c.refused(action, "plain", object{"Entries": entries(20, "m")}, prefix+"TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 20.")
		twice := append(entries(2, "m"), entries(1, "m")...)
		c.refused(action, "plain", object{"Entries": twice}, prefix+"BatchEntryIdsNotDistinct", errBatchIDs.text)
		for _, id := range []string{"", "a:b", strings.Repeat("a", 81)} {
			list := entries(1, "m")
			list[0]["Id"] = id
			c.refused(action, "plain", object{"Entries": list}, prefix+"InvalidBatchEntryId", errBatchID.text)
		}
	}
	c.refused("SendMessageBatch", "plain", object{"Entries": entries(2, strings.Repeat("m", 1<<19+1))}, prefix+"BatchRequestTooLong",
		"Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes.")
	if r := c.must("SendMessageBatch", "plain", object{"Entries": entries(2, strings.Repeat("m", 1<<19))}); len(r.Successful) != 2 {
		t.Errorf("1 MiB: %s", r.text)
	}
	var got []message // which may not come together, as large as they are
	for range 2 {
		_, more := c.receive("plain", object{"MaxNumberOfMessages": 10})
		got = append(got, more...)
	}
	if len(got) != 2 {
		t.Fatalf("%d messages", len(got))
	}
	list := entries(3, "")
	for i, m := range got {
		list[2*i]["ReceiptHandle"] = m.ReceiptHandle
	}
	list[2]["VisibilityTimeout"] = 43201
	r := c.must("ChangeMessageVisibilityBatch", "plain", object{"Entries": list})
	if len(r.Successful) != 1 || r.Successful[0].ID != "0" || len(r.Failed) != 2 || r.Failed[0].Code != "ReceiptHandleIsInvalid" || r.Failed[1].Code != "InvalidParameterValue" {
		t.Errorf("changed: %s", r.text)
	}
	r = c.must("DeleteMessageBatch", "plain", object{"Entries": list})
	if len(r.Successful) != 2 || r.Successful[1].ID != "2" || len(r.Failed) != 1 || r.Failed[0].ID != "1" {
		t.Errorf("deleted: %s", r.text)
	}
	if counts := c.engine.Queue([]byte("plain")).Counts(); counts != (engine.QueueCounts{}) {
		t.Errorf("behind the deletion there are %+v", counts)
	}
}

// What was received too often goes to the dead letters, and back again.
func TestRedrive(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.must("SetQueueAttributes", "small", object{"Attributes": object{"RedrivePolicy": `{"deadLetterTargetArn":"` + arnPrefix + `plain","maxReceiveCount":1}`}})
	sent := c.must("SendMessage", "small", object{"MessageBody": "poison"})
	if texts, _ := c.receive("small", object{"VisibilityTimeout": 0}); len(texts) != 1 {
		t.Fatalf("received %q", texts)
	}
	if texts, _ := c.receive("small", nil); texts != nil {
		t.Errorf("received too often: %q", texts)
	}
	_, got := c.receive("plain", object{"WaitTimeSeconds": 20, "MessageSystemAttributeNames": []string{"All"}, "VisibilityTimeout": 0})
	if len(got) != 1 || got[0].MessageID != sent.MessageID || got[0].Attributes["DeadLetterQueueSourceArn"] != arnPrefix+"small" {
		t.Fatalf("the dead letter is %+v", got)
	}
	c.refused("StartMessageMoveTask", "", object{"SourceArn": arnPrefix + "small"}, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
	c.refused("StartMessageMoveTask", "", object{"SourceArn": arnPrefix + "plain", "DestinationArn": arnPrefix + "nobody"}, "ResourceNotFoundException", errNoGoal.text)
	c.refused("StartMessageMoveTask", "", object{"SourceArn": arnPrefix + "nobody"}, "ResourceNotFoundException", errNoSource.text)
	c.refused("StartMessageMoveTask", "", object{"SourceArn": arnPrefix + "plain", "DestinationArn": arnPrefix + "ordered.fifo"}, "InvalidParameterValue", "Source queue type and destination queue type must match.")
	started := c.must("StartMessageMoveTask", "", object{"SourceArn": arnPrefix + "plain", "MaxNumberOfMessagesPerSecond": 500})
	if started.TaskHandle == "" {
		t.Errorf("started: %s", started.text)
	}
	if texts, _ := c.receive("small", object{"WaitTimeSeconds": 20}); len(texts) != 1 || texts[0] != "poison" {
		t.Errorf("moved back: %q", texts)
	}
	deadline, tick := time.Now().Add(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		r := c.must("ListMessageMoveTasks", "", object{"SourceArn": arnPrefix + "plain", "MaxResults": 10})
		if len(r.Results) == 1 && r.Results[0]["Status"] == "COMPLETED" && r.Results[0]["ApproximateNumberOfMessagesMoved"] == 1.0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the moves are %s", r.text)
		}
		<-tick.C
	}
	c.refused("CancelMessageMoveTask", "", object{"TaskHandle": "x"}, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
	unknown, _ := taskHandle{"nothing", arnPrefix + "plain"}.text()
	if r := c.ask("CancelMessageMoveTask", "", object{"TaskHandle": unknown}); r.queryError != "ResourceNotFoundException;Sender" {
		t.Errorf("a move that never was: %s", r.text)
	}
}

func TestPurge(t *testing.T) {
	c := newClient(t, Options{})
	c.must("PurgeQueue", "waiting", nil)
	if texts, _ := c.receive("waiting", nil); texts != nil {
		t.Errorf("received %q", texts)
	}
	c.must("SendMessage", "waiting", object{"MessageBody": "new"})
	if texts, _ := c.receive("waiting", nil); len(texts) != 1 || texts[0] != "new" {
		t.Errorf("received %q", texts)
	}
}

// The query protocol does the same things; its replies are XML.
func TestQueryProtocol(t *testing.T) {
	c := newClient(t, Options{})
	between := func(text, before, after string) string {
		t.Helper()
		_, rest, ok := strings.Cut(text, before)
		value, _, closed := strings.Cut(rest, after)
		if !ok || !closed {
			t.Fatalf("no %s in %s", before, text)
		}
		return value
	}
	if status, text := c.query("plain", "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=a%26b&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=%02"); status != 200 ||
		between(text, "<SendMessageBatchResultEntry><Id>", "</Id>") != "a" || between(text, "<BatchResultErrorEntry><Id>", "</Id>") != "b" {
		t.Errorf("sent: %d %s", status, text)
	}
	_, text := c.query("plain", "Action=ReceiveMessage&MaxNumberOfMessages=10&AttributeName=All")
	handle := between(text, "<ReceiptHandle>", "</ReceiptHandle>")
	if between(text, "<Body>", "</Body>") != "a&amp;b" || between(text, "<Name>ApproximateReceiveCount</Name><Value>", "</Value>") != "1" {
		t.Errorf("received %s", text)
	}
	if status, text := c.query("plain", "Action=ChangeMessageVisibility&VisibilityTimeout=0&ReceiptHandle="+handle); status != 200 {
		t.Errorf("changed: %s", text)
	}
	if status, text := c.query("plain", "Action=DeleteMessageBatch&DeleteMessageBatchRequestEntry.1.Id=x&DeleteMessageBatchRequestEntry.1.ReceiptHandle="+handle); status != 200 ||
		between(text, "<DeleteMessageBatchResultEntry><Id>", "</Id>") != "x" {
		t.Errorf("deleted: %s", text)
	}
	if status, text := c.query("nobody", "Action=ReceiveMessage"); status != 400 || between(text, "<Code>", "</Code>") != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("no queue: %d %s", status, text)
	}
}
