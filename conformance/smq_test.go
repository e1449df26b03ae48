package conformance

import (
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
	"time"

	ali_mns "github.com/aliyun/aliyun-mns-go-sdk"
)

// Source: SMQ HTTP reference, "HTTP push" and "PublishMessage"; headers as in the dumps of the vendor's samples.

// smqClient is the SDK's client. The SDK insists on five pieces between dots, as the service's hosts have them.
func smqClient(p *program) ali_mns.MNSClient {
	return ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{
		EndPoint: p.url + "/.", AccessKeyId: "ak-demo", AccessKeySecret: "sk-demo", TimeoutSecond: 30,
	})
}

// smqPush is what a push of the SMQ kind is expected to say.
type smqPush struct {
	topic, subscription, id string
	message, tag            string
	format                  string // XML, JSON or SIMPLIFIED
	target                  string // default: the endpoint's
}

var smqContentTypes = map[string]string{
	"XML":        "text/xml;charset=utf-8",
	"JSON":       "application/json;charset=utf-8",
	"SIMPLIFIED": "text/plain;charset=utf-8",
}

// check compares a push: request line, all headers as spelled, and the body for the format.
func (want smqPush) check(t testing.TB, e *endpoint, p *push) {
	t.Helper()
	if want.target == "" {
		want.target = strings.TrimPrefix(e.url, "http://"+hostOf(e.url))
	}
	same(t, "method and target", p.Method+" "+p.Target, "POST "+want.target)
	at := p.header(t, "x-mns-publish-time")
	recentMillis(t, "x-mns-publish-time", at)
	recent(t, "Date", p.header(t, "Date"), "Mon, 02 Jan 2006 15:04:05 GMT")
	matches(t, "x-mns-request-id", p.header(t, "x-mns-request-id"), `[0-9A-F]{24}`)
	headers := map[string]string{
		"Host":                    hostOf(e.url),
		"Content-Length":          strconv.Itoa(len(p.Body)),
		"Content-Type":            smqContentTypes[want.format],
		"Content-md5":             md5Base64(p.Body),
		"User-Agent":              "Aliyun Notification Service Agent",
		"x-mns-version":           "2015-06-06",
		"x-mns-message-id":        want.id,
		"x-mns-topic-owner":       "123456",
		"x-mns-topic-name":        want.topic,
		"x-mns-subscriber":        "123456",
		"x-mns-subscription-name": want.subscription,
		"x-mns-publish-time":      at,
	}
	if want.tag != "" {
		headers["x-mns-message-tag"] = want.tag
	}
	// Pushes are signed or not; the value of a signature is not compared here.
	same(t, "the headers", p.headers(t, "Date", "x-mns-request-id", "Authorization", "x-mns-signing-cert-url", "Connection"), headers)

	members := []member{
		{"TopicOwner", "123456"},
		{"TopicName", want.topic},
		{"Subscriber", "123456"},
		{"SubscriptionName", want.subscription},
		{"MessageId", want.id},
		{"Message", want.message},
		{"MessageMD5", md5Upper(want.message)},
	}
	if want.tag != "" {
		members = append(members, member{"MessageTag", want.tag})
	}
	members = append(members, member{"PublishTime", at})
	switch want.format {
	case "XML":
		root, children := elementMembers(t, p.Body)
		same(t, "the root", root, xml.Name{Space: "http://mns.aliyuncs.com/doc/v1/", Local: "Notification"})
		same(t, "the notification", children, members)
	case "JSON":
		same(t, "the notification", objectMembers(t, p.Body), members)
	default:
		same(t, "the body", p.Body, want.message)
	}
}

func recentMillis(t testing.TB, what, millis string) {
	t.Helper()
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	recent(t, what, time.UnixMilli(n).UTC().Format(time.RFC3339Nano), time.RFC3339Nano)
}

const smqIDForm = `[0-9A-F]{16}-1-[0-9A-F]{11}-[0-9A-F]{9}|` + upperHexForm

func TestSMQGo(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := smqClient(server)
	topics := ali_mns.NewMNSTopicManager(client)

	must(t, "CreateSimpleTopic", topics.CreateSimpleTopic("orders"))
	// 204 and 409 are different answers to a second creation.
	if err := topics.CreateSimpleTopic("orders"); !ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST_AND_HAVE_SAME_ATTR.IsEqual(err) {
		t.Errorf("creating the topic again: %v", err)
	}
	if err := topics.CreateTopic("orders", 1024, false); !ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST.IsEqual(err) {
		t.Errorf("creating the topic with other attributes: %v", err)
	}

	topic := ali_mns.NewMNSTopic("orders", client)
	formats := []string{"XML", "JSON", "SIMPLIFIED"}
	endpoints := map[string]*endpoint{}
	for _, format := range formats {
		e := hooks.atDefault("/"+format+"?x=1", "/"+format)
		endpoints[format] = e
		must(t, "Subscribe "+format, topic.Subscribe("as-"+format, ali_mns.MessageSubsribeRequest{
			Endpoint: e.url, NotifyContentFormat: ali_mns.NotifyContentFormatType(format), NotifyStrategy: ali_mns.EXPONENTIAL_DECAY_RETRY,
		}))
	}
	red := hooks.atDefault("", "/notifications") // the path of endpoints that have none
	must(t, "Subscribe to a tag", topic.Subscribe("red", ali_mns.MessageSubsribeRequest{Endpoint: red.url, FilterTag: "red"}))
	if err := topic.Subscribe("red", ali_mns.MessageSubsribeRequest{Endpoint: red.url, FilterTag: "red"}); !ali_mns.ERR_MNS_SUBSCRIPTION_ALREADY_EXIST_AND_HAVE_SAME_ATTR.IsEqual(err) {
		t.Errorf("subscribing again: %v", err)
	}

	for _, m := range []struct{ body, tag string }{
		{awkward, "red"},
		{"ping", "blue"},
		{`<?xml version="1.0"?><inner>]]></inner>`, ""},
	} {
		reply, err := topic.PublishMessage(ali_mns.MessagePublishRequest{
			MessageBody: m.body, MessageTag: m.tag,
			MessageAttributes: &ali_mns.MessageAttributes{MailAttributes: &ali_mns.MailAttributes{Subject: "s", AccountName: "n"}},
		})
		must(t, "PublishMessage", err)
		matches(t, "MessageId", reply.MessageId, smqIDForm)
		matches(t, "x-mns-request-id", reply.RequestId, `[0-9A-F]{24}`)
		same(t, "MessageBodyMD5", reply.MessageBodyMD5, md5Upper(m.body))
		for _, format := range formats {
			e := endpoints[format]
			smqPush{
				topic: "orders", subscription: "as-" + format, id: reply.MessageId, message: m.body, tag: m.tag, format: format,
			}.check(t, e, e.next())
		}
		if m.tag == "red" {
			smqPush{
				topic: "orders", subscription: "red", id: reply.MessageId, message: m.body, tag: m.tag, format: "XML", target: "/notifications",
			}.check(t, red, red.next())
		}
	}
	red.nothingMore(200 * time.Millisecond)

	_, err := ali_mns.NewMNSTopic("unknown", client).PublishMessage(ali_mns.MessagePublishRequest{MessageBody: "m"})
	if !ali_mns.ERR_MNS_TOPIC_NOT_EXIST.IsEqual(err) {
		t.Errorf("publishing to an unknown topic: %v", err)
	}
	if err := ali_mns.NewMNSTopic("unknown", client).Subscribe("s", ali_mns.MessageSubsribeRequest{Endpoint: red.url}); !ali_mns.ERR_MNS_TOPIC_NOT_EXIST.IsEqual(err) {
		t.Errorf("subscribing to an unknown topic: %v", err)
	}
	_, err = topic.PublishMessage(ali_mns.MessagePublishRequest{MessageBody: strings.Repeat("m", 65537)})
	if !ali_mns.ERR_MNS_INVALID_ARGUMENT.IsEqual(err) {
		t.Errorf("publishing too much: %v", err)
	}
}

// mnsReply is a reply as @alicloud/mns and @aliyunmq/mq-http-sdk return it.
type mnsReply struct {
	Code      int               `json:"code"`
	RequestID string            `json:"requestId"`
	Headers   map[string]string `json:"headers"`
	Body      map[string]string `json:"body"`
}

func TestSMQAlicloudNode(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := nodeProgram{file: "mns.js", url: server.url}
	replies := client.run(t,
		step{"op": "createTopic", "topic": "orders", "attributes": step{"LoggingEnabled": "False"}},
		step{"op": "createTopic", "topic": "orders", "attributes": step{"LoggingEnabled": "False"}},
		step{"op": "createTopic", "topic": "orders", "attributes": step{"MaximumMessageSize": 1024}},
		step{"op": "publish", "topic": "unknown", "body": "m"},
	)
	created := decode[mnsReply](t, "createTopic", replies[0])
	same(t, "status of createTopic", created.Code, 201)
	same(t, "Location", created.Headers["location"], server.url+"/topics/orders")
	same(t, "status of the second createTopic", decode[mnsReply](t, "createTopic", replies[1]).Code, 204)
	same(t, "createTopic with other attributes", failed(t, "createTopic", replies[2]).Name, "MNSTopicAlreadyExistError")
	same(t, "publish to an unknown topic", failed(t, "publish", replies[3]).Name, "MNSTopicNotExistError")

	// The SDK's calls for subscriptions are empty.
	endpoints := map[string]*endpoint{}
	for _, format := range []string{"XML", "JSON", "SIMPLIFIED"} {
		endpoints[format] = hooks.at("/" + format)
		server.subscribe("orders", "as-"+format, settings{Kind: "smq", Endpoint: endpoints[format].url, Envelope: strings.ToLower(format)})
	}
	replies = client.run(t,
		step{"op": "publish", "topic": "orders", "body": awkward, "tag": "red"},
		step{"op": "publish", "topic": "orders", "body": "ping"},
	)
	for i, m := range []struct{ body, tag string }{{awkward, "red"}, {"ping", ""}} {
		reply := decode[mnsReply](t, "publishMessage", replies[i])
		same(t, "status of publishMessage", reply.Code, 201)
		same(t, "MessageBodyMD5", reply.Body["MessageBodyMD5"], md5Upper(m.body))
		matches(t, "MessageId", reply.Body["MessageId"], smqIDForm)
		for format, e := range endpoints {
			want := smqPush{topic: "orders", subscription: "as-" + format, id: reply.Body["MessageId"], message: m.body, tag: m.tag, format: format}
			want.check(t, e, e.byID(want.id, 2))
		}
	}
}

// byID waits until n pushes have come and returns the one of a message, by its header x-mns-message-id. The pushes
// of a subscription may overtake each other.
func (e *endpoint) byID(id string, n int) *push {
	e.t.Helper()
	var found *push
	var kept []*push
	for range n {
		p := e.next()
		kept = append(kept, p)
		if p.header(e.t, "x-mns-message-id") == id {
			found = p
		}
	}
	for _, p := range kept {
		e.pushes <- p
	}
	if found == nil {
		e.t.Fatalf("message %s did not come to %s", id, e.url)
	}
	return found
}

func TestSMQAliMNSNode(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := nodeProgram{file: "ali-mns.js", url: server.url, env: []string{"HTTP_PROXY=" + server.url, "http_proxy=" + server.url, "NO_PROXY=", "no_proxy="}}
	all, red := hooks.at("/all"), hooks.at("/red")
	replies := client.run(t,
		step{"op": "createTopic", "topic": "orders"},
		step{"op": "createTopic", "topic": "orders"},
		step{"op": "subscribe", "topic": "orders", "name": "all", "endpoint": all.url, "format": "JSON"},
		step{"op": "subscribe", "topic": "orders", "name": "red", "endpoint": red.url, "format": "XML", "tag": "red"},
		step{"op": "publish", "topic": "orders", "body": awkward, "base64": true, "tag": "red"},
		step{"op": "publish", "topic": "orders", "body": plane0, "base64": false, "tag": "blue"},
		step{"op": "publish", "topic": "unknown", "body": "m", "base64": false},
	)
	for i, status := range []int{201, 204, 201, 201} {
		same(t, "status of step "+strconv.Itoa(i), decode[int](t, "step "+strconv.Itoa(i), replies[i]), status)
	}
	type published struct {
		Message struct{ MessageId, MessageBodyMD5 string }
	}
	// The SDK knows base64 as the form of texts; the service does not look into it.
	for i, m := range []struct{ body, tag string }{{toBase64(awkward), "red"}, {plane0, "blue"}} {
		reply := decode[published](t, "publishP", replies[4+i]).Message
		same(t, "MessageBodyMD5", reply.MessageBodyMD5, md5Upper(m.body))
		smqPush{topic: "orders", subscription: "all", id: reply.MessageId, message: m.body, tag: m.tag, format: "JSON"}.check(t, all, all.byID(reply.MessageId, 2))
		if m.tag == "red" {
			smqPush{topic: "orders", subscription: "red", id: reply.MessageId, message: m.body, tag: m.tag, format: "XML"}.check(t, red, red.next())
		}
	}
	red.nothingMore(200 * time.Millisecond)
	same(t, "publish to an unknown topic", failed(t, "publishP", replies[6]).Code, "TopicNotExist")
	var reply struct{ Error map[string]json.RawMessage }
	must(t, "the error's reply", json.Unmarshal([]byte(failed(t, "publishP", replies[6]).Message), &reply))
	for _, name := range []string{"Code", "Message", "RequestId", "HostId"} {
		if len(reply.Error[name]) == 0 {
			t.Errorf("the error has no %s: %v", name, reply.Error)
		}
	}
}
