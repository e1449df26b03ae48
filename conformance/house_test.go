package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ali_mns "github.com/aliyun/aliyun-mns-go-sdk"
	mq "github.com/aliyunmq/mq-http-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	dmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2/model"
	smnmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/smn/v2/model"
)

// publisher publishes to the topic "orders" with one SDK and returns the id it was told.
type publisher struct {
	name    string
	publish func(t testing.TB, server *program, body string) string
}

// goPublishers are the SDKs for Go, and the native API.
var goPublishers = []publisher{
	{"aws-sdk-go-v2", func(t testing.TB, server *program, body string) string {
		reply, err := snsClient(server).Publish(t.Context(), &sns.PublishInput{TopicArn: &ordersARN, Message: &body})
		must(t, "Publish", err)
		return *reply.MessageId
	}},
	{"aliyun-mns-go-sdk", func(t testing.TB, server *program, body string) string {
		reply, err := ali_mns.NewMNSTopic("orders", smqClient(server)).PublishMessage(ali_mns.MessagePublishRequest{MessageBody: body})
		must(t, "PublishMessage", err)
		return reply.MessageId
	}},
	{"mq-http-go-sdk", func(t testing.TB, server *program, body string) string {
		reply, err := mqClient(server).GetProducer(mqInstance, "orders").PublishMessage(mq.PublishMessageRequest{MessageBody: body})
		must(t, "PublishMessage", err)
		return reply.MessageId
	}},
	{"huaweicloud-sdk-go-v3 smn", func(t testing.TB, server *program, body string) string {
		reply, err := smnClient(t, server).PublishMessage(&smnmodel.PublishMessageRequest{
			TopicUrn: smnURN + "orders", Body: &smnmodel.PublishMessageRequestBody{Message: &body},
		})
		must(t, "PublishMessage", err)
		return *reply.MessageId
	}},
	{"huaweicloud-sdk-go-v3 rocketmq", func(t testing.TB, server *program, body string) string {
		reply, err := dmsClient(t, server).SendMessage(&dmsmodel.SendMessageRequest{
			Engine: "rocketmq", InstanceId: dmsInstance, Body: &dmsmodel.SendMessageReq{Topic: "orders", Body: body},
		})
		must(t, "SendMessage", err)
		return *reply.MsgId
	}},
	{"native", func(t testing.TB, server *program, body string) string {
		return value(t, objectMembers(t, server.call("POST", "/v1/topics/orders/messages", body, 200, 201)), "id")
	}},
}

// nodePublishers are the SDKs for Node.js.
var nodePublishers = []publisher{
	{"@aws-sdk/client-sns", func(t testing.TB, server *program, body string) string {
		replies := nodeProgram{file: "sns.js", url: server.url}.run(t, step{"op": "publish", "input": step{"TopicArn": ordersARN, "Message": body}})
		return *decode[sns.PublishOutput](t, "publish", replies[0]).MessageId
	}},
	{"@alicloud/mns", func(t testing.TB, server *program, body string) string {
		replies := nodeProgram{file: "mns.js", url: server.url}.run(t, step{"op": "publish", "topic": "orders", "body": body})
		return decode[mnsReply](t, "publish", replies[0]).Body["MessageId"]
	}},
	{"ali-mns", func(t testing.TB, server *program, body string) string {
		client := nodeProgram{file: "ali-mns.js", url: server.url, env: []string{"HTTP_PROXY=" + server.url, "http_proxy=" + server.url, "NO_PROXY=", "no_proxy="}}
		replies := client.run(t, step{"op": "publish", "topic": "orders", "body": body, "base64": false})
		return decode[struct{ Message struct{ MessageId string } }](t, "publish", replies[0]).Message.MessageId
	}},
	{"@aliyunmq/mq-http-sdk", func(t testing.TB, server *program, body string) string {
		replies := nodeProgram{file: "mq.js", url: server.url}.run(t, step{"op": "publish", "topic": "orders", "body": body})
		return decode[mnsReply](t, "publish", replies[0]).Body["MessageId"]
	}},
}

// TestOneTopic: a topic is one topic under all the APIs.
func TestOneTopic(t *testing.T) {
	server, hooks := start(t), listen(t)
	server.topic("orders")

	// Every cloud finds it there.
	created, err := snsClient(server).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic of SNS", err)
	same(t, "TopicArn", *created.TopicArn, ordersARN)
	if err := ali_mns.NewMNSTopicManager(smqClient(server)).CreateSimpleTopic("orders"); !ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST_AND_HAVE_SAME_ATTR.IsEqual(err) {
		t.Errorf("CreateSimpleTopic of SMQ: %v", err)
	}
	topic, err := smnClient(t, server).CreateTopic(&smnmodel.CreateTopicRequest{Body: &smnmodel.CreateTopicRequestBody{Name: "orders"}})
	must(t, "CreateTopic of SMN", err)
	same(t, "status of CreateTopic of SMN", topic.HttpStatusCode, 200)
	_, err = dmsClient(t, server).CreateTopicOrBatchDeleteTopic(&dmsmodel.CreateTopicOrBatchDeleteTopicRequest{
		InstanceId: dmsInstance, Body: &dmsmodel.CreateTopicOrBatchDeleteTopicReq{Name: ptr("orders")},
	})
	serviceError(t, "creating the topic of DMS", err, 400, "DMS.40050005")

	hook := hooks.at("/hook")
	server.subscribe("orders", "hook", settings{Kind: "webhook", Endpoint: hook.url, Envelope: "raw"})
	publishers := append(goPublishers[:len(goPublishers):len(goPublishers)], nodePublishers...)
	ids := map[string]string{} // by body
	for _, p := range publishers {
		body := plane0 + " by " + p.name
		ids[body] = p.publish(t, server, body)
	}
	sequences := map[string]string{}
	for body, p := range hook.collect(len(publishers)) {
		id, known := ids[body]
		if !known {
			t.Errorf("what arrived was not published: %q", body)
		}
		same(t, "the message's id in "+body, plainID(p.header(t, "Fanfare-Message-Id")), plainID(id))
		same(t, "the topic", p.header(t, "Fanfare-Topic"), "orders")
		sequences[p.header(t, "Fanfare-Sequence")] = body
	}
	// One topic has one sequence: there is no gap in it and nothing twice.
	for i := range publishers {
		if sequences[fmt.Sprint(i+1)] == "" {
			t.Errorf("no message has the sequence %d: %v", i+1, sequences)
		}
	}
	hook.nothingMore(200 * time.Millisecond)
}

// TestKill: what an SDK was told is accepted survives the death of the process before it was delivered.
func TestKill(t *testing.T) {
	hooks, data := listen(t), t.TempDir()
	hook := hooks.at("/hook")
	server := startOn(t, data)
	server.topic("orders")
	server.subscribe("orders", "hook", settings{Kind: "webhook", Endpoint: hook.url, Envelope: "raw", Retry: &retry{MinDelay: "50ms", MaxDelay: "500ms"}})
	hooks.status.Store(503)
	due := time.Now().Add(3 * time.Second).UnixMilli()
	ids := map[string]string{}
	for _, p := range goPublishers {
		body := "by " + p.name
		ids[body] = p.publish(t, server, body)
	}
	scheduledReply, err := mqClient(server).GetProducer(mqInstance, "orders").PublishMessage(mq.PublishMessageRequest{MessageBody: "scheduled", StartDeliverTime: due})
	must(t, "PublishMessage", err)
	ids["scheduled"] = scheduledReply.MessageId
	half, err := mqClient(server).GetTransProducer(mqInstance, "orders", mqGroup).PublishMessage(mq.PublishMessageRequest{MessageBody: "half", TransCheckImmunityTime: 300})
	must(t, "PublishMessage of a half", err)

	// The process dies when pushes have been refused.
	for deadline := time.Now().Add(patience); hooks.attempts.Load() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing was tried")
		}
		<-time.After(5 * time.Millisecond)
	}
	server.kill()
	hooks.drain() // what the dead process had written is refused as well
	hooks.status.Store(204)
	server = startOn(t, data)
	must(t, "Commit after the restart", mqClient(server).GetTransProducer(mqInstance, "orders", mqGroup).Commit(half.ReceiptHandle))
	ids["half"] = half.MessageId
	ids["after the restart"] = goPublishers[0].publish(t, server, "after the restart")

	arrived, again := hook.collectAtLeast(len(ids))
	// Delivery is at least once: what was in flight, or refused, when the process died may come again, as itself.
	for _, p := range again {
		same(t, "the message's id of "+p.Body+", the second time", plainID(p.header(t, "Fanfare-Message-Id")), plainID(ids[p.Body]))
	}
	t.Logf("%d of %d messages came again after the restart", len(again), len(ids))
	for body, id := range ids {
		p := arrived[body]
		if p == nil {
			t.Errorf("%q is missing", body)
			continue
		}
		same(t, "the message's id of "+body, plainID(p.header(t, "Fanfare-Message-Id")), plainID(id))
		if strings.HasPrefix(body, "scheduled") {
			scheduled(t, p, due)
		}
	}
}
