package sns

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// server is a face on a running engine.
type server struct {
	t        *testing.T
	engine   *engine.Engine
	face     *Face
	recorder *facetest.Recorder
}

func newServer(t *testing.T, opts Options) *server {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	setup(t, e)
	return &server{t, e, New(e, opts), recorder}
}

// reply is what the tests look at of any reply.
type reply struct {
	status int
	header *fasthttp.ResponseHeader
	text   string

	Code            string   `xml:"Error>Code"`
	Message         string   `xml:"Error>Message"`
	SubscriptionARN string   `xml:"SubscribeResult>SubscriptionArn"`
	ConfirmedARN    string   `xml:"ConfirmSubscriptionResult>SubscriptionArn"`
	TopicARN        string   `xml:"CreateTopicResult>TopicArn"`
	Topics          []string `xml:"ListTopicsResult>Topics>member>TopicArn"`
	TopicsNext      string   `xml:"ListTopicsResult>NextToken"`
	Listed          []listed `xml:"ListSubscriptionsResult>Subscriptions>member"`
	ListedNext      string   `xml:"ListSubscriptionsResult>NextToken"`
	TopicEntries    []entry  `xml:"GetTopicAttributesResult>Attributes>entry"`
	Entries         []entry  `xml:"GetSubscriptionAttributesResult>Attributes>entry"`
	Successful      []string `xml:"PublishBatchResult>Successful>member>Id"`
	MessageID       string   `xml:"PublishResult>MessageId"`
	SequenceNumber  string   `xml:"PublishResult>SequenceNumber"`
	BatchIDs        []string `xml:"PublishBatchResult>Successful>member>MessageId"`
	BatchNumbers    []string `xml:"PublishBatchResult>Successful>member>SequenceNumber"`
	Failed          []failed `xml:"PublishBatchResult>Failed>member"`
}

type (
	listed struct{ Endpoint, Protocol, TopicArn, SubscriptionArn string }
	failed struct{ Id, Code, Message, SenderFault string }
	entry  struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
)

// serve lets the face answer a request, without the server around it.
func (s *server) serve(request string) reply {
	s.t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
		s.t.Fatal(err)
	}
	h := ingress.ParseHead(&ctx.Request.Header)
	s.face.Serve(&ctx, &h)
	r := reply{status: ctx.Response.StatusCode(), header: &ctx.Response.Header, text: string(ctx.Response.Body())}
	if err := xml.Unmarshal(ctx.Response.Body(), &r); err != nil {
		s.t.Fatalf("%v in %s", err, r.text)
	}
	id := string(ctx.Response.Header.PeekCanonical([]byte("x-amzn-RequestId")))
	if id == "" || !strings.Contains(r.text, "<RequestId>"+id+"</RequestId>") {
		s.t.Errorf("the request id %q of the head is not in %s", id, r.text)
	}
	return r
}

// do posts a form, given as names and values in turn.
func (s *server) do(pairs ...string) reply {
	s.t.Helper()
	return s.serve(post(form(pairs...), ""))
}

func post(body, head string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: h:4100\r\nContent-Type: application/x-www-form-urlencoded\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

func form(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

const (
	arnT1     = "arn:aws:sns:us-east-1:000000000000:T1"
	arnOrders = "arn:aws:sns:us-east-1:000000000000:orders"
)

// wantError checks the answer to a form.
func (s *server) wantError(status int, code, message string, pairs ...string) {
	s.t.Helper()
	s.t.Run("", func(t *testing.T) {
		t.Helper()
		inner := *s
		inner.t = t
		r := inner.do(pairs...)
		if r.status != status || r.Code != code || r.Message != message {
			t.Errorf("%.200q\n got %d %s: %s\nwant %d %s: %s", pairs, r.status, r.Code, r.Message, status, code, message)
		}
	})
}

func (s *server) wantInvalid(message string, pairs ...string) {
	s.t.Helper()
	s.wantError(400, "InvalidParameter", "Invalid parameter: "+message, pairs...)
}

func (s *server) wantAccepted(pairs ...string) {
	s.t.Helper()
	s.wantError(200, "", "", pairs...)
}

// publish is a Publish to T1 with more parameters.
func publish(pairs ...string) []string {
	return append([]string{"Action", "Publish", "TopicArn", arnT1}, pairs...)
}

// attribute is a Publish with one attribute.
func attribute(name, dataType, field, value string) []string {
	return publish("Message", "m", "MessageAttributes.entry.1.Name", name,
		"MessageAttributes.entry.1.Value.DataType", dataType, "MessageAttributes.entry.1.Value."+field, value)
}

func TestPublishRules(t *testing.T) {
	s := newServer(t, Options{})
	refused := func(message string, pairs ...string) {
		t.Helper()
		s.wantError(400, "InvalidParameter", message, pairs...)
	}
	accepted := func(pairs ...string) {
		t.Helper()
		s.wantError(200, "", "", pairs...)
	}

	// 1. Subject
	const subject = "Invalid parameter: Subject"
	refused(subject, publish("Message", "m", "Subject", "")...)
	refused(subject, publish("Message", "m", "Subject", "a\nb")...)
	refused(subject, publish("Message", "m", "Subject", "a\x7fb")...)
	refused(subject, publish("Message", "m", "Subject", "a\tb")...)
	refused(subject, publish("Message", "m", "Subject", "\xff")...)
	refused(subject, publish("Message", "m", "Subject", strings.Repeat("a", 101))...)
	accepted(publish("Message", "m", "Subject", strings.Repeat("a", 100))...)
	accepted(publish("Message", "m", "Subject", strings.Repeat("é", 100))...)
	refused(subject, publish("Subject", "")...) // comes before the message

	// 2. Message
	refused("Invalid parameter: Empty message", publish()...)
	refused("Invalid parameter: Empty message", publish("Message", "")...)
	refused("Invalid parameter: Empty message", publish("MessageStructure", "json")...)

	// 3. PhoneNumber
	phone := func(number string) []string {
		return []string{"Action", "Publish", "Message", "m", "PhoneNumber", number}
	}
	refused("Invalid parameter: PhoneNumber Reason: abc is not valid to publish to", phone("abc")...)
	refused("Invalid parameter: PhoneNumber Reason:  is not valid to publish to", phone("")...)
	refused("Invalid parameter: PhoneNumber Reason: +0123 is not valid to publish to", phone("+0123")...)
	refused("Invalid parameter: PhoneNumber Reason: +1234567890123456 is not valid to publish to", phone("+1234567890123456")...)
	refused("Invalid parameter: PhoneNumber Reason: no gateway for sms is configured here (sns.gateways.sms)", phone("+15551234567")...)

	// 4. attributes: TestAttributeRules

	// 5. size
	accepted(publish("Message", strings.Repeat("m", 262144))...)
	refused("Invalid parameter: Message too long", publish("Message", strings.Repeat("m", 262145))...)
	accepted(publish("Message", strings.Repeat("é", 131072), "Subject", "not counted")...)
	refused("Invalid parameter: Message too long", publish("Message", strings.Repeat("é", 131072)+"m")...)
	sized := func(message int, dataType, field, value string) []string {
		return publish("Message", strings.Repeat("m", message), "MessageAttributes.entry.1.Name", "name",
			"MessageAttributes.entry.1.Value.DataType", dataType, "MessageAttributes.entry.1.Value."+field, value)
	}
	accepted(sized(262144-4-6-5, "String", "StringValue", "value")...)
	refused("Invalid parameter: Message too long", sized(262144-4-6-4, "String", "StringValue", "value")...)
	binary := base64.StdEncoding.EncodeToString(make([]byte, 1000))
	accepted(sized(262144-4-6-1000, "Binary", "BinaryValue", binary)...)
	refused("Invalid parameter: Message too long", sized(262144-4-6-999, "Binary", "BinaryValue", binary)...)

	// 6, 7: TestFIFOPublishRules. 8. A standard topic has no deduplication.
	refused("Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
		publish("Message", "m", "MessageDeduplicationId", "d")...)
	accepted(publish("Message", "m", "MessageGroupId", "g!~1")...)
	accepted(publish("Message", "m", "MessageGroupId", strings.Repeat("g", 128))...)
	refused("Invalid parameter: MessageGroupId", publish("Message", "m", "MessageGroupId", strings.Repeat("g", 129))...)
	refused("Invalid parameter: MessageGroupId", publish("Message", "m", "MessageGroupId", "a b")...)

	// 9, 10. MessageStructure
	structure := func(message string) []string { return publish("Message", message, "MessageStructure", "json") }
	const notJSON = "Invalid parameter: Message Structure - JSON message body failed to parse"
	const noDefault = "Invalid parameter: Message Structure - No default entry in JSON message body"
	refused(notJSON, structure("hello")...)
	refused(notJSON, structure(`{"default":"d"`)...)
	refused(notJSON, structure(`{"default":"d"} x`)...)
	refused(notJSON, structure(`{"default":"\x"}`)...)
	refused(notJSON, structure(`["default"]`)...)
	refused(noDefault, structure(`{}`)...)
	refused(noDefault, structure(`{"http":"h"}`)...)
	refused(noDefault, structure(`{"default":1}`)...)
	refused(noDefault, structure(`{"x":{"default":"d"}}`)...)
	accepted(structure(`{"default":""}`)...)
	accepted(structure(`{"default":"a","default":"b","http":null,"x":[{"y":1}]}`)...)
	accepted(structure(`{"d\u0065fault":"a"}`)...)
	accepted(publish("Message", "hello", "MessageStructure", "")...)
	refused("Invalid parameter: MessageStructure", publish("Message", "hello", "MessageStructure", "xml")...)
	refused("Invalid parameter: Message too long", structure(`{"default":"`+strings.Repeat("d", 262144)+`"}`)...)

	// 11. the topic
	to := func(name, value string) []string { return []string{"Action", "Publish", "Message", "m", name, value} }
	refused("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter", "Action", "Publish", "Message", "m")
	refused("Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1", to("TopicArn", "")...)
	refused("Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 5", to("TopicArn", "arn:aws:sns:us-east-1:T1")...)
	refused("Invalid parameter: TargetArn Reason: An ARN must have at least 6 elements, not 2", to("TargetArn", "a:b")...)
	for _, arn := range []string{
		"arn:aws:sqs:us-east-1:000000000000:T1", "arn:gcp:sns:us-east-1:000000000000:T1", "urn:aws:sns:us-east-1:000000000000:T1",
		"arn:aws:sns::000000000000:T1", "arn:aws:sns:US:000000000000:T1", "arn:aws:sns:us-east-1:1234:T1",
		"arn:aws:sns:us-east-1:00000000000x:T1", "arn:aws:sns:us-east-1:000000000000:", "arn:aws:sns:us-east-1:000000000000:T1:x",
		"arn:aws:sns:us-east-1:000000000000:T1:",
	} {
		refused("Invalid parameter: TopicArn", to("TopicArn", arn)...)
	}
	accepted(to("TopicArn", "arn:aws-cn:sns:cn-north-1:123456789012:T1")...)
	s.wantError(404, "NotFound", "Topic does not exist", to("TopicArn", "arn:aws:sns:us-east-1:000000000000:t1")...)
	s.wantError(404, "NotFound", "Topic does not exist", to("TargetArn", "arn:aws:sns:us-east-1:000000000000:t1")...)

	// 12. platform endpoints
	refused("Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
		to("TargetArn", "arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/11111111-2222-4333-8444-555555555555")...)

	both := "Invalid parameter: TopicArn or TargetArn Reason: exactly one of TopicArn, TargetArn and PhoneNumber must be given"
	refused(both, publish("Message", "m", "TargetArn", arnT1)...)
	refused(both, publish("Message", "m", "PhoneNumber", "+15551234567")...)

	// what no SDK sends
	refused("Invalid parameter: Message Reason: the text is not UTF-8", publish("Message", "a\xffb")...)
	refused("Invalid parameter: TopicArn Reason: the parameter is given more than once", publish("Message", "m", "TopicArn", arnT1)...)
	refused("Invalid parameter: Action Reason: the parameter is given more than once", publish("Message", "m", "Action", "Publish")...)
	refused("Invalid parameter: MessageAttributes.entry.1.Name Reason: the parameter is given more than once",
		append(attribute("a", "String", "StringValue", "v"), "MessageAttributes.entry.1.Name", "b")...)
	accepted(publish("Message", "m", "Unknown", "x", "Unknown", "y", "MessageAttributes", "", "MessageAttributes.entry", "")...)
}

func TestAttributeRules(t *testing.T) {
	s := newServer(t, Options{})
	refused := func(message string, pairs ...string) {
		t.Helper()
		s.wantError(400, "ParameterValueInvalid", message, pairs...)
	}
	accepted := func(pairs ...string) {
		t.Helper()
		s.wantError(200, "", "", pairs...)
	}
	named := func(name string) []string { return attribute(name, "String", "StringValue", "v") }
	character := func(hex string) string {
		return "Invalid non-alphanumeric character '#x" + hex + "' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."
	}
	accepted(named(strings.Repeat("n", 256))...)
	refused("Length of message attribute name must be less than 256 bytes.", named(strings.Repeat("n", 257))...)
	refused("Invalid message attribute name starting with character '.' was found.", named(".a")...)
	refused("Invalid message attribute name ending with character '.' was found.", named("a.")...)
	refused("Message attribute name can not have successive '.' character.", named("a..b")...)
	refused(character("20"), named("a b")...)
	refused(character("2F"), named("a/b")...)
	refused(character("E9"), named("é")...)
	refused(character("1F600"), named("a😀")...)
	refused("Message attribute name can not be empty.", named("")...)
	refused("The message attribute name 'aws.x' begins with a reserved prefix: AWS. or Amazon.", named("aws.x")...)
	refused("The message attribute name 'AMAZON.x' begins with a reserved prefix: AWS. or Amazon.", named("AMAZON.x")...)
	accepted(named("AWS.SNS.SMS.SenderID")...)
	accepted(named("AWS.SNS.MOBILE.APNS.TTL")...)
	accepted(named("A-Z_a.0")...)

	typed := func(dataType string) []string { return attribute("a", dataType, "StringValue", "v") }
	unsupported := "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
	refused(unsupported, typed("Text")...)
	refused(unsupported, typed("string")...)
	refused(unsupported, typed("")...)
	refused(unsupported, typed("String.")...)
	refused(unsupported, typed("Strings")...)
	accepted(typed("String.Array")...)
	accepted(typed("String. any text.")...)
	s.wantError(400, "ValidationError",
		"1 validation error detected: Value null at 'messageAttributes.a.member.dataType' failed to satisfy constraint: Member must not be null",
		publish("Message", "m", "MessageAttributes.entry.1.Name", "a", "MessageAttributes.entry.1.Value.StringValue", "v")...)

	empty := func(dataType string) string {
		return "The message attribute 'a' must contain non-empty message attribute value for message attribute type '" + dataType + "'."
	}
	refused(empty("String"), attribute("a", "String", "StringValue", "")...)
	refused(empty("Number.x"), attribute("a", "Number.x", "Other", "v")...)
	refused(empty("Binary"), attribute("a", "Binary", "BinaryValue", "")...)
	refused("The message attribute 'a' with type 'String' must use field 'String'.", attribute("a", "String", "BinaryValue", "AgME")...)
	refused("The message attribute 'a' with type 'Number' must use field 'String'.", attribute("a", "Number", "BinaryValue", "AgME")...)
	refused("The message attribute 'a' with type 'Binary.gif' must use field 'Binary'.", attribute("a", "Binary.gif", "StringValue", "v")...)

	for _, number := range []string{"0", "-1", "+1.5", "1e10", "1.5E-3", ".5", "5.", "99999999999999999999999999999999999999"} {
		accepted(attribute("a", "Number", "StringValue", number)...)
	}
	for _, number := range []string{"x", "1x", "", "-", ".", "1e", "1e+", "0x1", "NaN", "Inf", "1_0", " 1", "1,5"} {
		message := "Could not cast message attribute 'a' value to number."
		if number == "" {
			message = empty("Number")
		}
		refused(message, attribute("a", "Number", "StringValue", number)...)
	}
	accepted(attribute("a", "Binary", "BinaryValue", "AgMEBQ==")...)
	refused("The message attribute 'a' with type 'Binary' has a value that is not base64.", attribute("a", "Binary", "BinaryValue", "AgM")...)
	refused("The message attribute 'a' with type 'Binary' has a value that is not base64.", attribute("a", "Binary", "BinaryValue", "!")...)
	refused("The message attribute 'a' with type 'String' has a value that is not UTF-8.", attribute("a", "String", "StringValue", "\xff")...)

	s.wantError(400, "InvalidParameter", "Invalid parameter: MessageAttributes Reason: the name 'a' is given more than once",
		append(named("a"), "MessageAttributes.entry.2.Name", "a", "MessageAttributes.entry.2.Value.DataType", "String", "MessageAttributes.entry.2.Value.StringValue", "v")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: MessageAttributes Reason: more than 1024 attributes",
		publish("Message", "m", "MessageAttributes.entry.1025.Name", "a")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: MessageAttributes Reason: more than 1024 attributes",
		publish("Message", "m", "MessageAttributes.entry.99999999999999999999.Name", "a")...)
}

// TestAttributeOrder checks that the numbers give the order, whatever the order on the wire, and that gaps are fine.
func TestAttributeOrder(t *testing.T) {
	s := newServer(t, Options{})
	s.wantError(200, "", "", publish("Message", "m",
		"MessageAttributes.entry.9.Value.StringValue", "3", "MessageAttributes.entry.9.Name", "c",
		"MessageAttributes.2.Name", "b", "MessageAttributes.entry.2.Value.StringValue", "2",
		"MessageAttributes.entry.1.Value.DataType", "String", "MessageAttributes.entry.9.Value.DataType", "Number",
		"MessageAttributes.entry.2.Value.DataType", "String", "MessageAttributes.entry.1.Name", "a",
		"MessageAttributes.entry.1.Value.StringValue", "1")...)
	s.engine.Close()
	want := []string{"topic: T1\nbody: \"m\"\nattribute: \"a\" \"String\" \"1\"\nattribute: \"b\" \"String\" \"2\"\nattribute: \"c\" \"Number\" \"3\"\n"}
	if diff := cmp.Diff(want, s.recorder.Messages()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// batchOf is a PublishBatch to T1; each entry is its parameters in turn.
func batchOf(entries ...[]string) []string {
	pairs := []string{"Action", "PublishBatch", "TopicArn", arnT1}
	for i, e := range entries {
		for k := 0; k < len(e); k += 2 {
			pairs = append(pairs, fmt.Sprintf("PublishBatchRequestEntries.member.%d.%s", i+1, e[k]), e[k+1])
		}
	}
	return pairs
}

func TestBatchRules(t *testing.T) {
	s := newServer(t, Options{})
	one := func(id string) []string { return []string{"Id", id, "Message", "m"} }
	many := func(n int) (entries [][]string) {
		for i := range n {
			entries = append(entries, one(fmt.Sprint("id", i)))
		}
		return entries
	}
	s.wantError(400, "EmptyBatchRequest", "The batch request doesn't contain any entries.", batchOf()...)
	s.wantError(400, "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.", batchOf(many(11)...)...)
	s.wantError(400, "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.", batchOf(one("a"), one("b"), one("a"))...)
	long := strings.Repeat("i", 81)
	s.wantError(400, "InvalidBatchEntryId", "The Id of a batch entry in the batch request is too long: "+long, batchOf(one(long))...)
	s.wantError(400, "InvalidBatchEntryId", "The Id of a batch entry in the batch request contains an impermissible character: a.b", batchOf(one("a.b"))...)
	s.wantError(400, "InvalidBatchEntryId", "The Id of a batch entry in the batch request is empty: ", batchOf(one(""))...)
	s.wantError(400, "ValidationError", "1 validation error detected: Value null at 'publishBatchRequestEntries.2.member.id' failed to satisfy constraint: Member must not be null",
		batchOf(one("a"), []string{"Message", "m"})...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Empty message", batchOf(one("a"), []string{"Id", "b"})...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: TopicArn Reason: no value for required parameter", "Action", "PublishBatch")
	s.wantError(404, "NotFound", "Topic does not exist", "Action", "PublishBatch", "TopicArn", arnT1+"x",
		"PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.1.Message", "m")
	half := strings.Repeat("m", 131072)
	s.wantError(400, "BatchRequestTooLong", "The length of all the messages put together is more than the limit.",
		batchOf([]string{"Id", "a", "Message", half}, []string{"Id", "b", "Message", half + "m"})...)
	s.wantError(400, "ValidationError", "1 validation error detected: Value null at 'publishBatchRequestEntries.2.member.messageAttributes.k.member.dataType' failed to satisfy constraint: Member must not be null",
		batchOf(one("a"), append(one("b"), "MessageAttributes.entry.1.Name", "k"))...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body",
		batchOf(one("a"), []string{"Id", "b", "Message", "{}", "MessageStructure", "json"})...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
		batchOf(one("a"), append(one("b"), "MessageDeduplicationId", "d"))...)
	if got := s.recorder.Messages(); len(got) != 0 {
		t.Errorf("calls that failed as a whole published %q", got)
	}

	r := s.do(batchOf([]string{"Id", "a", "Message", half}, []string{"Id", "b", "Message", half})...)
	if diff := cmp.Diff([]string{"a", "b"}, r.Successful); r.status != 200 || diff != "" {
		t.Errorf("status %d (-want +got):\n%s", r.status, diff)
	}
	r = s.do(batchOf(many(10)...)...)
	if r.status != 200 || len(r.Successful) != 10 {
		t.Errorf("ten entries: status %d, %d successful", r.status, len(r.Successful))
	}
	r = s.do(batchOf(one("a"), append(one("b"), "Subject", "x\ny"), one("c"), append(one("d"), "Subject", ""))...)
	want := []failed{{"b", "InvalidParameter", "Invalid parameter: Subject", "true"}, {"d", "InvalidParameter", "Invalid parameter: Subject", "true"}}
	if diff := cmp.Diff([]string{"a", "c"}, r.Successful) + cmp.Diff(want, r.Failed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r = s.do(batchOf(append(one("a"), "Subject", ""))...)
	if r.status != 200 || !strings.Contains(r.text, "<Successful/>") || len(r.Failed) != 1 {
		t.Errorf("only refused entries: %s", r.text)
	}
	r = s.do(batchOf(one("a"))...)
	if !strings.Contains(r.text, "<Failed/>") {
		t.Errorf("no refused entries: %s", r.text)
	}
}

// TestBatchOrder checks that entries are taken in the order of their numbers, with gaps, in either spelling.
func TestBatchOrder(t *testing.T) {
	s := newServer(t, Options{})
	r := s.do("Action", "PublishBatch", "TopicArn", arnT1,
		"PublishBatchRequestEntries.member.20.Id", "c", "PublishBatchRequestEntries.member.20.Message", "3",
		"PublishBatchRequestEntries.3.Message", "1", "PublishBatchRequestEntries.member.3.Id", "a",
		"PublishBatchRequestEntries.member.7.Id", "b", "PublishBatchRequestEntries.member.7.Message", "2")
	if diff := cmp.Diff([]string{"a", "b", "c"}, r.Successful); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.engine.Close()
	want := []string{"topic: T1\nbody: \"1\"\n", "topic: T1\nbody: \"2\"\n", "topic: T1\nbody: \"3\"\n"}
	if diff := cmp.Diff(want, s.recorder.Messages()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBatchClosed(t *testing.T) {
	s := newServer(t, Options{})
	s.engine.Close()
	r := s.do(batchOf([]string{"Id", "a", "Message", "m"})...)
	if r.status != 503 || r.Code != "ServiceUnavailable" || string(r.header.Peek("Retry-After")) != "1" {
		t.Errorf("got %d %s", r.status, r.text)
	}
}

func TestTooLarge(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	body := form(publish("Message", strings.Repeat("m", 10<<20))...)
	reply := facetest.Do(t, setup(t, e), []byte(post(body, "")))
	if !bytes.HasPrefix(reply, []byte("HTTP/1.1 400 ")) || !bytes.Contains(reply, []byte("Invalid parameter: Message too long")) {
		t.Errorf("got %s", reply)
	}
}

func TestClaims(t *testing.T) {
	f := func(line string, want bool) {
		t.Helper()
		var h fasthttp.RequestHeader
		if err := h.Read(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: h\r\n\r\n"))); err != nil {
			t.Fatal(err)
		}
		head := ingress.ParseHead(&h)
		if got := (&Face{}).Claims(&head); got != want {
			t.Errorf("%s: got %v", line, got)
		}
	}
	f("POST /", true)
	f("POST /?Action=Publish", true)
	f("GET /?Action=Publish", true)
	f("GET /?Token=x&Action=ConfirmSubscription", true)
	f("PUT /", true)
	f("GET /", false)
	f("GET /?x=y", false)
	f("POST /topics", false)
	f("POST //", false)
	f("GET /console?Action=x", false)

	var h fasthttp.RequestHeader
	h.SetRequestURI("/nothing")
	h.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0")
	head := ingress.ParseHead(&h)
	if !(&Face{}).Claims(&head) {
		t.Error("a signed request for an unknown path is not claimed")
	}
}

func TestOptions(t *testing.T) {
	for _, good := range []Options{{}, {Region: "eu-west-1", Account: "123456789012", PublicURL: "https://h/sns"}} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
	bad := Options{Region: "EU", Account: "12", PublicURL: "h:80"}
	err := bad.Validate()
	for _, field := range []string{"Region", "Account", "PublicURL"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not speak of %s", err, field)
		}
	}
}

// eventually waits for what another goroutine does soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}
