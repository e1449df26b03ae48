package conformance

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Source: Amazon SNS developer guide, "Message filtering"; attributes and texts as recorded from AWS.

func textAttribute(dataType, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &dataType, StringValue: &value}
}

func TestSNSGoFilterPolicy(t *testing.T) {
	server, hooks := start(t), listen(t)
	client, ctx := snsClient(server), t.Context()
	sports, orders := hooks.at("/sports"), hooks.at("/orders")
	byAttribute := snsSubscribe(t, server, client, sports, map[string]string{
		"RawMessageDelivery": "true", "FilterPolicy": `{"sport":["rugby",{"prefix":"bas"}],"price":[{"numeric":[">=",100]}]}`,
	})
	byBody := snsSubscribe(t, server, client, orders, map[string]string{
		"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": `{"order":{"state":["paid"]}}`,
	})
	publish := func(body string, attributes map[string]types.MessageAttributeValue) {
		t.Helper()
		_, err := client.Publish(ctx, &sns.PublishInput{TopicArn: &ordersARN, Message: &body, MessageAttributes: attributes})
		must(t, "Publish", err)
	}
	publish("wrong sport", map[string]types.MessageAttributeValue{"sport": textAttribute("String", "tennis"), "price": textAttribute("Number", "100")})
	publish("no price", map[string]types.MessageAttributeValue{"sport": textAttribute("String", "rugby")})
	publish("price as text", map[string]types.MessageAttributeValue{"sport": textAttribute("String", "rugby"), "price": textAttribute("String", "100")})
	publish("both", map[string]types.MessageAttributeValue{"sport": textAttribute("String.Array", `["tennis","basketball"]`), "price": textAttribute("Number", "1.0e2")})
	publish(`{"order":{"state":"open"}}`, nil)
	publish(`{"order":[{"state":"paid"}]}`, nil)
	same(t, "what came by attributes", sports.next().Body, "both")
	same(t, "what came by the body", orders.next().Body, `{"order":[{"state":"paid"}]}`)

	shown := func(arn string, want map[string]string) {
		t.Helper()
		got, err := client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
		must(t, "GetSubscriptionAttributes", err)
		for _, name := range []string{"FilterPolicy", "FilterPolicyScope"} {
			value, ok := got.Attributes[name]
			wanted, wantOK := want[name]
			same(t, name, value, wanted)
			same(t, name+" is shown", ok, wantOK)
		}
	}
	set := func(arn, name, value string) error {
		_, err := client.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	shown(byBody, map[string]string{"FilterPolicy": `{"order":{"state":["paid"]}}`, "FilterPolicyScope": "MessageBody"})
	must(t, "SetSubscriptionAttributes", set(byAttribute, "FilterPolicy", `{"sport":["chess"]}`))
	shown(byAttribute, map[string]string{"FilterPolicy": `{"sport":["chess"]}`, "FilterPolicyScope": "MessageAttributes"})
	publish("rugby", map[string]types.MessageAttributeValue{"sport": textAttribute("String", "rugby"), "price": textAttribute("Number", "100")})
	publish("chess", map[string]types.MessageAttributeValue{"sport": textAttribute("String", "chess")})
	same(t, "what came by the new policy", sports.next().Body, "chess")
	must(t, "removal of the policy", set(byAttribute, "FilterPolicy", ""))
	shown(byAttribute, nil)
	publish("anything", nil)
	same(t, "what came without a policy", sports.next().Body, "anything")

	var invalid *types.InvalidParameterException
	err := set(byBody, "FilterPolicyScope", "MessageAttributes")
	if !errors.As(err, &invalid) || aws.ToString(invalid.Message) != "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy" {
		t.Errorf("a nested policy in the scope of attributes: %v", err)
	}
	_, err = client.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &ordersARN, Protocol: aws.String("http"), Endpoint: aws.String("http://127.0.0.1:9/"), Attributes: map[string]string{"FilterPolicy": `{"a":[{"numeric":["=="]}]}`},
	})
	if !errors.As(err, &invalid) || aws.ToString(invalid.Message) != "Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized numeric range operator: ==" {
		t.Errorf("a policy that is none: %v", err)
	}
	sports.nothingMore(100 * time.Millisecond)
	orders.nothingMore(0)
}
