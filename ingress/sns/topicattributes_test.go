package sns

import (
	"fmt"
	"strings"
	"testing"
)

// TestTopicAttributeRules gives every attribute good and bad values, on creation and afterwards.
func TestTopicAttributeRules(t *testing.T) {
	s := newServer(t, Options{})
	const role = "arn:aws:iam::000000000000:role/logs"
	statement := func(action string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"s","Effect":"Allow","Principal":"*","Action":` + action + `,"Resource":"*"}]}`
	}
	for i, c := range []struct{ name, value, fault string }{
		{"DisplayName", "d", ""},
		{"DisplayName", strings.Repeat("é", 100), ""},
		{"DisplayName", strings.Repeat("é", 101), "DisplayName: Invalid value"},
		{"KmsMasterKeyId", "alias/aws/sns", ""},
		{"KmsMasterKeyId", strings.Repeat("k", 2049), "KmsMasterKeyId: Invalid value"},
		{"SignatureVersion", "1", ""},
		{"SignatureVersion", "2", ""},
		{"SignatureVersion", "3", "SignatureVersion: Invalid value"},
		{"TracingConfig", "Active", ""},
		{"TracingConfig", "PassThrough", ""},
		{"TracingConfig", "active", "TracingConfig: Invalid value"},
		{"MaximumMessageSize", "1024", ""},
		{"MaximumMessageSize", "1048576", ""},
		{"MaximumMessageSize", "1023", "MaximumMessageSize: Invalid value"},
		{"MaximumMessageSize", "1048577", "MaximumMessageSize: Invalid value"},
		{"MaximumMessageSize", "many", "MaximumMessageSize: Invalid value"},
		{"HTTPSuccessFeedbackRoleArn", role, ""},
		{"SQSFailureFeedbackRoleArn", role, ""},
		{"ApplicationSuccessFeedbackRoleArn", "x", "ApplicationSuccessFeedbackRoleArn: Invalid value"},
		{"LambdaSuccessFeedbackSampleRate", "0", ""},
		{"FirehoseSuccessFeedbackSampleRate", "100", ""},
		{"SQSSuccessFeedbackSampleRate", "500", "SQSSuccessFeedbackSampleRate: 500 value provided is not an integer between 0-100"},
		{"HTTPSuccessFeedbackSampleRate", "-1", "HTTPSuccessFeedbackSampleRate: -1 value provided is not an integer between 0-100"},
		{"Policy", statement(`"SNS:Publish"`), ""},
		{"Policy", statement(`["sns:Publish","SNS:Receive"]`), ""},
		{"Policy", statement(`"SQS:SendMessage"`), "Policy statement action out of service scope!"},
		{"Policy", statement(`["SNS:Publish","SNS:*"]`), "Policy statement action out of service scope!"},
		{"Policy", statement(`"Publish"`), "Policy statement action out of service scope!"},
		{"Policy", "x", "Policy Error: null"},
		{"Policy", "1", "Policy Error: null"},
		{"Policy", `{"a":"b"}`, "Policy Error: null"},
		{"Policy", `{"Statement":[1]}`, "Policy Error: null"},
		{"Policy", `{"Statement":[{"Effect":"Perhaps","Action":"SNS:Publish"}]}`, "Policy Error: null"},
		{"Policy", statement(`"SNS:Publish"`) + strings.Repeat(" ", 30<<10), "Policy Error: null"},
	} {
		created, set := "Invalid parameter: Attributes Reason: "+c.fault, "Invalid parameter: "+c.fault
		status, code := 400, "InvalidParameter"
		if c.fault == "" {
			status, code, created, set = 200, "", "", ""
		}
		name := fmt.Sprintf("t%d", i)
		s.wantError(status, code, created, "Action", "CreateTopic", "Name", name, "Attributes.entry.1.key", c.name, "Attributes.entry.1.value", c.value)
		s.wantError(status, code, set, "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", c.name, "AttributeValue", c.value)
		if c.fault != "" {
			continue
		}
		for _, arn := range []string{arnT1, strings.TrimSuffix(arnT1, "T1") + name} {
			if got := s.attributes("GetTopicAttributes", "TopicArn", arn)[c.name]; got != c.value {
				t.Errorf("%s of %s: got %q, want %q", c.name, arn, got, c.value)
			}
		}
		s.wantError(200, "", "", "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", c.name)
		got := s.attributes("GetTopicAttributes", "TopicArn", arnT1)
		if value := got[c.name]; c.name != "Policy" && value != "" || c.name == "Policy" && value != defaultT1Policy {
			t.Errorf("%s without a value: got %q", c.name, value)
		}
	}
	for _, name := range []string{"FifoTopic", "ContentBasedDeduplication", "Colour", "FTPSuccessFeedbackRoleArn", "HTTPSuccessFeedback", "Owner"} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: AttributeName", "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", name, "AttributeValue", "true")
	}
}

// TestMaximumMessageSize checks the limit of a topic at its edge, for single messages and batches.
func TestMaximumMessageSize(t *testing.T) {
	s := newServer(t, Options{})
	text := func(n int) string { return strings.Repeat("m", n) }
	for _, c := range []struct {
		attribute string
		limit     int
	}{{"", 262_144}, {"1024", 1024}, {"1048576", 1 << 20}, {"5000", 5000}} {
		s.wantError(200, "", "", "Action", "SetTopicAttributes", "TopicArn", arnT1, "AttributeName", "MaximumMessageSize", "AttributeValue", c.attribute)
		s.wantError(200, "", "", publish("Message", text(c.limit))...)
		s.wantError(400, "InvalidParameter", "Invalid parameter: Message too long", publish("Message", text(c.limit+1))...)
		// The attribute is 1 + 6 + 2 bytes.
		s.wantError(200, "", "", append(attribute("n", "String", "StringValue", "vv")[:4:4], append(attribute("n", "String", "StringValue", "vv")[6:], "Message", text(c.limit-9))...)...)
		s.wantError(400, "InvalidParameter", "Invalid parameter: Message too long",
			append(attribute("n", "String", "StringValue", "vv")[:4:4], append(attribute("n", "String", "StringValue", "vv")[6:], "Message", text(c.limit-8))...)...)
		s.wantError(200, "", "", batchOf([]string{"Id", "a", "Message", text(c.limit - 10)}, []string{"Id", "b", "Message", text(10)})...)
		s.wantError(400, "BatchRequestTooLong", "The length of all the messages put together is more than the limit.",
			batchOf([]string{"Id", "a", "Message", text(c.limit - 10)}, []string{"Id", "b", "Message", text(11)})...)
	}
	// Without a topic the usual limit counts before it is missed.
	unknown := []string{"Action", "Publish", "TopicArn", arnT1 + "x", "Message"}
	s.wantError(400, "InvalidParameter", "Invalid parameter: Message too long", append(unknown, text(262_145))...)
	s.wantError(404, "NotFound", "Topic does not exist", append(unknown, text(262_144))...)
}
