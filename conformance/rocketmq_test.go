package conformance

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	mq "github.com/aliyunmq/mq-http-go-sdk"
	"github.com/gogap/errors"
)

// Source: RocketMQ HTTP reference, "Send messages", "Scheduled messages", "Transactional messages". The protocol has
// no push: what was sent is looked at through subscriptions of the other kinds.

const (
	mqInstance = "MQ_INST_1_x"
	mqGroup    = "GID_conformance"
)

func mqClient(p *program) mq.MQClient {
	return mq.NewAliyunMQClient(p.url, "ak-demo", "sk-demo", "")
}

func toBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// mqTopic makes a topic, and subscriptions that show everything of a message: its bytes and tag, and its properties.
func mqTopic(server *program, hooks *subscriber, name string) (bytes, document *endpoint) {
	server.topic(name)
	bytes, document = hooks.at("/bytes"), hooks.at("/document")
	server.subscribe(name, "bytes", settings{Kind: "smq", Endpoint: bytes.url, Envelope: "simplified"})
	server.subscribe(name, "document", settings{Kind: "sns", Endpoint: document.url, Envelope: "json"})
	return bytes, document
}

// checkMQ compares what arrived of one message at both endpoints of mqTopic. Properties are the attributes of the
// document, all of them of the type String.
func checkMQ(t testing.TB, bytes, document *push, id, body, tag string, properties map[string]string) {
	t.Helper()
	same(t, "the body", bytes.Body, body)
	same(t, "the message's id", bytes.header(t, "x-mns-message-id"), id)
	if tag != "" {
		same(t, "the tag", bytes.header(t, "x-mns-message-tag"), tag)
	}
	members := objectMembers(t, document.Body)
	same(t, "the text", value(t, members, "Message"), body)
	same(t, "the document's id", plainID(value(t, members, "MessageId")), plainID(id))
	if len(properties) == 0 {
		return
	}
	attributes := map[string]map[string]string{}
	for name, value := range properties {
		attributes[name] = map[string]string{"Type": "String", "Value": value}
	}
	same(t, "the properties", value(t, members, "MessageAttributes"), canonical(t, attributes))
}

func TestRocketMQGo(t *testing.T) {
	server, hooks := start(t), listen(t)
	bytes, document := mqTopic(server, hooks, "orders")
	producer := mqClient(server).GetProducer(mqInstance, "orders")

	reply, err := producer.PublishMessage(mq.PublishMessageRequest{
		MessageBody: awkward, MessageTag: "red", MessageKey: "key 1", ShardingKey: "shard-ü",
		Properties: map[string]string{"color": "blue", "größe": "1=1;2 /✓"},
	})
	must(t, "PublishMessage", err)
	matches(t, "MessageId", reply.MessageId, upperHexForm)
	matches(t, "x-mq-request-id", reply.RequestId, `[0-9A-F]{24}`)
	same(t, "MessageBodyMD5", reply.MessageBodyMD5, md5Upper(awkward))
	same(t, "status and handle", []string{reply.Code, reply.ReceiptHandle}, []string{"201", ""})
	checkMQ(t, bytes.next(), document.next(), reply.MessageId, awkward, "red", map[string]string{
		"color": "blue", "größe": "1=1;2 /✓", "KEYS": "key 1", "__SHARDINGKEY": "shard-ü",
	})

	// Without an instance, tag or property.
	reply, err = mqClient(server).GetProducer("", "orders").PublishMessage(mq.PublishMessageRequest{MessageBody: "bare"})
	must(t, "PublishMessage without an instance", err)
	checkMQ(t, bytes.next(), document.next(), reply.MessageId, "bare", "", nil)

	_, err = mqClient(server).GetProducer(mqInstance, "unknown").PublishMessage(mq.PublishMessageRequest{MessageBody: "m"})
	if !mq.ErrMqServer.IsEqual(err) || !strings.Contains(err.Error(), "code: TopicNotExist") {
		t.Errorf("publishing to an unknown topic: %v", err)
	}
}

// scheduled checks that nothing came before its time, by the clock that the sender read too, and nothing much later.
func scheduled(t testing.TB, p *push, due int64) {
	t.Helper()
	if late := p.At.UnixMilli() - due; late < 0 || late > 5000 {
		t.Errorf("a message due at %d arrived %d ms later", due, late)
	}
}

func TestRocketMQGoScheduled(t *testing.T) {
	server, hooks := start(t), listen(t)
	bytes, document := mqTopic(server, hooks, "orders")
	producer := mqClient(server).GetProducer(mqInstance, "orders")

	due := time.Now().Add(2 * time.Second).UnixMilli()
	reply, err := producer.PublishMessage(mq.PublishMessageRequest{MessageBody: "later", StartDeliverTime: due})
	must(t, "PublishMessage", err)
	now, err := producer.PublishMessage(mq.PublishMessageRequest{MessageBody: "now", StartDeliverTime: due - 3600_000})
	must(t, "PublishMessage for the past", err)
	same(t, "what arrived first", bytes.next().header(t, "x-mns-message-id"), now.MessageId)
	same(t, "what arrived first", plainID(value(t, objectMembers(t, document.next().Body), "MessageId")), plainID(now.MessageId))
	p := bytes.next()
	scheduled(t, p, due)
	checkMQ(t, p, document.next(), reply.MessageId, "later", "", map[string]string{"__STARTDELIVERTIME": strconv.FormatInt(due, 10)})
}

func TestRocketMQGoTransactions(t *testing.T) {
	server, hooks := start(t), listen(t)
	bytes, document := mqTopic(server, hooks, "orders")
	client := mqClient(server)
	producer := client.GetTransProducer(mqInstance, "orders", mqGroup)
	half := func(body string) mq.PublishMessageResponse {
		t.Helper()
		reply, err := producer.PublishMessage(mq.PublishMessageRequest{
			MessageBody: body, MessageTag: "red", Properties: map[string]string{"a": "1"}, TransCheckImmunityTime: 30,
		})
		must(t, "PublishMessage of a half", err)
		if reply.ReceiptHandle == "" {
			t.Fatalf("the half has no handle: %+v", reply)
		}
		same(t, "MessageBodyMD5", reply.MessageBodyMD5, md5Upper(body))
		return reply
	}
	committed, dropped, open := half("committed"), half("rolled back"), half("undecided")
	must(t, "Rollback", producer.Rollback(dropped.ReceiptHandle))

	// What comes before the commit is a message that was sent after all of them.
	fence, err := client.GetProducer(mqInstance, "orders").PublishMessage(mq.PublishMessageRequest{MessageBody: "fence"})
	must(t, "PublishMessage", err)
	checkMQ(t, bytes.next(), document.next(), fence.MessageId, "fence", "", nil)
	bytes.nothingMore(200 * time.Millisecond)

	must(t, "Commit", producer.Commit(committed.ReceiptHandle))
	checkMQ(t, bytes.next(), document.next(), committed.MessageId, "committed", "red", map[string]string{"a": "1", "__TransCheckT": "30"})

	// A handle is good once.
	for what, err := range map[string]error{
		"committing twice":             producer.Commit(committed.ReceiptHandle),
		"committing after a rollback":  producer.Commit(dropped.ReceiptHandle),
		"rolling back twice":           producer.Rollback(dropped.ReceiptHandle),
		"rolling back after a commit":  producer.Rollback(committed.ReceiptHandle),
		"committing what was not sent": producer.Commit("nonsense"),
	} {
		if !mq.ErrAckMessage.IsEqual(err) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		items, ok := err.(errors.ErrCode).Context()["Detail"].([]mq.ErrAckItem)
		if !ok || len(items) != 1 || items[0].ErrorCode != "ReceiptHandleError" && items[0].ErrorCode != "MessageNotExist" || items[0].ErrorMsg == "" || items[0].ErrorHandle == "" {
			t.Errorf("%s: %+v", what, err.(errors.ErrCode).Context())
		}
	}
	must(t, "Rollback", producer.Rollback(open.ReceiptHandle))
	bytes.nothingMore(500 * time.Millisecond)
	document.nothingMore(0)
}

func TestRocketMQNode(t *testing.T) {
	server, hooks := start(t), listen(t)
	bytes, document := mqTopic(server, hooks, "orders")
	client := nodeProgram{file: "mq.js", url: server.url}
	due := time.Now().Add(4 * time.Second).UnixMilli()
	replies := client.run(t,
		step{"op": "publish", "topic": "orders", "body": awkward, "tag": "red", "key": "key 1", "shardingKey": "s", "properties": step{"color": "blue"}},
		step{"op": "publish", "topic": "orders", "body": "later", "startDeliverTime": due},
		step{"op": "half", "topic": "orders", "body": "committed", "tag": "red", "checkSeconds": 30},
		step{"op": "half", "topic": "orders", "body": "rolled back", "checkSeconds": 30},
		step{"op": "publish", "topic": "unknown", "body": "m"},
		step{"op": "publish", "topic": "orders", "body": "ends a section: ]]>"},
	)
	reply := func(i int) mnsReply {
		t.Helper()
		r := decode[mnsReply](t, "step "+strconv.Itoa(i), replies[i])
		same(t, "status", r.Code, 201)
		matches(t, "x-mq-request-id", r.RequestID, `[0-9A-F]{24}`)
		return r
	}
	first, later, committed, dropped := reply(0), reply(1), reply(2), reply(3)
	checkMQ(t, bytes.next(), document.next(), first.Body["MessageId"], awkward, "red", map[string]string{"color": "blue", "KEYS": "key 1", "__SHARDINGKEY": "s"})
	same(t, "MessageBodyMD5", first.Body["MessageBodyMD5"], md5Upper(awkward))
	same(t, "publish to an unknown topic", failed(t, "publish", replies[4]).Code, "TopicNotExist")
	// The SDK puts texts into CDATA sections as they are.
	same(t, "a text that ends its own section", failed(t, "publish", replies[5]).Code, "MalformedXML")
	p := bytes.next()
	scheduled(t, p, due)
	checkMQ(t, p, document.next(), later.Body["MessageId"], "later", "", map[string]string{"__STARTDELIVERTIME": strconv.FormatInt(due, 10)})

	replies = client.run(t,
		step{"op": "rollback", "topic": "orders", "handle": dropped.Body["ReceiptHandle"]},
		step{"op": "commit", "topic": "orders", "handle": committed.Body["ReceiptHandle"]},
		step{"op": "commit", "topic": "orders", "handle": dropped.Body["ReceiptHandle"]},
	)
	type ended struct {
		Code int `json:"code"`
		Body []struct{ ErrorCode, ErrorMessage, ReceiptHandle string }
	}
	same(t, "status of the rollback", decode[ended](t, "rollback", replies[0]).Code, 204)
	same(t, "status of the commit", decode[ended](t, "commit", replies[1]).Code, 204)
	checkMQ(t, bytes.next(), document.next(), committed.Body["MessageId"], "committed", "red", map[string]string{"__TransCheckT": "30"})
	twice := decode[ended](t, "commit after the rollback", replies[2])
	if twice.Code != 404 || len(twice.Body) != 1 || twice.Body[0].ReceiptHandle != dropped.Body["ReceiptHandle"] || twice.Body[0].ErrorMessage == "" ||
		twice.Body[0].ErrorCode != "ReceiptHandleError" && twice.Body[0].ErrorCode != "MessageNotExist" {
		t.Errorf("commit after the rollback: %+v", twice)
	}
	bytes.nothingMore(500 * time.Millisecond)
	document.nothingMore(0)
}
