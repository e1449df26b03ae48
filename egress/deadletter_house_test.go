package egress_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"fanfare/egress"
	"fanfare/egress/sqs"
	"fanfare/engine"
)

// sent is one call of SendMessage.
type sent struct {
	QueueUrl, MessageBody string
	MessageAttributes     map[string]struct{ DataType, StringValue, BinaryValue string }
}

// queueServer is a fake of SQS on the wire: it has one queue, and does what it is told.
type queueServer struct {
	t      *testing.T
	mu     sync.Mutex
	answer answer // guarded by mu; the zero answer takes the letter
	old    bool   // guarded by mu: it knows the protocol of forms alone
	forms  int    // guarded by mu: calls in that
	calls  int    // guarded by mu
	got    []sent // guarded by mu: what was taken
	url    string // of the queue
}

func newQueueServer(t *testing.T, b *bubble) *queueServer {
	q := &queueServer{t: t}
	base := b.hostOf("queues", q.serve)
	q.url = base + "/000000000000/dead"
	return q
}

func (q *queueServer) set(a answer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answer = a
}

func (q *queueServer) taken() (got []sent, calls int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]sent(nil), q.got...), q.calls
}

// serve answers one request, given its request line's target, header and body.
func (q *queueServer) serve(target string, header http.Header, body string) answer {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	if header.Get("Content-Type") != "application/x-amz-json-1.0" {
		return q.serveForm(target, header, body)
	}
	if q.old {
		return answer{400, "Content-Type: text/xml\r\n", "<ErrorResponse><Error><Code>MissingAction</Code></Error></ErrorResponse>"}
	}
	var s sent
	switch err := json.Unmarshal([]byte(body), &s); {
	case err != nil:
		q.t.Errorf("%q: %v", body, err)
	case target != "/" || header.Get("X-Amz-Target") != "AmazonSQS.SendMessage":
		q.t.Errorf("asked for %s with %v", target, header)
	}
	return q.take(s)
}

// serveForm answers a request of the older protocol.
func (q *queueServer) serveForm(target string, header http.Header, body string) answer {
	q.forms++
	form, err := url.ParseQuery(body)
	switch {
	case err != nil:
		q.t.Errorf("%q: %v", body, err)
	case target != "/000000000000/dead" || header.Get("Content-Type") != "application/x-www-form-urlencoded; charset=utf-8" || form.Get("Action") != "SendMessage":
		q.t.Errorf("asked for %s with %v: %s", target, header, body)
	}
	return q.take(sent{QueueUrl: form.Get("QueueUrl"), MessageBody: form.Get("MessageBody")})
}

// take answers a call that was understood.
func (q *queueServer) take(s sent) answer {
	if s.QueueUrl != q.url {
		q.t.Errorf("the queue is %s", s.QueueUrl)
	}
	if q.answer.status != 0 {
		return q.answer
	}
	q.got = append(q.got, s)
	return answer{200, "Content-Type: application/x-amz-json-1.0\r\n", `{"MD5OfMessageBody":"x","MessageId":"y"}`}
}

// inQueueBubble is inBubble with a queue server.
func inQueueBubble(t *testing.T, fn func(t *testing.T, b *bubble, q *queueServer)) {
	t.Helper()
	opts := egress.Options{BreakerFailures: never, Queue: sqs.New(sqs.Options{})}
	inBubble(t, opts, func(t *testing.T, b *bubble) { fn(t, b, newQueueServer(t, b)) })
}

// refusing is a subscription whose endpoint refuses everything for good.
func refusing(b *bubble, queue string) engine.SubscriptionConfig {
	return engine.SubscriptionConfig{
		Name: "s", Kind: "sns", Endpoint: b.host("refusing", always(answer{400, "", "no"})), DeadLetters: engine.DeadLetterPlace{Queue: queue},
	}
}

// snsBody is what a subscription of the kind sns gets of a message.
func snsBody(t *testing.T, b *bubble, message string) string {
	t.Helper()
	all := b.attempts("refusing", message)
	if len(all) == 0 {
		t.Fatalf("%s was never pushed", message)
	}
	return all[0].body
}
