package sqs

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/egress/sns"
	"fanfare/egress/webhook"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// placed is what a queue gets.
type placed struct {
	Body, Group, Deduplication, Trace string
	Attributes                        map[string]string
	fault                             string
}

func place(t testing.TB, e egress.Encoder, m *engine.Message, queue engine.QueueConfig) placed {
	t.Helper()
	dst := engine.NewMessage()
	defer dst.Release()
	p, ok := e.(egress.Placer)
	if !ok {
		t.Fatalf("%T does not place", e)
	}
	if fault := p.Place(dst, m, &queue); fault != "" {
		return placed{fault: fault}
	}
	got := placed{
		Body: string(dst.Body()), Group: string(dst.Get(engine.FieldGroup)), Trace: string(dst.Get(engine.FieldTrace)),
		Deduplication: string(dst.Get(engine.FieldDeduplicationID)),
	}
	for it := dst.Attributes(); it.Next(); {
		if got.Attributes == nil {
			got.Attributes = map[string]string{}
		}
		got.Attributes[string(it.Name)] = fmt.Sprintf("%s %v %s", it.Type, it.Binary, it.Value)
	}
	if dst.ExpiresAt() != 0 || dst.DeliverAt() != 0 || dst.ID() == m.ID() {
		t.Errorf("the message for the queue has the id %v, and times %d and %d", dst.ID(), dst.ExpiresAt(), dst.DeliverAt())
	}
	return got
}

var (
	standard = engine.QueueConfig{Name: "q", MessageMax: engine.QueueMessageBytesMax}
	fifo     = engine.QueueConfig{Name: "q.fifo", MessageMax: engine.QueueMessageBytesMax, FIFO: &engine.FIFO{}}
)

func subscription(t testing.TB, envelope string) *kindtest.Fixture {
	t.Helper()
	return kindtest.NewFixture(t, newKind(), "orders", engine.SubscriptionConfig{Name: "billing", Endpoint: "queue:q", Envelope: envelope})
}

func TestPlaceRaw(t *testing.T) {
	f := subscription(t, Raw)
	e := newKind().Compile(f.Subscription)
	full := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("hello"))
		m.Set(engine.FieldSubject, []byte("not in raw delivery"))
		m.Set(engine.FieldGroup, []byte("g"))
		m.Set(engine.FieldDeduplicationID, []byte("d"))
		m.Set(engine.FieldTrace, []byte("Root=1-x"))
		m.SetExpiresAt(1 << 50)
		m.AddAttribute([]byte("a"), []byte("Number.int"), []byte("7"), false)
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{1, 2}, true)
	})
	want := placed{Body: "hello", Group: "g", Trace: "Root=1-x", Attributes: map[string]string{"a": "Number.int false 7", "b": "Binary true \x01\x02"}}
	check := func(name string, got, want placed) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(placed{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	check("full", place(t, e, full, standard), want)
	want.Deduplication = "d"
	check("into FIFO", place(t, e, full, fifo), want)

	bare := f.Commit(t, func(m *engine.Message) { m.Set(engine.FieldBody, nil) })
	check("empty", place(t, e, bare, standard), placed{})
	check("no group", place(t, e, bare, fifo), placed{Group: "orders", Deduplication: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"})

	structured := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("for all"))
		m.Set(engine.FieldStructure, []byte(`{"default":"for all","sqs":"for \u0022sqs\u0022","http":"no"}`))
	})
	check("by protocol", place(t, e, structured, standard), placed{Body: `for "sqs"`})

	binary := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("\x00\xff"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
	})
	check("binary", place(t, e, binary, standard), placed{Body: "AP8=", Attributes: map[string]string{"a": "String false v", encodingAttribute: "String false base64"}})

	attributes := func(n int, body string) *engine.Message {
		return f.Commit(t, func(m *engine.Message) {
			m.Set(engine.FieldBody, []byte(body))
			for i := range n {
				m.AddAttribute(fmt.Append(nil, "a", i), []byte("String"), []byte("v"), false)
			}
		})
	}
	ten := map[string]string{}
	for i := range 10 {
		ten[fmt.Sprint("a", i)] = "String false v"
	}
	check("ten", place(t, e, attributes(10, "x"), standard), placed{Body: "x", Attributes: ten})
	check("eleven", place(t, e, attributes(11, "x"), standard), placed{fault: faultAttributes})
	check("ten and an encoding", place(t, e, attributes(10, "\x01"), standard), placed{fault: faultAttributes})
	small := engine.QueueConfig{MessageMax: 1024}
	exact := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte(strings.Repeat("x", 1015)))
		m.AddAttribute([]byte("ab"), []byte("String"), []byte("v"), false)
	})
	if got := place(t, e, exact, small); got.fault != "" || len(got.Body) != 1015 {
		t.Errorf("what just fits: %+v", got)
	}
	over := f.Commit(t, func(m *engine.Message) { m.Set(engine.FieldBody, []byte(strings.Repeat("x", 1025))) })
	check("too large", place(t, e, over, small), placed{fault: faultSize})
}

// TestPlaceDocument puts the whole document into the queue, and nothing beside it.
func TestPlaceDocument(t *testing.T) {
	f := subscription(t, "")
	m := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("for all"))
		m.Set(engine.FieldStructure, []byte(`{"default":"for all","sqs":"for sqs"}`))
		m.Set(engine.FieldSubject, []byte("s"))
		for i := range 11 {
			m.AddAttribute(fmt.Append(nil, "a", i), []byte("String"), []byte("v"), false)
		}
	})
	got := place(t, newKind().Compile(f.Subscription), m, standard)
	if got.Attributes != nil || got.fault != "" {
		t.Errorf("beside the document: %+v", got)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(got.Body), &document); err != nil {
		t.Fatalf("%q: %v", got.Body, err)
	}
	if n := len(document["MessageAttributes"].(map[string]any)); n != 11 {
		t.Errorf("%d attributes in the document", n)
	}
	delete(document, "MessageAttributes")
	delete(document, "UnsubscribeURL")
	want := map[string]any{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": "arn:aws:sns:us-east-1:000000000000:orders",
		"Subject": "s", "Message": "for sqs", "Timestamp": "2026-01-02T03:04:05.678Z",
	}
	if diff := cmp.Diff(want, document); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPlaceDeadLetters puts what another subscriber would have got into a queue of ours; and what a queue would have got
// into another, ours or not.
func TestPlaceDeadLetters(t *testing.T) {
	k := newKind()
	fill := func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		for i := range 11 {
			m.AddAttribute(fmt.Append(nil, "a", i), []byte("String"), []byte("v"), false)
		}
	}
	s, m := push(t, "raw", fill)
	if got := place(t, k.Wrap(webhook.New(webhook.Options{}).Compile(s), "queue:dead"), m, standard); got.Body != "x" || got.Attributes != nil || got.fault != "" {
		t.Errorf("of a webhook: %+v", got)
	}
	doc := kindtest.NewFixture(t, sns.New(sns.Options{}), "orders", engine.SubscriptionConfig{Name: "n", Endpoint: "http://127.0.0.1:9/hook"})
	m = doc.Commit(t, fill)
	inner := sns.New(sns.Options{}).Compile(doc.Subscription)
	want, _ := inner.Body(nil, m)
	if got := place(t, k.Wrap(inner, "queue:dead"), m, standard); got.Body != string(want) || got.Attributes != nil {
		t.Errorf("of the kind sns: %+v", got)
	}

	f := subscription(t, Raw)
	few := f.Commit(t, func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("x"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v"), false)
	})
	m = f.Commit(t, fill)
	of := k.Compile(f.Subscription)
	if got := place(t, k.Wrap(of, "queue:dead"), few, standard); got.Body != "x" || !maps.Equal(got.Attributes, map[string]string{"a": "String false v"}) {
		t.Errorf("of a queue: %+v", got)
	}
	if got := place(t, k.Wrap(of, "queue:dead"), m, standard); got.Body != "x" || got.Attributes != nil || got.fault != "" {
		t.Errorf("of a queue that would not have it: %+v", got)
	}
	body, _ := k.Wrap(of, queueURL).Body(nil, few)
	if want := `{"QueueUrl":"` + queueURL + `","MessageBody":"x","MessageAttributes":{"a":{"DataType":"String","StringValue":"v"}}}`; string(body) != want {
		t.Errorf("elsewhere: %s", body)
	}
}

func TestSayable(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		for pad := range 9 {
			padded := strings.Repeat("a", pad) + text + strings.Repeat("~", 8-pad)
			if got := sayable([]byte(padded)); got != want {
				t.Errorf("%q: %v", padded, got)
			}
		}
	}
	f("", true)
	f("plain text of more than eight bytes \x7f", true)
	f("\t\r\n", true)
	f("é€😀\u2028", true)
	for c := range 32 {
		f(string(rune(c)), c == '\t' || c == '\n' || c == '\r')
	}
	f("\xff", false)
	f("\xc3", false)
	f("\xed\xa0\x80", false)
	f("\ufffe", false)
	f("\uffff", false)
	f("\ufffd", true)
}
