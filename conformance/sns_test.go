package conformance

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Source: Amazon SNS developer guide, "Sending Amazon SNS messages to HTTP/HTTPS endpoints"; order of the members
// and header set as recorded from AWS.

const snsARN = "arn:aws:sns:us-east-1:000000000000:"

// ordersARN is the one topic of these tests; the SDK wants a pointer to it.
var ordersARN = snsARN + "orders"

// snsHeaders is the whole header set of a push.
func snsHeaders(p *push, e *endpoint, kind, id, topicARN, subscriptionARN string) map[string]string {
	want := map[string]string{
		"Host":                   hostOf(e.url),
		"Content-Length":         strconv.Itoa(len(p.Body)),
		"Content-Type":           "text/plain; charset=UTF-8",
		"Connection":             "Keep-Alive",
		"User-Agent":             "Amazon Simple Notification Service Agent",
		"Accept-Encoding":        "gzip,deflate",
		"x-amz-sns-message-type": kind,
		"x-amz-sns-message-id":   id,
		"x-amz-sns-topic-arn":    topicARN,
	}
	if subscriptionARN != "" {
		want["x-amz-sns-subscription-arn"] = subscriptionARN
	}
	return want
}

func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return host
}

var snsSignature = []string{"SignatureVersion", "Signature", "SigningCertURL"}

// snsConfirmation checks a SubscriptionConfirmation and returns its token and link.
func snsConfirmation(t testing.TB, server *program, e *endpoint, topicARN string) (token, link string) {
	t.Helper()
	p := e.next()
	document := unsigned(t, objectMembers(t, p.Body), snsSignature...)
	token = value(t, document, "Token")
	id, at := value(t, document, "MessageId"), value(t, document, "Timestamp")
	matches(t, "Token", token, `[0-9a-zA-Z]{32,}`)
	matches(t, "MessageId", id, uuidForm)
	recent(t, "Timestamp", at, "2006-01-02T15:04:05.000Z")
	link = server.url + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=" + token
	same(t, "the confirmation", document, []member{
		{"Type", "SubscriptionConfirmation"},
		{"MessageId", id},
		{"Token", token},
		{"TopicArn", topicARN},
		{"Message", "You have chosen to subscribe to the topic " + topicARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message."},
		{"SubscribeURL", link},
		{"Timestamp", at},
	})
	same(t, "the confirmation's headers", p.headers(t), snsHeaders(p, e, "SubscriptionConfirmation", id, topicARN, ""))
	return token, link
}

// snsMessage is what a notification is expected to say.
type snsMessage struct{ id, subject, message, attributes string }

// snsNotification checks a notification: the document with its members in their order, and the headers.
func snsNotification(t testing.TB, server *program, e *endpoint, p *push, topicARN, subscriptionARN string, m snsMessage) {
	t.Helper()
	document := unsigned(t, objectMembers(t, p.Body), snsSignature...)
	at := value(t, document, "Timestamp")
	recent(t, "Timestamp", at, "2006-01-02T15:04:05.000Z")
	want := []member{{"Type", "Notification"}, {"MessageId", m.id}, {"TopicArn", topicARN}}
	if m.subject != "" {
		want = append(want, member{"Subject", m.subject})
	}
	want = append(want, member{"Message", m.message}, member{"Timestamp", at},
		member{"UnsubscribeURL", server.url + "/?Action=Unsubscribe&SubscriptionArn=" + subscriptionARN})
	if m.attributes != "" {
		want = append(want, member{"MessageAttributes", m.attributes})
	}
	same(t, "the notification", document, want)
	same(t, "the notification's headers", p.headers(t), snsHeaders(p, e, "Notification", m.id, topicARN, subscriptionARN))
	same(t, "method and target", p.Method+" "+p.Target, "POST "+strings.TrimPrefix(e.url, "http://"+hostOf(e.url)))
}

func TestSNSGo(t *testing.T) {
	server, hooks := start(t), listen(t)
	client, ctx := snsClient(server), t.Context()

	created, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic", err)
	same(t, "TopicArn", *created.TopicArn, ordersARN)
	created, err = client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic again", err)
	same(t, "TopicArn of the second call", *created.TopicArn, ordersARN)

	hook := hooks.atDefault("/hook?k=1&l=a%20b", "/hook")
	subscribed, err := client.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: created.TopicArn, Protocol: aws.String("http"), Endpoint: aws.String(hook.url), ReturnSubscriptionArn: true,
	})
	must(t, "Subscribe", err)
	subscription := *subscribed.SubscriptionArn
	matches(t, "SubscriptionArn", subscription, ordersARN+":"+uuidForm)
	_, link := snsConfirmation(t, server, hook, ordersARN)

	// A pending subscription gets nothing but its confirmation.
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("before the confirmation")})
	must(t, "Publish before the confirmation", err)
	if reply := get(t, link); !strings.Contains(reply, "<SubscriptionArn>"+subscription+"</SubscriptionArn>") {
		t.Errorf("SubscribeURL answered %s", reply)
	}

	published, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn: &ordersARN, Message: aws.String(awkward), Subject: aws.String("Sub ject & <co>"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"a":         {DataType: aws.String("String"), StringValue: aws.String("v 1 <&> \"ü\"")},
			"b.c":       {DataType: aws.String("Binary"), BinaryValue: []byte{2, 3, 4, 0, 255}},
			"Number_1":  {DataType: aws.String("Number"), StringValue: aws.String("99.120")},
			"list-of-s": {DataType: aws.String("String.Array"), StringValue: aws.String(`["x",null,1]`)},
		},
	})
	must(t, "Publish", err)
	matches(t, "MessageId", *published.MessageId, uuidForm)
	snsNotification(t, server, hook, hook.next(), ordersARN, subscription, snsMessage{
		id: *published.MessageId, message: awkward, subject: "Sub ject & <co>",
		attributes: canonical(t, map[string]map[string]string{
			"a":         {"Type": "String", "Value": "v 1 <&> \"ü\""},
			"b.c":       {"Type": "Binary", "Value": base64.StdEncoding.EncodeToString([]byte{2, 3, 4, 0, 255})},
			"Number_1":  {"Type": "Number", "Value": "99.120"},
			"list-of-s": {"Type": "String.Array", "Value": `["x",null,1]`},
		}),
	})

	// Neither subject nor attributes: no members for them.
	published, err = client.Publish(ctx, &sns.PublishInput{TargetArn: &ordersARN, Message: aws.String("bare")})
	must(t, "Publish to a TargetArn", err)
	snsNotification(t, server, hook, hook.next(), ordersARN, subscription, snsMessage{id: *published.MessageId, message: "bare"})

	// A text by protocol.
	published, err = client.Publish(ctx, &sns.PublishInput{
		TopicArn: &ordersARN, MessageStructure: aws.String("json"), Message: aws.String(`{"default":"for all","http":"for \u003chttp\u003e \ud83d\ude00","sqs":"no"}`),
	})
	must(t, "Publish by protocol", err)
	snsNotification(t, server, hook, hook.next(), ordersARN, subscription, snsMessage{id: *published.MessageId, message: "for <http> 😀"})
	hook.nothingMore(200 * time.Millisecond)
}

func TestSNSGoBatch(t *testing.T) {
	server, hooks := start(t), listen(t)
	client, ctx := snsClient(server), t.Context()
	hook := hooks.at("/hook")
	subscription := snsSubscribe(t, server, client, hook, nil)

	reply, err := client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &ordersARN, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("one"), Message: aws.String("first")},
		{Id: aws.String("bad"), Message: aws.String("not this one"), Subject: aws.String(strings.Repeat("s", 101))},
		{Id: aws.String("two"), Message: aws.String("second"), Subject: aws.String("Subject"), MessageAttributes: map[string]types.MessageAttributeValue{
			"k": {DataType: aws.String("Number"), StringValue: aws.String("1")},
		}},
		{Id: aws.String("three"), Message: aws.String(`{"default":"third"}`), MessageStructure: aws.String("json")},
	}})
	must(t, "PublishBatch", err)
	// Successful and Failed both keep the order of the request.
	var ids []string
	want := map[string]snsMessage{}
	for i, m := range []snsMessage{
		{message: "first"},
		{message: "second", subject: "Subject", attributes: `{"k":{"Type":"Number","Value":"1"}}`},
		{message: "third"},
	} {
		if i == len(reply.Successful) {
			t.Fatalf("%d entries succeeded: %+v", i, reply)
		}
		m.id = *reply.Successful[i].MessageId
		matches(t, "MessageId", m.id, uuidForm)
		ids = append(ids, *reply.Successful[i].Id)
		want[m.id] = m
	}
	same(t, "ids that succeeded", ids, []string{"one", "two", "three"})
	if len(reply.Failed) != 1 {
		t.Fatalf("%d entries failed, want 1", len(reply.Failed))
	}
	f := reply.Failed[0]
	same(t, "what failed", []string{*f.Id, *f.Code, *f.Message, strconv.FormatBool(f.SenderFault)},
		[]string{"bad", "InvalidParameter", "Invalid parameter: Subject", "true"})

	for _, p := range hook.collect(3) {
		id := value(t, objectMembers(t, p.Body), "MessageId")
		m, ok := want[id]
		if !ok {
			t.Errorf("message %s was not in the reply", id)
		}
		delete(want, id)
		snsNotification(t, server, hook, p, ordersARN, subscription, m)
	}
	hook.nothingMore(200 * time.Millisecond)
}

// snsSubscribe makes the topic and a confirmed subscription, whose ARN it returns. The token is handed in by the SDK.
func snsSubscribe(t testing.TB, server *program, client *sns.Client, e *endpoint, attributes map[string]string) string {
	t.Helper()
	ctx := t.Context()
	_, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic", err)
	subscribed, err := client.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &ordersARN, Protocol: aws.String("http"), Endpoint: aws.String(e.url), Attributes: attributes,
	})
	must(t, "Subscribe", err)
	// Without ReturnSubscriptionArn the service says this until the confirmation.
	same(t, "SubscriptionArn", *subscribed.SubscriptionArn, "pending confirmation")
	token, _ := snsConfirmation(t, server, e, ordersARN)
	confirmed, err := client.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: &ordersARN, Token: &token})
	must(t, "ConfirmSubscription", err)
	matches(t, "SubscriptionArn", *confirmed.SubscriptionArn, ordersARN+":"+uuidForm)
	return *confirmed.SubscriptionArn
}

func TestSNSGoRawDelivery(t *testing.T) {
	server, hooks := start(t), listen(t)
	client, ctx := snsClient(server), t.Context()
	raw := hooks.at("/raw")
	subscription := snsSubscribe(t, server, client, raw, map[string]string{"RawMessageDelivery": "true"})

	published, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn: &ordersARN, Message: aws.String(awkward), Subject: aws.String("not shown"),
		MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("not shown")}},
	})
	must(t, "Publish", err)
	p := raw.next()
	same(t, "the body", p.Body, awkward)
	want := snsHeaders(p, raw, "Notification", *published.MessageId, ordersARN, subscription)
	want["x-amz-sns-rawdelivery"] = "true"
	same(t, "the headers", p.headers(t), want)
}

func TestSNSGoErrors(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	check := func(what string, err error, target any, code, text string, status int) {
		t.Helper()
		if !errors.As(err, target) {
			t.Errorf("%s: %T instead of %T: %v", what, err, target, err)
			return
		}
		var api smithy.APIError
		var response *awshttp.ResponseError
		if !errors.As(err, &api) || !errors.As(err, &response) {
			t.Fatalf("%s: %v", what, err)
		}
		same(t, what, []string{api.ErrorCode(), api.ErrorMessage(), strconv.Itoa(response.HTTPStatusCode())}, []string{code, text, strconv.Itoa(status)})
		matches(t, what+": request id", response.ServiceRequestID(), uuidForm)
	}
	unknown := aws.String(snsARN + "unknown")
	var notFound *types.NotFoundException
	_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: unknown, Message: aws.String("m")})
	check("Publish to an unknown topic", err, &notFound, "NotFound", "Topic does not exist", http.StatusNotFound)
	_, err = client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: unknown, Protocol: aws.String("http"), Endpoint: aws.String("http://127.0.0.1:9/")})
	check("Subscribe to an unknown topic", err, &notFound, "NotFound", "Topic does not exist", http.StatusNotFound)

	_, err = client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic", err)
	var invalid *types.InvalidParameterException
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("")})
	check("Publish of nothing", err, &invalid, "InvalidParameter", "Invalid parameter: Empty message", http.StatusBadRequest)
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String(strings.Repeat("m", 262145))})
	check("Publish of too much", err, &invalid, "InvalidParameter", "Invalid parameter: Message too long", http.StatusBadRequest)
	var value *types.InvalidParameterValueException
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("m"), MessageAttributes: map[string]types.MessageAttributeValue{
		"a": {DataType: aws.String("Bool"), StringValue: aws.String("true")},
	}})
	check("Publish with a type of attribute that does not exist", err, &value, "ParameterValueInvalid",
		"The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", http.StatusBadRequest)
	var empty *types.EmptyBatchRequestException
	_, err = client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &ordersARN, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{}})
	check("PublishBatch of nothing", err, &empty, "EmptyBatchRequest", "The batch request doesn't contain any entries.", http.StatusBadRequest)
}

func TestSNSNode(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := nodeProgram{file: "sns.js", url: server.url}
	hook := hooks.at("/hook")

	replies := client.run(t,
		step{"op": "createTopic", "input": step{"Name": "orders"}},
		step{"op": "subscribe", "input": step{"TopicArn": ordersARN, "Protocol": "http", "Endpoint": hook.url, "ReturnSubscriptionArn": true}},
	)
	same(t, "TopicArn", decode[sns.CreateTopicOutput](t, "CreateTopic", replies[0]).TopicArn, &ordersARN)
	subscription := *decode[sns.SubscribeOutput](t, "Subscribe", replies[1]).SubscriptionArn
	matches(t, "SubscriptionArn", subscription, ordersARN+":"+uuidForm)
	token, _ := snsConfirmation(t, server, hook, ordersARN)

	replies = client.run(t,
		step{"op": "confirm", "input": step{"TopicArn": ordersARN, "Token": token}},
		step{"op": "publish", "input": step{
			"TopicArn": ordersARN, "Message": awkward, "Subject": "Sub ject & <co>",
			"MessageAttributes": step{
				"a": step{"DataType": "String", "StringValue": "v 1"},
				"b": step{"DataType": "Binary", "BinaryValue": step{"base64": "AgME"}},
			},
		}},
		step{"op": "publishBatch", "input": step{"TopicArn": ordersARN, "PublishBatchRequestEntries": []step{
			{"Id": "x", "Message": "batch x"},
			{"Id": "y", "Message": "batch y"},
		}}},
		step{"op": "publishBatch", "input": step{"TopicArn": ordersARN, "PublishBatchRequestEntries": []step{}}},
		step{"op": "publish", "input": step{"TopicArn": ordersARN}},
		step{"op": "publish", "input": step{"TopicArn": snsARN + "unknown", "Message": "m"}},
	)
	same(t, "SubscriptionArn", *decode[sns.ConfirmSubscriptionOutput](t, "ConfirmSubscription", replies[0]).SubscriptionArn, subscription)
	batch := decode[sns.PublishBatchOutput](t, "PublishBatch", replies[2])
	if len(batch.Successful) != 2 || len(batch.Failed) != 0 {
		t.Fatalf("PublishBatch: %s", replies[2].Value)
	}
	want := map[string]snsMessage{}
	for _, m := range []snsMessage{
		{
			id: *decode[sns.PublishOutput](t, "Publish", replies[1]).MessageId, message: awkward, subject: "Sub ject & <co>",
			attributes: `{"a":{"Type":"String","Value":"v 1"},"b":{"Type":"Binary","Value":"AgME"}}`,
		},
		{id: *batch.Successful[0].MessageId, message: "batch x"},
		{id: *batch.Successful[1].MessageId, message: "batch y"},
	} {
		want[m.id] = m
	}
	for _, p := range hook.collect(len(want)) {
		snsNotification(t, server, hook, p, ordersARN, subscription, want[value(t, objectMembers(t, p.Body), "MessageId")])
	}
	hook.nothingMore(200 * time.Millisecond)

	for i, want := range map[int]nodeError{
		3: {"EmptyBatchRequestException", "EmptyBatchRequest", http.StatusBadRequest, "The batch request doesn't contain any entries."},
		4: {"InvalidParameterException", "InvalidParameter", http.StatusBadRequest, "Invalid parameter: Empty message"},
		5: {"NotFoundException", "NotFound", http.StatusNotFound, "Topic does not exist"},
	} {
		same(t, "error of step "+strconv.Itoa(i), failed(t, "step "+strconv.Itoa(i), replies[i]), want)
	}
}
