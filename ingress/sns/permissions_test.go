package sns

import (
	"strings"
	"testing"
)

func (s *server) policy() string {
	s.t.Helper()
	return s.attributes("GetTopicAttributes", "TopicArn", arnT1)["Policy"]
}

const defaultT1Policy = `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},` +
	`"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],` +
	`"Resource":"arn:aws:sns:us-east-1:000000000000:T1","Condition":{"StringEquals":{"AWS:SourceOwner":"000000000000"}}}]}`

func TestPermissions(t *testing.T) {
	s := newServer(t, Options{})
	add := func(label string, pairs ...string) []string {
		return append([]string{"Action", "AddPermission", "TopicArn", arnT1, "Label", label}, pairs...)
	}
	one := func(label, account, action string) []string {
		return add(label, "AWSAccountId.member.1", account, "ActionName.member.1", action)
	}
	remove := func(label string) []string {
		return []string{"Action", "RemovePermission", "TopicArn", arnT1, "Label", label}
	}
	want := func(policy string) {
		t.Helper()
		if got := s.policy(); got != policy {
			t.Errorf("the policy is\n%s\nwant\n%s", got, policy)
		}
	}
	want(defaultT1Policy)
	s.wantError(200, "", "", remove("l")...)
	want(defaultT1Policy)

	s.wantError(200, "", "", one("l", "111122223333", "Publish")...)
	head := strings.TrimSuffix(defaultT1Policy, "]}")
	l := `,{"Sid":"l","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SNS:Publish","Resource":"` + arnT1 + `"}`
	want(head + l + "]}")
	s.wantError(200, "", "", add("m", "AWSAccountId.member.1", "111122223333", "AWSAccountId.member.2", "444455556666",
		"ActionName.member.1", "Subscribe", "ActionName.member.2", "Receive")...)
	m := `,{"Sid":"m","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":["SNS:Subscribe","SNS:Receive"],"Resource":"` + arnT1 + `"}`
	want(head + l + m + "]}")

	refused := func(text string, pairs ...string) {
		t.Helper()
		s.wantError(400, "InvalidParameter", "Invalid parameter: "+text, pairs...)
	}
	refused("Statement already exists", one("l", "111122223333", "Publish")...)
	refused("Policy statement action out of service scope!", one("n", "111122223333", "CreateTopic")...)
	refused("Policy statement action out of service scope!", one("n", "111122223333", "*")...)
	refused("A provided account ID is not valid", one("n", "1111", "Publish")...)
	refused("Label Reason: no value for required parameter", one("", "111122223333", "Publish")...)
	refused("AWSAccountId Reason: no value for required parameter", add("n", "ActionName.member.1", "Publish")...)
	refused("ActionName Reason: no value for required parameter", add("n", "AWSAccountId.member.1", "111122223333")...)
	refused("Label Reason: no value for required parameter", remove("")...)
	for _, action := range []string{"AddPermission", "RemovePermission"} {
		s.wantError(404, "NotFound", "Topic does not exist", "Action", action, "TopicArn", arnT1+"x", "Label", "l",
			"AWSAccountId.member.1", "111122223333", "ActionName.member.1", "Publish")
	}
	for action := range policyActions {
		s.wantError(200, "", "", one("n", "111122223333", action)...)
		s.wantError(200, "", "", remove("n")...)
	}
	s.wantError(200, "", "", remove("l")...)
	want(head + m + "]}")
	s.wantError(200, "", "", remove("m")...)
	want(defaultT1Policy)

	// What was set is what is added to, with its members as they were.
	set := func(value string) []string {
		return []string{"Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", "Policy", "AttributeValue", value}
	}
	s.wantError(200, "", "", set(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*"}}`)...)
	s.wantError(200, "", "", one("l", "111122223333", "Publish")...)
	want(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*"}` + l + `]}`)
	s.wantError(200, "", "", set("")...)
	want(defaultT1Policy)

	long := one("l", "111122223333", "Publish")
	for range 40 {
		s.do(one(strings.Repeat("x", 900), "111122223333", "Publish")...)
		long[5] += strings.Repeat("y", 900)
	}
	refused("Policy Reason: longer than 30720 bytes", long...)
}
