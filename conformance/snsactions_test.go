package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
)

// apiError checks the code and the text of an error.
func apiError(t testing.TB, what string, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("%s: %v is no error of the API", what, err)
		return
	}
	same(t, what, []string{api.ErrorCode(), api.ErrorMessage()}, []string{code, text})
}

func TestSNSGoTopicActions(t *testing.T) {
	server := start(t)
	client, ctx := snsClient(server), t.Context()
	attributes := map[string]string{"DisplayName": "Orders & <co>", "SignatureVersion": "2", "MaximumMessageSize": "1048576", "TracingConfig": "Active", "HTTPSuccessFeedbackSampleRate": "5"}
	protection := `{"Name":"p","Statement":[{"DataDirection":"Inbound"}]}`
	input := &sns.CreateTopicInput{
		Name: aws.String("orders"), Attributes: attributes, DataProtectionPolicy: &protection,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red & blue")}, {Key: aws.String("empty"), Value: aws.String("")}},
	}
	for range 2 {
		created, err := client.CreateTopic(ctx, input)
		must(t, "CreateTopic", err)
		same(t, "TopicArn", *created.TopicArn, ordersARN)
	}
	input.Tags[0].Value = aws.String("blue")
	_, err := client.CreateTopic(ctx, input)
	apiError(t, "CreateTopic with other tags", err, "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")

	got, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &ordersARN})
	must(t, "GetTopicAttributes", err)
	for name, value := range attributes {
		same(t, name, got.Attributes[name], value)
	}
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String(strings.Repeat("m", 1<<20))})
	must(t, "Publish of 1 MiB", err)
	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String(strings.Repeat("m", 1<<20+1))})
	apiError(t, "Publish of more", err, "InvalidParameter", "Invalid parameter: Message too long")
	_, err = client.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &ordersARN, AttributeName: aws.String("Policy"), AttributeValue: aws.String("{}")})
	apiError(t, "SetTopicAttributes with no policy", err, "InvalidParameter", "Invalid parameter: Policy Error: null")

	// Tags.
	_, err = client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &ordersARN, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("green")}}})
	must(t, "TagResource", err)
	_, err = client.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &ordersARN, TagKeys: []string{"empty", "never"}})
	must(t, "UntagResource", err)
	tags, err := client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &ordersARN})
	must(t, "ListTagsForResource", err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "team" || *tags.Tags[0].Value != "green" {
		t.Errorf("the tags are %+v", tags.Tags)
	}
	_, err = client.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: aws.String(snsARN + "unknown")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("ListTagsForResource of an unknown topic: %v", err)
	}
	many := make([]types.Tag, 50)
	for i := range many {
		many[i] = types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")}
	}
	_, err = client.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &ordersARN, Tags: many})
	var full *types.TagLimitExceededException
	if !errors.As(err, &full) {
		t.Errorf("TagResource with the 51st tag: %v", err)
	}

	// Permissions.
	_, err = client.AddPermission(ctx, &sns.AddPermissionInput{TopicArn: &ordersARN, Label: aws.String("l"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"Publish"}})
	must(t, "AddPermission", err)
	got, err = client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &ordersARN})
	must(t, "GetTopicAttributes", err)
	if statement := `{"Sid":"l","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SNS:Publish","Resource":"` + ordersARN + `"}]}`; !strings.HasSuffix(got.Attributes["Policy"], statement) {
		t.Errorf("the policy is %s", got.Attributes["Policy"])
	}
	_, err = client.AddPermission(ctx, &sns.AddPermissionInput{TopicArn: &ordersARN, Label: aws.String("l"), AWSAccountId: []string{"111122223333"}, ActionName: []string{"Publish"}})
	apiError(t, "AddPermission again", err, "InvalidParameter", "Invalid parameter: Statement already exists")
	for range 2 {
		_, err = client.RemovePermission(ctx, &sns.RemovePermissionInput{TopicArn: &ordersARN, Label: aws.String("l")})
		must(t, "RemovePermission", err)
	}

	// The data protection policy.
	stored, err := client.GetDataProtectionPolicy(ctx, &sns.GetDataProtectionPolicyInput{ResourceArn: &ordersARN})
	must(t, "GetDataProtectionPolicy", err)
	same(t, "the policy", *stored.DataProtectionPolicy, protection)
	_, err = client.PutDataProtectionPolicy(ctx, &sns.PutDataProtectionPolicyInput{ResourceArn: &ordersARN, DataProtectionPolicy: aws.String(`{"Statement":[{}]}`)})
	apiError(t, "PutDataProtectionPolicy", err, "InvalidParameter", "Invalid parameter: DataProtectionPolicy Reason: Statement DataDirection must be either Inbound or Outbound")
	_, err = client.PutDataProtectionPolicy(ctx, &sns.PutDataProtectionPolicyInput{ResourceArn: &ordersARN, DataProtectionPolicy: aws.String(`{}`)})
	must(t, "PutDataProtectionPolicy", err)
	for range 2 {
		_, err = client.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &ordersARN})
		must(t, "DeleteTopic", err)
	}
}

// TestSNSGoPages walks the pages of all lists with the SDK's own paginators.
func TestSNSGoPages(t *testing.T) {
	server, hooks := configuredGateways(t)
	client, ctx := snsClient(server), t.Context()
	hook := hooks.at("/hook")
	app := snsApplication(t, client)
	const n = 101
	for i := range n {
		arn := snsTopic(t, client, fmt.Sprintf("t%03d", i))
		_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("sms"), Endpoint: aws.String("+15551234567")})
		must(t, "Subscribe", err)
		_, err = client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: aws.String(snsARN + "t000"), Protocol: aws.String("http"), Endpoint: aws.String(fmt.Sprint(hook.url, "?n=", i))})
		must(t, "Subscribe", err)
		_, err = client.CreatePlatformEndpoint(ctx, &sns.CreatePlatformEndpointInput{PlatformApplicationArn: &app, Token: aws.String(fmt.Sprint(i))})
		must(t, "CreatePlatformEndpoint", err)
	}
	found := map[string]int{}
	for p := sns.NewListTopicsPaginator(client, nil); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, "ListTopics", err)
		found["topics"] += len(page.Topics)
	}
	for p := sns.NewListSubscriptionsPaginator(client, nil); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, "ListSubscriptions", err)
		found["subscriptions"] += len(page.Subscriptions)
	}
	for p := sns.NewListSubscriptionsByTopicPaginator(client, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(snsARN + "t000")}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, "ListSubscriptionsByTopic", err)
		found["subscriptions of t000"] += len(page.Subscriptions)
	}
	for p := sns.NewListEndpointsByPlatformApplicationPaginator(client, &sns.ListEndpointsByPlatformApplicationInput{PlatformApplicationArn: &app}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, "ListEndpointsByPlatformApplication", err)
		found["endpoints"] += len(page.Endpoints)
	}
	same(t, "what the lists have", found, map[string]int{"topics": n, "subscriptions": 2 * n, "subscriptions of t000": n + 1, "endpoints": n})
}

// configuredGateways starts a program whose gateways are paths of a subscriber.
func configuredGateways(t testing.TB) (*program, *subscriber) {
	t.Helper()
	hooks := listen(t)
	base := "http://" + hooks.listener.Addr().String()
	return startWith(t, "sns:\n  gateways:\n    application: "+base+"/push?k=1\n    sms: "+base+"/sms\n"), hooks
}

func snsApplication(t testing.TB, client *sns.Client) string {
	t.Helper()
	created, err := client.CreatePlatformApplication(t.Context(), &sns.CreatePlatformApplicationInput{
		Name: aws.String("shop"), Platform: aws.String("APNS"), Attributes: map[string]string{"PlatformCredential": "c", "PlatformPrincipal": "p"},
	})
	must(t, "CreatePlatformApplication", err)
	same(t, "PlatformApplicationArn", *created.PlatformApplicationArn, snsARN+"app/APNS/shop")
	return *created.PlatformApplicationArn
}

// gatewayPush is the JSON that a gateway gets.
type gatewayPush struct {
	Type, Protocol, Destination, Platform, Application, MessageId, TopicArn, SubscriptionArn, Subject, Message string

	Endpoint          map[string]string
	MessageAttributes map[string]map[string]string
}

func (e *endpoint) nextGateway() gatewayPush {
	e.t.Helper()
	p := e.next()
	same(e.t, "Content-Type", p.header(e.t, "Content-Type"), "application/json")
	var g gatewayPush
	if err := json.Unmarshal([]byte(p.Body), &g); err != nil {
		e.t.Fatalf("%v in %s", err, p.Body)
	}
	return g
}

func TestSNSGoPlatform(t *testing.T) {
	server, hooks := configuredGateways(t)
	client, ctx := snsClient(server), t.Context()
	gateway := hooks.atDefault("/push?k=1", "/push")
	app := snsApplication(t, client)
	apps, err := client.ListPlatformApplications(ctx, nil)
	must(t, "ListPlatformApplications", err)
	if len(apps.PlatformApplications) != 1 || !maps.Equal(apps.PlatformApplications[0].Attributes, map[string]string{"Enabled": "true"}) {
		t.Errorf("got %+v", apps.PlatformApplications)
	}
	_, err = client.SetPlatformApplicationAttributes(ctx, &sns.SetPlatformApplicationAttributesInput{PlatformApplicationArn: &app, Attributes: map[string]string{"SuccessFeedbackSampleRate": "5"}})
	must(t, "SetPlatformApplicationAttributes", err)
	shown, err := client.GetPlatformApplicationAttributes(ctx, &sns.GetPlatformApplicationAttributesInput{PlatformApplicationArn: &app})
	must(t, "GetPlatformApplicationAttributes", err)
	same(t, "the application's attributes", shown.Attributes, map[string]string{"Enabled": "true", "SuccessFeedbackSampleRate": "5"})

	input := &sns.CreatePlatformEndpointInput{PlatformApplicationArn: &app, Token: aws.String("device"), CustomUserData: aws.String("user 1")}
	var endpoint string
	for range 2 {
		created, err := client.CreatePlatformEndpoint(ctx, input)
		must(t, "CreatePlatformEndpoint", err)
		if endpoint != "" {
			same(t, "EndpointArn of the second call", *created.EndpointArn, endpoint)
		}
		endpoint = *created.EndpointArn
	}
	matches(t, "EndpointArn", endpoint, snsARN+"endpoint/APNS/shop/"+uuidForm)
	input.CustomUserData = aws.String("user 2")
	_, err = client.CreatePlatformEndpoint(ctx, input)
	apiError(t, "CreatePlatformEndpoint with other data", err, "InvalidParameter", "Invalid parameter: Token Reason: Endpoint "+endpoint+" already exists with the same Token, but different attributes.")

	// Directly.
	published, err := client.Publish(ctx, &sns.PublishInput{
		TargetArn: &endpoint, MessageStructure: aws.String("json"), Message: aws.String(`{"default":"d","APNS":"{\"aps\":{}}"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{"AWS.SNS.MOBILE.APNS.TTL": {DataType: aws.String("String"), StringValue: aws.String("60")}},
	})
	must(t, "Publish to a device", err)
	want := gatewayPush{
		Type: "Notification", Protocol: "application", Destination: endpoint, Platform: "APNS", Application: "shop", MessageId: *published.MessageId, Message: `{"aps":{}}`,
		Endpoint:          map[string]string{"Enabled": "true", "Token": "device", "CustomUserData": "user 1"},
		MessageAttributes: map[string]map[string]string{"AWS.SNS.MOBILE.APNS.TTL": {"Type": "String", "Value": "60"}},
	}
	same(t, "what the gateway got", gateway.nextGateway(), want)

	// Through a topic, with the token that the device has by then.
	topic := snsTopic(t, client, "orders")
	subscribed, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("application"), Endpoint: &endpoint})
	must(t, "Subscribe", err)
	matches(t, "SubscriptionArn", *subscribed.SubscriptionArn, topic+":"+uuidForm)
	_, err = client.SetEndpointAttributes(ctx, &sns.SetEndpointAttributesInput{EndpointArn: &endpoint, Attributes: map[string]string{"Token": "newer"}})
	must(t, "SetEndpointAttributes", err)
	attributes, err := client.GetEndpointAttributes(ctx, &sns.GetEndpointAttributesInput{EndpointArn: &endpoint})
	must(t, "GetEndpointAttributes", err)
	same(t, "the endpoint's attributes", attributes.Attributes, map[string]string{"Enabled": "true", "Token": "newer", "CustomUserData": "user 1"})
	published, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("for all"), Subject: aws.String("s")})
	must(t, "Publish", err)
	want = gatewayPush{
		Type: "Notification", Protocol: "application", Destination: endpoint, Platform: "APNS", Application: "shop", MessageId: *published.MessageId, Message: "for all", Subject: "s",
		TopicArn: topic, SubscriptionArn: *subscribed.SubscriptionArn, Endpoint: attributes.Attributes,
	}
	same(t, "what the gateway got of the topic", gateway.nextGateway(), want)

	_, err = client.SetEndpointAttributes(ctx, &sns.SetEndpointAttributesInput{EndpointArn: &endpoint, Attributes: map[string]string{"Enabled": "false"}})
	must(t, "SetEndpointAttributes", err)
	_, err = client.Publish(ctx, &sns.PublishInput{TargetArn: &endpoint, Message: aws.String("m")})
	var disabled *types.EndpointDisabledException
	if !errors.As(err, &disabled) {
		t.Errorf("Publish to a disabled endpoint: %v", err)
	}
	_, err = client.DeleteEndpoint(ctx, &sns.DeleteEndpointInput{EndpointArn: &endpoint})
	must(t, "DeleteEndpoint", err)
	_, err = client.GetEndpointAttributes(ctx, &sns.GetEndpointAttributesInput{EndpointArn: &endpoint})
	apiError(t, "GetEndpointAttributes", err, "NotFound", "Endpoint does not exist")
	for range 2 {
		_, err = client.DeletePlatformApplication(ctx, &sns.DeletePlatformApplicationInput{PlatformApplicationArn: &app})
		must(t, "DeletePlatformApplication", err)
	}
	_, err = client.GetPlatformApplicationAttributes(ctx, &sns.GetPlatformApplicationAttributesInput{PlatformApplicationArn: &app})
	apiError(t, "GetPlatformApplicationAttributes", err, "NotFound", "PlatformApplication does not exist")
}

func TestSNSGoSMS(t *testing.T) {
	server, hooks := configuredGateways(t)
	client, ctx := snsClient(server), t.Context()
	gateway := hooks.at("/sms")
	number := aws.String("+15551234567")
	published, err := client.Publish(ctx, &sns.PublishInput{PhoneNumber: number, Message: aws.String("héllo")})
	must(t, "Publish to a phone", err)
	same(t, "what the gateway got", gateway.nextGateway(), gatewayPush{Type: "Notification", Protocol: "sms", Destination: *number, MessageId: *published.MessageId, Message: "héllo"})
	topic := snsTopic(t, client, "orders")
	subscribed, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sms"), Endpoint: aws.String("+1-555-1234567")})
	must(t, "Subscribe", err)
	published, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String("for all")})
	must(t, "Publish", err)
	same(t, "what the gateway got of the topic", gateway.nextGateway(), gatewayPush{
		Type: "Notification", Protocol: "sms", Destination: *number, MessageId: *published.MessageId, Message: "for all", TopicArn: topic, SubscriptionArn: *subscribed.SubscriptionArn,
	})

	_, err = client.SetSMSAttributes(ctx, &sns.SetSMSAttributesInput{Attributes: map[string]string{"DefaultSMSType": "Transactional"}})
	must(t, "SetSMSAttributes", err)
	attributes, err := client.GetSMSAttributes(ctx, &sns.GetSMSAttributesInput{})
	must(t, "GetSMSAttributes", err)
	same(t, "the attributes", attributes.Attributes, map[string]string{"DefaultSMSType": "Transactional", "MonthlySpendLimit": "1"})
	attributes, err = client.GetSMSAttributes(ctx, &sns.GetSMSAttributesInput{Attributes: []string{"MonthlySpendLimit"}})
	must(t, "GetSMSAttributes", err)
	same(t, "the attribute", attributes.Attributes, map[string]string{"MonthlySpendLimit": "1"})
	_, err = client.SetSMSAttributes(ctx, &sns.SetSMSAttributesInput{Attributes: map[string]string{"Colour": "red"}})
	apiError(t, "SetSMSAttributes", err, "InvalidParameter", "Colour is not a valid attribute")

	// A gateway says who does not want any more.
	get(t, server.url+"/?Action=OptOutPhoneNumber&phoneNumber=%2B15551234567")
	opted, err := client.CheckIfPhoneNumberIsOptedOut(ctx, &sns.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: number})
	must(t, "CheckIfPhoneNumberIsOptedOut", err)
	same(t, "IsOptedOut", opted.IsOptedOut, true)
	out, err := client.ListPhoneNumbersOptedOut(ctx, &sns.ListPhoneNumbersOptedOutInput{})
	must(t, "ListPhoneNumbersOptedOut", err)
	same(t, "opted out", out.PhoneNumbers, []string{*number})
	_, err = client.OptInPhoneNumber(ctx, &sns.OptInPhoneNumberInput{PhoneNumber: number})
	must(t, "OptInPhoneNumber", err)
	out, err = client.ListPhoneNumbersOptedOut(ctx, &sns.ListPhoneNumbersOptedOutInput{})
	must(t, "ListPhoneNumbersOptedOut", err)
	same(t, "opted out", len(out.PhoneNumbers), 0)

	sandbox, err := client.GetSMSSandboxAccountStatus(ctx, &sns.GetSMSSandboxAccountStatusInput{})
	must(t, "GetSMSSandboxAccountStatus", err)
	same(t, "IsInSandbox", sandbox.IsInSandbox, false)
	_, err = client.CreateSMSSandboxPhoneNumber(ctx, &sns.CreateSMSSandboxPhoneNumberInput{PhoneNumber: number, LanguageCode: types.LanguageCodeStringEnUs})
	must(t, "CreateSMSSandboxPhoneNumber", err)
	code := regexp.MustCompile(`\d{6}`).FindString(gateway.nextGateway().Message)
	_, err = client.VerifySMSSandboxPhoneNumber(ctx, &sns.VerifySMSSandboxPhoneNumberInput{PhoneNumber: number, OneTimePassword: &code})
	must(t, "VerifySMSSandboxPhoneNumber", err)
	numbers, err := client.ListSMSSandboxPhoneNumbers(ctx, &sns.ListSMSSandboxPhoneNumbersInput{MaxResults: aws.Int32(5)})
	must(t, "ListSMSSandboxPhoneNumbers", err)
	if len(numbers.PhoneNumbers) != 1 || *numbers.PhoneNumbers[0].PhoneNumber != *number || numbers.PhoneNumbers[0].Status != types.SMSSandboxPhoneNumberVerificationStatusVerified {
		t.Errorf("got %+v", numbers.PhoneNumbers)
	}
	_, err = client.DeleteSMSSandboxPhoneNumber(ctx, &sns.DeleteSMSSandboxPhoneNumberInput{PhoneNumber: number})
	must(t, "DeleteSMSSandboxPhoneNumber", err)
	origins, err := client.ListOriginationNumbers(ctx, &sns.ListOriginationNumbersInput{})
	must(t, "ListOriginationNumbers", err)
	same(t, "origination numbers", len(origins.PhoneNumbers), 0)
}

// TestSNSGoNoGateway checks that protocols without a gateway are refused when somebody subscribes, and not later.
func TestSNSGoNoGateway(t *testing.T) {
	client, ctx := snsClient(start(t)), t.Context()
	topic := snsTopic(t, client, "orders")
	for protocol, endpoint := range map[string]string{"sms": "+15551234567", "email": "a@example.com", "email-json": "a@example.com"} {
		_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
		apiError(t, protocol, err, "InvalidParameter",
			"Invalid parameter: Protocol Reason: no gateway for "+protocol+" is configured here (sns.gateways."+strings.TrimSuffix(protocol, "-json")+")")
	}
	_, err := client.Publish(ctx, &sns.PublishInput{PhoneNumber: aws.String("+15551234567"), Message: aws.String("m")})
	apiError(t, "Publish to a phone", err, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: no gateway for sms is configured here (sns.gateways.sms)")
}

// TestSNSGoUnsubscribeLink follows the link of a notification, and the one of the message that it causes.
func TestSNSGoUnsubscribeLink(t *testing.T) {
	server, hooks := start(t), listen(t)
	client, ctx := snsClient(server), t.Context()
	hook := hooks.at("/hook")
	subscription := snsSubscribe(t, server, client, hook, nil)
	attributes := func() (map[string]string, error) {
		got, err := client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &subscription})
		if err != nil {
			return nil, err
		}
		return got.Attributes, nil
	}
	_, err := attributes()
	must(t, "GetSubscriptionAttributes", err)
	get(t, server.url+"/?Action=Unsubscribe&SubscriptionArn="+subscription)
	_, err = attributes()
	apiError(t, "GetSubscriptionAttributes", err, "NotFound", "Subscription does not exist")
	p := hook.next()
	document := objectMembers(t, p.Body)
	same(t, "Type", value(t, document, "Type"), "UnsubscribeConfirmation")
	same(t, "x-amz-sns-subscription-arn", p.header(t, "x-amz-sns-subscription-arn"), subscription)
	same(t, "Message", value(t, document, "Message"), "You have chosen to deactivate subscription "+subscription+
		".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.")
	get(t, value(t, document, "SubscribeURL"))
	got, err := attributes()
	must(t, "GetSubscriptionAttributes of what is restored", err)
	same(t, "PendingConfirmation", got["PendingConfirmation"], "false")
	published, err := client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("again")})
	must(t, "Publish", err)
	snsNotification(t, server, hook, hook.next(), ordersARN, subscription, snsMessage{id: *published.MessageId, message: "again"})
	_, err = client.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &subscription})
	must(t, "Unsubscribe", err)
	_, err = attributes()
	apiError(t, "GetSubscriptionAttributes", err, "NotFound", "Subscription does not exist")
}

// TestSNSGoEveryAction calls each method of the SDK's client with nothing but what it insists on: none of them is an
// action that the server does not know.
func TestSNSGoEveryAction(t *testing.T) {
	client := snsClient(start(t))
	v := reflect.ValueOf(client)
	var called []string
	for i := range v.NumMethod() {
		method := v.Type().Method(i)
		if method.Name == "Options" || method.Type.NumIn() != 4 {
			continue
		}
		input := reflect.New(method.Type.In(2).Elem())
		for j := range input.Elem().NumField() {
			fill(input.Elem().Field(j))
		}
		results := v.Method(i).Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
		called = append(called, method.Name)
		var api smithy.APIError
		err, _ := results[1].Interface().(error)
		switch {
		case err == nil:
		case !errors.As(err, &api):
			t.Errorf("%s: %v", method.Name, err)
		case api.ErrorCode() == "InvalidAction":
			t.Errorf("%s is not known", method.Name)
		}
	}
	if len(called) != 42 || !slices.Contains(called, "ListOriginationNumbers") {
		t.Errorf("the client has %d actions: %v", len(called), called)
	}
}

// fill gives a field of an input a value.
func fill(field reflect.Value) {
	if !field.CanSet() {
		return
	}
	switch p := field.Addr().Interface().(type) {
	case **string:
		*p = aws.String("+15551234567")
	case *[]string:
		*p = []string{"x"}
	case *map[string]string:
		*p = map[string]string{"x": "y"}
	case *[]types.Tag:
		*p = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	case *[]types.PublishBatchRequestEntry:
		*p = []types.PublishBatchRequestEntry{{Id: aws.String("a"), Message: aws.String("m")}}
	}
}

// TestSNSGoGatewayMoves: what was accepted for a phone while its gateway was down survives the death of the process, and
// goes to where the gateway is by then.
func TestSNSGoGatewayMoves(t *testing.T) {
	before, after, data := listen(t), listen(t), t.TempDir()
	config := func(s *subscriber) string {
		file := filepath.Join(t.TempDir(), "fanfare.yaml")
		text := "retry_scale: 0.01\nsns:\n  gateways:\n    sms: http://" + s.listener.Addr().String() + "/sms\n"
		must(t, "writing the configuration", os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	before.status.Store(503)
	server := startOn(t, data, "--config", config(before))
	client, ctx := snsClient(server), t.Context()
	topic := snsTopic(t, client, "orders")
	number := aws.String("+15551234567")
	_, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sms"), Endpoint: number})
	must(t, "Subscribe", err)
	want := map[string]string{}
	for _, input := range []*sns.PublishInput{{PhoneNumber: number, Message: aws.String("direct")}, {TopicArn: &topic, Message: aws.String("by topic")}} {
		published, err := client.Publish(ctx, input)
		must(t, "Publish", err)
		want[*published.MessageId] = *input.Message
	}
	for deadline := time.Now().Add(patience); before.attempts.Load() < 2; {
		if time.Now().After(deadline) {
			t.Fatal("nothing was tried")
		}
		<-time.After(5 * time.Millisecond)
	}
	server.kill()
	gateway := after.at("/sms")
	startOn(t, data, "--config", config(after))
	got := map[string]string{}
	for len(got) < len(want) {
		g := gateway.nextGateway()
		same(t, "Destination", g.Destination, *number)
		got[g.MessageId] = g.Message
	}
	same(t, "what the gateway got", got, want)
}
