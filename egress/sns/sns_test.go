package sns

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fanfare/egress"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	f := func(o Options, faults ...string) {
		t.Helper()
		err := o.Validate()
		if (err == nil) != (len(faults) == 0) {
			t.Errorf("%+v: got %v", o, err)
		}
		for _, fault := range faults {
			if err != nil && !strings.Contains(err.Error(), fault) {
				t.Errorf("%+v: %v does not speak of %s", o, err, fault)
			}
		}
	}
	f(Options{})
	f(Options{Region: "eu-west-1", Account: "123456789012", PublicURL: "https://fanfare.example/sns/"})
	f(Options{Region: "EU", Account: "1234", PublicURL: "fanfare.example"}, "Region", "Account", "PublicURL")
	f(Options{PublicURL: "http://h/?a=b"}, "PublicURL")
}

func TestCheck(t *testing.T) {
	f := func(envelope, want string, ok bool) {
		t.Helper()
		c := engine.SubscriptionConfig{Envelope: envelope}
		err := New(Options{}).Check(&c)
		if ok != (err == nil) || ok && c.Envelope != want {
			t.Errorf("%q: got %q, %v", envelope, c.Envelope, err)
		}
		var field *engine.FieldError
		if err != nil && (!errors.As(err, &field) || field.Field != "envelope") {
			t.Errorf("%q: error %v names no field", envelope, err)
		}
	}
	f("", "json", true)
	f("json", "json", true)
	f("raw", "raw", true)
	f("cloudevents", "", false)
}

func TestJudge(t *testing.T) {
	for status, want := range map[int]egress.Outcome{
		200: egress.Delivered, 204: egress.Delivered,
		100: egress.Retry, 429: egress.Retry, 500: egress.Retry, 503: egress.Retry, 599: egress.Retry,
		301: egress.Dead, 400: egress.Dead, 401: egress.Dead, 404: egress.Dead, 408: egress.Dead, 410: egress.Dead,
	} {
		if got := New(Options{}).Judge(status); got != want {
			t.Errorf("%d: got %v, want %v", status, got, want)
		}
	}
}

// rendered is a push as text, line ends of the head as LF.
func rendered(e egress.Encoder, m *engine.Message) string {
	body, _ := e.Body(nil, m)
	header := e.AppendHeader(nil, m, body, 2)
	return strings.ReplaceAll(string(header), "\r\n", "\n") + "\n" + string(body)
}

// awsSubscription is the labels of a subscription that was made through the face.
var awsSubscription = map[string]string{
	"sns.topic_arn":  "arn:aws:sns:eu-west-1:123456789012:orders",
	"sns.public_url": "http://fanfare:4100",
}

// TestContentType is that of the delivery policy, in notifications alone.
func TestContentType(t *testing.T) {
	f := func(envelope, asked string, kind engine.MessageType, want string) {
		t.Helper()
		e, m := push(t, Options{}, envelope, map[string]string{"sns.content_type": asked}, func(m *engine.Message) {
			m.SetType(kind)
			m.Set(engine.FieldBody, []byte("x"))
		})
		head := rendered(e, m)
		if n := strings.Count(head, "Content-Type: "); n != 1 || !strings.Contains(head, "\nContent-Type: "+want+"\n") {
			t.Errorf("%s %q: got %s", envelope, asked, head)
		}
	}
	const plain = "text/plain; charset=UTF-8"
	for _, envelope := range []string{JSON, Raw} {
		f(envelope, "application/json", engine.Notification, "application/json")
		f(envelope, "application/json", engine.SubscriptionConfirmation, plain)
		f(envelope, "application/json", engine.UnsubscribeConfirmation, plain)
		f(envelope, "", engine.Notification, plain)
		f(envelope, "a/b\r\nX: y", engine.Notification, plain)
	}
}

func TestPush(t *testing.T) {
	f := func(name string, opts Options, envelope string, labels map[string]string, fill func(m *engine.Message), want string) {
		t.Run(name, func(t *testing.T) {
			e, m := push(t, opts, envelope, labels, fill)
			got := rendered(e, m)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, body, _ := strings.Cut(got, "\n\n"); envelope == JSON && !json.Valid([]byte(body)) {
				t.Errorf("the document is not JSON: %s", body)
			}
		})
	}
	header := func(lines ...string) string {
		return strings.Join(lines, "\n") + `
Content-Type: text/plain; charset=UTF-8
Connection: Keep-Alive
User-Agent: Amazon Simple Notification Service Agent
Accept-Encoding: gzip,deflate

`
	}
	notification := header("x-amz-sns-message-type: Notification",
		"x-amz-sns-message-id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
		"x-amz-sns-topic-arn: arn:aws:sns:us-east-1:000000000000:orders",
		"x-amz-sns-subscription-arn: arn:aws:sns:us-east-1:000000000000:orders:c9135db0-26c4-47ec-8998-413945fb5a96")

	// The document of the developer guide with the attributes of the recorded SDK call.
	f("all", Options{PublicURL: "https://sns.us-east-1.example/"}, JSON, nil, func(m *engine.Message) {
		m.Set(engine.FieldSubject, []byte("My First Message"))
		m.Set(engine.FieldBody, []byte("Hello world!"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
	}, notification+`{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000000:orders",
  "Subject" : "My First Message",
  "Message" : "Hello world!",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "https://sns.us-east-1.example/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:orders:c9135db0-26c4-47ec-8998-413945fb5a96",
  "MessageAttributes" : {
    "a" : {"Type":"String","Value":"v 1"},
    "b" : {"Type":"Binary","Value":"AgME"}
  }
}`)
	f("escapes", Options{}, JSON, nil, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("line1\nline2 é \"<&>/\\\" \x01\t\x7f \xff\xfe"))
		m.AddAttribute([]byte("n"), []byte("Number"), []byte("99.12"), false)
	}, notification+`{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000000:orders",
  "Message" : "line1\nline2 é \"<&>/\\\" \u0001\t`+"\x7f \uFFFD\uFFFD"+`",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "http://127.0.0.1:8080/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:orders:c9135db0-26c4-47ec-8998-413945fb5a96",
  "MessageAttributes" : {
    "n" : {"Type":"Number","Value":"99.12"}
  }
}`)
	aws := []string{
		"x-amz-sns-message-id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
		"x-amz-sns-topic-arn: arn:aws:sns:eu-west-1:123456789012:orders",
		"x-amz-sns-subscription-arn: arn:aws:sns:eu-west-1:123456789012:orders:c9135db0-26c4-47ec-8998-413945fb5a96",
	}
	f("the subscriber's names", Options{}, JSON, awsSubscription, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
	}, header(append([]string{"x-amz-sns-message-type: Notification"}, aws...)...)+`{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:eu-west-1:123456789012:orders",
  "Message" : "x",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "http://fanfare:4100/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-west-1:123456789012:orders:c9135db0-26c4-47ec-8998-413945fb5a96"
}`)
	f("empty subject", Options{}, JSON, awsSubscription, func(m *engine.Message) {
		m.Set(engine.FieldSubject, nil)
		m.Set(engine.FieldBody, []byte("x"))
	}, header(append([]string{"x-amz-sns-message-type: Notification"}, aws...)...)+`{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:eu-west-1:123456789012:orders",
  "Message" : "x",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "http://fanfare:4100/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:eu-west-1:123456789012:orders:c9135db0-26c4-47ec-8998-413945fb5a96"
}`)
	f("raw", Options{}, Raw, awsSubscription, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("a \"b\"\x00"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
	}, header("x-amz-sns-message-type: Notification", aws[0], aws[1], aws[2], "x-amz-sns-rawdelivery: true")+"a \"b\"\x00")

	token := strings.Repeat("0123456789abcdef", 18)
	for _, envelope := range []string{JSON, Raw} { // confirmations are never raw
		f("confirmation "+envelope, Options{}, envelope, awsSubscription, func(m *engine.Message) {
			m.SetType(engine.SubscriptionConfirmation)
			m.Set(engine.FieldToken, []byte(token))
			m.Set(engine.FieldBody, []byte("You have chosen to subscribe to the topic T.\nTo confirm"))
		}, header("x-amz-sns-message-type: SubscriptionConfirmation", aws[0], aws[1])+`{
  "Type" : "SubscriptionConfirmation",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "Token" : "`+token+`",
  "TopicArn" : "arn:aws:sns:eu-west-1:123456789012:orders",
  "Message" : "You have chosen to subscribe to the topic T.\nTo confirm",
  "SubscribeURL" : "http://fanfare:4100/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:orders&Token=`+token+`",
  "Timestamp" : "2026-01-02T03:04:05.678Z"
}`)
	}
	f("unsubscription", Options{PublicURL: "https://h"}, JSON, awsSubscription, func(m *engine.Message) {
		m.SetType(engine.UnsubscribeConfirmation)
		m.Set(engine.FieldToken, []byte("ab"))
		m.Set(engine.FieldBody, []byte("text"))
	}, header(append([]string{"x-amz-sns-message-type: UnsubscribeConfirmation"}, aws...)...)+`{
  "Type" : "UnsubscribeConfirmation",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "Token" : "ab",
  "TopicArn" : "arn:aws:sns:eu-west-1:123456789012:orders",
  "Message" : "text",
  "SubscribeURL" : "https://h/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:orders&Token=ab",
  "Timestamp" : "2026-01-02T03:04:05.678Z"
}`)

	byProtocol := func(m *engine.Message) {
		m.Set(engine.FieldStructure, []byte(`{"default":"d","https":"s","http":"h \u00e9\n"}`))
		m.Set(engine.FieldBody, []byte("d"))
	}
	f("text by protocol", Options{}, JSON, nil, byProtocol, notification+`{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-east-1:000000000000:orders",
  "Message" : "h é\n",
  "Timestamp" : "2026-01-02T03:04:05.678Z",
  "UnsubscribeURL" : "http://127.0.0.1:8080/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:orders:c9135db0-26c4-47ec-8998-413945fb5a96"
}`)
	f("text by protocol, raw", Options{}, Raw, awsSubscription, byProtocol,
		header("x-amz-sns-message-type: Notification", aws[0], aws[1], aws[2], "x-amz-sns-rawdelivery: true")+"h é\n")
	f("no text for the protocol", Options{}, Raw, awsSubscription, func(m *engine.Message) {
		m.Set(engine.FieldStructure, []byte(`{"default":"d","https":"s"}`))
		m.Set(engine.FieldBody, []byte("d"))
	}, header("x-amz-sns-message-type: Notification", aws[0], aws[1], aws[2], "x-amz-sns-rawdelivery: true")+"d")
}

func TestScratchIsReused(t *testing.T) {
	e, m := push(t, Options{}, JSON, nil, func(m *engine.Message) { m.Set(engine.FieldBody, []byte("x")) })
	scratch := make([]byte, 0, 4096)
	body, grown := e.Body(scratch, m)
	if &grown[:1][0] != &scratch[:1][0] || len(body) == 0 || &body[0] != &grown[0] {
		t.Error("the body does not lie in the scratch memory")
	}
}
