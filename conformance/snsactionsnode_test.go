package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// TestSNSNodeActions drives what the SDK for JavaScript sends otherwise than others: bare empty lists, `%20` for a space,
// requests without what is required.
func TestSNSNodeActions(t *testing.T) {
	server, hooks := configuredGateways(t)
	client := nodeProgram{file: "sns.js", url: server.url}
	gateway := hooks.at("/sms")
	app := snsARN + "app/GCM/shop"
	replies := client.run(t,
		step{"op": "CreateTopic", "input": step{"Name": "orders", "Tags": []step{{"Key": "team", "Value": "red & blue"}}}},
		step{"op": "TagResource", "input": step{"ResourceArn": ordersARN, "Tags": []step{}}},
		step{"op": "UntagResource", "input": step{"ResourceArn": ordersARN, "TagKeys": []string{}}},
		step{"op": "ListTagsForResource", "input": step{"ResourceArn": ordersARN}},
		step{"op": "TagResource", "input": step{"ResourceArn": ordersARN}},
		step{"op": "AddPermission", "input": step{"TopicArn": ordersARN, "Label": "l", "AWSAccountId": []string{}, "ActionName": []string{"Publish"}}},
		step{"op": "AddPermission", "input": step{"TopicArn": ordersARN, "Label": "l", "AWSAccountId": []string{"111122223333"}, "ActionName": []string{"Publish"}}},
		step{"op": "RemovePermission", "input": step{"TopicArn": ordersARN, "Label": "l"}},
		step{"op": "GetDataProtectionPolicy", "input": step{"ResourceArn": ordersARN}},
		step{"op": "CreatePlatformApplication", "input": step{"Name": "shop", "Platform": "GCM", "Attributes": step{"PlatformCredential": "c"}}},
		step{"op": "CreatePlatformApplication", "input": step{"Name": "shop", "Platform": "GCM"}},
		step{"op": "CreatePlatformEndpoint", "input": step{"PlatformApplicationArn": app, "Token": "a b", "CustomUserData": ""}},
		step{"op": "ListEndpointsByPlatformApplication", "input": step{"PlatformApplicationArn": app}},
		step{"op": "SetSMSAttributes", "input": step{"attributes": step{"DefaultSMSType": "Promotional"}}},
		step{"op": "GetSMSAttributes", "input": step{}},
		step{"op": "Publish", "input": step{"PhoneNumber": "+15551234567", "Message": "hello there"}},
		step{"op": "ListPhoneNumbersOptedOut", "input": step{}},
	)
	failed := func(i int, code, text string) {
		t.Helper()
		if e := replies[i].Error; e == nil || e.Code != code || e.Message != text {
			t.Errorf("step %d: got %+v, want %s: %s", i, e, code, text)
		}
	}
	for i, r := range replies {
		if i != 4 && i != 5 && i != 10 && r.Error != nil {
			t.Errorf("step %d: %+v", i, r.Error)
		}
	}
	null := func(path string) string {
		return "1 validation error detected: Value null at '" + path + "' failed to satisfy constraint: Member must not be null"
	}
	failed(4, "ValidationError", null("tags"))
	failed(5, "InvalidParameter", "Invalid parameter: AWSAccountId Reason: no value for required parameter")
	failed(10, "ValidationError", null("attributes"))
	tags := decode[sns.ListTagsForResourceOutput](t, "ListTagsForResource", replies[3]).Tags
	if len(tags) != 1 || *tags[0].Value != "red & blue" {
		t.Errorf("the tags are %+v", tags)
	}
	endpoints := decode[sns.ListEndpointsByPlatformApplicationOutput](t, "ListEndpointsByPlatformApplication", replies[12]).Endpoints
	if len(endpoints) != 1 || endpoints[0].Attributes["Token"] != "a b" {
		t.Errorf("the endpoints are %+v", endpoints)
	}
	same(t, "the message", gateway.nextGateway().Message, "hello there")
}
