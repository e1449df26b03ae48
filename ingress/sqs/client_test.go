package sqs

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// client asks a face in the JSON protocol.
type client struct {
	t      testing.TB
	engine *engine.Engine
	face   ingress.Face
}

func newClient(t testing.TB, opts Options) *client {
	t.Helper()
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	setup(t, e)
	return &client{t, e, New(e, opts)}
}

// reply is what was answered: everything that any action of these tests answers.
type reply struct {
	status                                                             int
	queryError                                                         string
	text                                                               string
	Type                                                               string   `json:"__type"`
	Message                                                            string   `json:"message"`
	QueueURL                                                           string   `json:"QueueUrl"`
	QueueURLs                                                          []string `json:"QueueUrls"`
	Sources                                                            []string `json:"queueUrls"`
	NextToken, MessageID, SequenceNumber, MD5OfMessageBody, TaskHandle string
	Attributes, Tags                                                   map[string]string
	Messages                                                           []message
	Successful, Failed                                                 []result
	Results                                                            []map[string]any
}

type message struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body, MD5OfBody        string
	MD5OfMessageAttributes string
	Attributes             map[string]string
	MessageAttributes      map[string]struct{ DataType, StringValue, BinaryValue string }
}

type result struct {
	ID             string `json:"Id"`
	MessageID      string `json:"MessageId"`
	SequenceNumber string
	Code, Message  string
	SenderFault    bool
}

// object is an object of JSON.
type object map[string]any

// ask sends a request, with the queue's URL when a name is given, and returns what was answered.
func (c *client) ask(action, queue string, body object) reply {
	c.t.Helper()
	if body == nil {
		body = object{}
	}
	if queue != "" {
		body["QueueUrl"] = "http://anywhere/000000000000/" + queue
	}
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	h := &ctx.Request.Header
	h.SetMethod("POST")
	h.SetRequestURI("/")
	h.SetHost("sqs.test")
	h.Set("X-Amz-Target", "AmazonSQS."+action)
	h.Set("X-Amzn-Query-Mode", "true")
	ctx.Request.SetBody(text)
	head := ingress.ParseHead(h)
	c.face.Serve(&ctx, &head)
	r := reply{status: ctx.Response.StatusCode(), text: string(ctx.Response.Body())}
	r.queryError = string(ctx.Response.Header.PeekCanonical([]byte("x-amzn-query-error")))
	if err := json.Unmarshal(ctx.Response.Body(), &r); err != nil {
		c.t.Fatalf("%s: %v: %s", action, err, r.text)
	}
	return r
}

// must is ask for a request that succeeds.
func (c *client) must(action, queue string, body object) reply {
	c.t.Helper()
	r := c.ask(action, queue, body)
	if r.status != 200 {
		c.t.Fatalf("%s: %d %s", action, r.status, r.text)
	}
	return r
}

// refused is ask for a request that fails with a code and a text.
func (c *client) refused(action, queue string, body object, code, text string) {
	c.t.Helper()
	r := c.ask(action, queue, body)
	got, _, _ := strings.Cut(r.queryError, ";")
	if r.status < 400 || got != code || r.Message != text {
		c.t.Errorf("%s %v:\n got %d %s: %s\nwant %s: %s", action, body, r.status, r.queryError, r.text, code, text)
	}
}

// receive receives messages and returns their texts.
func (c *client) receive(queue string, body object) (texts []string, messages []message) {
	c.t.Helper()
	r := c.must("ReceiveMessage", queue, body)
	for _, m := range r.Messages {
		texts = append(texts, m.Body)
	}
	return texts, r.Messages
}

// query asks in the query protocol, at the path of a queue, and returns the reply, which has to be XML.
func (c *client) query(queue, form string) (status int, text string) {
	c.t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	h := &ctx.Request.Header
	h.SetMethod("POST")
	h.SetRequestURI("/000000000000/" + queue)
	h.SetHost("sqs.test")
	ctx.Request.SetBodyString(form)
	head := ingress.ParseHead(h)
	c.face.Serve(&ctx, &head)
	text = string(ctx.Response.Body())
	var any struct{}
	if err := xml.Unmarshal([]byte(text), &any); err != nil {
		c.t.Fatalf("%s: %v: %s", form, err, text)
	}
	return ctx.Response.StatusCode(), text
}
