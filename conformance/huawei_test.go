package conformance

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2"
	dmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/rocketmq/v2/model"
	smn "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/smn/v2"
	smnmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/smn/v2/model"
)

// Source: SMN user guide, "HTTP/HTTPS messages", order of the members as captured; SMN and DMS for RocketMQ API
// references.

const (
	huaweiProject = "0123456789abcdef0123456789abcdef"
	dmsInstance   = "3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c"
	smnURN        = "urn:smn:eu-de:" + huaweiProject + ":"
)

func ptr[T any](v T) *T { return &v }

func huaweiCredentials(t testing.TB) *basic.Credentials {
	t.Helper()
	c, err := basic.NewCredentialsBuilder().WithProjectId(huaweiProject).WithAk("TESTAK").WithSk("TESTSK").SafeBuild()
	must(t, "credentials", err)
	return c
}

func smnClient(t testing.TB, p *program) *smn.SmnClient {
	t.Helper()
	c, err := smn.SmnClientBuilder().WithEndpoint(p.url).WithCredential(huaweiCredentials(t)).WithHttpConfig(config.DefaultHttpConfig()).SafeBuild()
	must(t, "SMN client", err)
	return smn.NewSmnClient(c)
}

func dmsClient(t testing.TB, p *program) *dms.RocketMQClient {
	t.Helper()
	c, err := dms.RocketMQClientBuilder().WithEndpoint(p.url).WithCredential(huaweiCredentials(t)).WithHttpConfig(config.DefaultHttpConfig()).SafeBuild()
	must(t, "DMS client", err)
	return dms.NewRocketMQClient(c)
}

var smnSignature = []string{"signature", "signature_version", "signing_cert_url"}

// smnHeaders checks the headers of a push that the service documents, and those its subscription asked for.
func smnHeaders(t testing.TB, p *push, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name, value := range p.headers(t) {
		if strings.HasPrefix(strings.ToLower(name), "x-") {
			got[name] = value
		}
	}
	same(t, "the headers", got, want)
	matches(t, "Content-Type", p.header(t, "Content-Type"), `(?i)application/json; ?charset=utf-8`)
}

// smnMembers returns the members of a push, unsigned, after checking the form of those that vary.
func smnMembers(t testing.TB, p *push) (members []member, id, at string) {
	t.Helper()
	members = unsigned(t, objectMembers(t, p.Body), smnSignature...)
	id, at = value(t, members, "message_id"), value(t, members, "timestamp")
	matches(t, "message_id", id, hexForm)
	recent(t, "timestamp", at, "2006-01-02T15:04:05Z")
	return members, id, at
}

// checkSMN compares a notification.
func checkSMN(t testing.TB, server *program, p *push, subscriptionURN, id, subject, message string, extra map[string]string) {
	t.Helper()
	members, _, at := smnMembers(t, p)
	topicURN := subscriptionURN[:strings.LastIndexByte(subscriptionURN, ':')]
	var want []member
	if subject != "" {
		want = append(want, member{"subject", subject})
	}
	want = append(want,
		member{"topic_urn", topicURN}, member{"message_id", id}, member{"type", "Notification"}, member{"message", message},
		member{"unsubscribe_url", server.url + "/smn/subscription/unsubscribe?region=eu-de&region_id=eu-de&subscription_urn=" + subscriptionURN},
		member{"timestamp", at})
	same(t, "the notification", members, want)
	headers := map[string]string{
		"X-SMN-MESSAGE-TYPE": "Notification", "X-SMN-MESSAGE-ID": id, "X-SMN-TOPIC-URN": topicURN, "X-SMN-SUBSCRIPTION-URN": subscriptionURN,
	}
	for name, value := range extra {
		headers[name] = value
	}
	smnHeaders(t, p, headers)
}

func TestSMNGo(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := smnClient(t, server)
	hook := hooks.atDefault("/in?k=1", "/in")
	const urn = smnURN + "orders"

	for _, status := range []int{http.StatusCreated, http.StatusOK} {
		topic, err := client.CreateTopic(&smnmodel.CreateTopicRequest{Body: &smnmodel.CreateTopicRequestBody{Name: "orders", DisplayName: "Order desk"}})
		must(t, "CreateTopic", err)
		same(t, "status of CreateTopic", topic.HttpStatusCode, status)
		same(t, "topic_urn", *topic.TopicUrn, urn)
		matches(t, "request_id", *topic.RequestId, hexForm)
	}

	extra := map[string]string{"x-tenant": "blue green", "X-Other-One": "2"}
	add := &smnmodel.AddSubscriptionRequest{TopicUrn: urn, Body: &smnmodel.AddSubscriptionRequestBody{
		Protocol: "http", Endpoint: hook.url, Remark: ptr("billing"), Extension: &smnmodel.SubscriptionExtension{Header: extra},
	}}
	added, err := client.AddSubscription(add)
	must(t, "AddSubscription", err)
	same(t, "status of AddSubscription", added.HttpStatusCode, http.StatusCreated)
	subscription := *added.SubscriptionUrn
	matches(t, "subscription_urn", subscription, urn+":"+hexForm)

	p := hook.next()
	same(t, "method and target", p.Method+" "+p.Target, "POST /in?k=1")
	members, id, at := smnMembers(t, p)
	link := value(t, members, "subscribe_url")
	token := queryOf(t, link, "token")
	matches(t, "token", token, huaweiProject+`[0-9a-f]{128}`)
	same(t, "the confirmation", members, []member{
		{"subscribe_url", server.url + "/smn/subscription/confirm?token=" + token + "&topic_urn=" + urn + "&region=eu-de&region_id=eu-de"},
		{"topic_urn", urn},
		{"message_id", id},
		{"type", "SubscriptionConfirmation"},
		{"message", "You are invited to subscribe to topic: " + urn + ". To confirm this subscription, please visit the subscribe_url included in this message. The subscribe_url is valid only within 48 hours."},
		{"timestamp", at},
	})
	smnHeaders(t, p, map[string]string{"X-SMN-MESSAGE-TYPE": "SubscriptionConfirmation", "X-SMN-MESSAGE-ID": id, "X-SMN-TOPIC-URN": urn})

	publish := func(body smnmodel.PublishMessageRequestBody) string {
		t.Helper()
		reply, err := client.PublishMessage(&smnmodel.PublishMessageRequest{TopicUrn: urn, Body: &body})
		must(t, "PublishMessage", err)
		same(t, "status of PublishMessage", reply.HttpStatusCode, http.StatusOK)
		matches(t, "message_id", *reply.MessageId, hexForm)
		matches(t, "request_id", *reply.RequestId, hexForm)
		return *reply.MessageId
	}
	publish(smnmodel.PublishMessageRequestBody{Message: ptr("before the confirmation")})
	var confirmed struct {
		RequestID string `json:"request_id"`
		URN       string `json:"subscription_urn"`
	}
	reply := get(t, link)
	must(t, "the reply of the confirmation", json.Unmarshal([]byte(reply), &confirmed))
	same(t, "subscription_urn", confirmed.URN, subscription)
	matches(t, "request_id", confirmed.RequestID, hexForm)
	again, err := client.AddSubscription(add)
	must(t, "AddSubscription again", err)
	same(t, "AddSubscription again", []string{strconv.Itoa(again.HttpStatusCode), *again.SubscriptionUrn}, []string{"200", subscription})

	message := publish(smnmodel.PublishMessageRequestBody{Subject: ptr("greeting <&> ü"), Message: ptr(awkward), TimeToLive: ptr("3600")})
	checkSMN(t, server, hook.next(), subscription, message, "greeting <&> ü", awkward, extra)
	message = publish(smnmodel.PublishMessageRequestBody{Message: ptr(`{"json":"in a string"}`)})
	checkSMN(t, server, hook.next(), subscription, message, "", `{"json":"in a string"}`, extra)
	message = publish(smnmodel.PublishMessageRequestBody{
		Subject: ptr("by protocol"), Message: ptr("not this"), MessageStructure: ptr(`{"default":"for all","http":"for {\"http\":1} <b>","https":"no"}`),
	})
	checkSMN(t, server, hook.next(), subscription, message, "by protocol", `for {"http":1} <b>`, extra)
	hook.nothingMore(200 * time.Millisecond)
}

// serviceError checks an error as the SDK parsed it.
func serviceError(t testing.TB, what string, err error, status int, codes ...string) *sdkerr.ServiceResponseError {
	t.Helper()
	var e *sdkerr.ServiceResponseError
	if !errors.As(err, &e) {
		t.Fatalf("%s: %T: %v", what, err, err)
	}
	same(t, what+": status", e.StatusCode, status)
	matches(t, what+": code", e.ErrorCode, strings.ReplaceAll(strings.Join(codes, "|"), ".", `\.`))
	matches(t, what+": request id", e.RequestId, hexForm)
	if e.ErrorMessage == "" {
		t.Errorf("%s: no text", what)
	}
	return e
}

func TestSMNGoErrors(t *testing.T) {
	server := start(t)
	client := smnClient(t, server)
	unknown := smnURN + "unknown"
	_, err := client.PublishMessage(&smnmodel.PublishMessageRequest{TopicUrn: unknown, Body: &smnmodel.PublishMessageRequestBody{Message: ptr("m")}})
	e := serviceError(t, "publishing to an unknown topic", err, http.StatusNotFound, "SMN.0006")
	same(t, "text", e.ErrorMessage, "Topic not found.")
	_, err = client.AddSubscription(&smnmodel.AddSubscriptionRequest{TopicUrn: unknown, Body: &smnmodel.AddSubscriptionRequestBody{Protocol: "http", Endpoint: "http://127.0.0.1:9/"}})
	serviceError(t, "subscribing to an unknown topic", err, http.StatusNotFound, "SMN.0006")

	_, err = client.CreateTopic(&smnmodel.CreateTopicRequest{Body: &smnmodel.CreateTopicRequestBody{Name: "no spaces"}})
	serviceError(t, "a bad name", err, http.StatusBadRequest, "SMN.0002")
	topic, err := client.CreateTopic(&smnmodel.CreateTopicRequest{Body: &smnmodel.CreateTopicRequestBody{Name: "orders"}})
	must(t, "CreateTopic", err)
	publish := func(body smnmodel.PublishMessageRequestBody) error {
		_, err := client.PublishMessage(&smnmodel.PublishMessageRequest{TopicUrn: *topic.TopicUrn, Body: &body})
		return err
	}
	serviceError(t, "a long subject", publish(smnmodel.PublishMessageRequestBody{Subject: ptr(strings.Repeat("s", 513)), Message: ptr("m")}), http.StatusForbidden, "SMN.0008")
	serviceError(t, "a long message", publish(smnmodel.PublishMessageRequestBody{Message: ptr(strings.Repeat("m", 262145))}), http.StatusForbidden, "SMN.0009")
	serviceError(t, "no default text", publish(smnmodel.PublishMessageRequestBody{MessageStructure: ptr(`{"http":"h"}`)}), http.StatusBadRequest, "SMN.0021")
}

func TestDMSGo(t *testing.T) {
	server, hooks := start(t), listen(t)
	client := dmsClient(t, server)
	created, err := client.CreateTopicOrBatchDeleteTopic(&dmsmodel.CreateTopicOrBatchDeleteTopicRequest{
		InstanceId: dmsInstance, Body: &dmsmodel.CreateTopicOrBatchDeleteTopicReq{Name: ptr("orders")},
	})
	must(t, "CreateTopicOrBatchDeleteTopic", err)
	same(t, "id", *created.Id, "orders")

	// The service has no push of its own: bytes and id through a webhook, tag by a filter, properties as attributes.
	hook, paid, document := hooks.at("/hook"), hooks.at("/paid"), hooks.at("/document")
	server.subscribe("orders", "hook", settings{Kind: "webhook", Endpoint: hook.url, Envelope: "raw"})
	server.subscribe("orders", "paid", settings{Kind: "smq", Endpoint: paid.url, Envelope: "simplified", FilterTag: "paid"})
	server.subscribe("orders", "document", settings{Kind: "sns", Endpoint: document.url, Envelope: "json"})

	properties := &[]dmsmodel.SendMessageProperties{{Name: ptr("KEYS"), Value: ptr("o-42 o-43")}, {Name: ptr("TAGS"), Value: ptr("paid")}}
	type reply struct {
		Topic, Body, MsgID, BrokerName string
		QueueID, QueueOffset           float32
		Properties                     []dmsmodel.SendMessageProperties
	}
	send := map[string]func(body *dmsmodel.SendMessageReq) reply{}
	styleA := func(engine string) func(body *dmsmodel.SendMessageReq) reply {
		return func(body *dmsmodel.SendMessageReq) reply {
			r, err := client.SendMessage(&dmsmodel.SendMessageRequest{Engine: engine, InstanceId: dmsInstance, Body: body})
			must(t, "SendMessage "+engine, err)
			same(t, "status", r.HttpStatusCode, http.StatusOK)
			return reply{*r.Topic, *r.Body, *r.MsgId, *r.BrokerName, r.QueueId, r.QueueOffset, *r.PropertyList}
		}
	}
	send["style A, rocketmq"] = styleA("rocketmq")
	send["style A, reliability"] = styleA("reliability")
	send["style B"] = func(body *dmsmodel.SendMessageReq) reply {
		r, err := client.SendMessageForRocketMq(&dmsmodel.SendMessageForRocketMqRequest{InstanceId: dmsInstance, Body: body})
		must(t, "SendMessageForRocketMq", err)
		same(t, "status", r.HttpStatusCode, http.StatusOK)
		return reply{*r.Topic, *r.Body, *r.MsgId, *r.BrokerName, r.QueueId, r.QueueOffset, *r.PropertyList}
	}
	for i, style := range []string{"style A, rocketmq", "style A, reliability", "style B"} {
		got := send[style](&dmsmodel.SendMessageReq{Topic: "orders", Body: awkward + style, PropertyList: properties})
		matches(t, "msg_id", got.MsgID, upperHexForm)
		same(t, "the reply, "+style, got, reply{
			Topic: "orders", Body: awkward + style, MsgID: got.MsgID, BrokerName: "broker-0", QueueID: 0, QueueOffset: float32(i),
			Properties: append((*properties)[:2:2], dmsmodel.SendMessageProperties{Name: ptr("UNIQ_KEY"), Value: ptr(got.MsgID)}),
		})
		p := hook.next()
		same(t, "the body, "+style, p.Body, awkward+style)
		same(t, "the message's id, "+style, plainID(p.header(t, "Fanfare-Message-Id")), plainID(got.MsgID))
		checkMQ(t, paid.next(), document.next(), got.MsgID, awkward+style, "paid", map[string]string{"KEYS": "o-42 o-43", "TAGS": "paid"})
	}
	// No properties at all, and none in the list.
	for _, list := range []*[]dmsmodel.SendMessageProperties{nil, {}} {
		got := send["style B"](&dmsmodel.SendMessageReq{Topic: "orders", Body: "bare", PropertyList: list})
		same(t, "the properties", got.Properties, []dmsmodel.SendMessageProperties{{Name: ptr("UNIQ_KEY"), Value: ptr(got.MsgID)}})
		same(t, "the body", hook.next().Body, "bare")
	}
	paid.nothingMore(200 * time.Millisecond)

	_, err = client.SendMessage(&dmsmodel.SendMessageRequest{Engine: "rocketmq", InstanceId: dmsInstance, Body: &dmsmodel.SendMessageReq{Topic: "unknown", Body: "m"}})
	// Which of the two codes the service has for it is not published.
	serviceError(t, "sending to an unknown topic", err, http.StatusBadRequest, "DMS.00050004", "DMS.00400876")
	_, err = client.SendMessage(&dmsmodel.SendMessageRequest{Engine: "kafka", InstanceId: dmsInstance, Body: &dmsmodel.SendMessageReq{Topic: "orders", Body: "m"}})
	serviceError(t, "an engine that does not exist", err, http.StatusBadRequest, "DMS.00400007")
}
