package sns

import (
	"strings"
	"testing"
)

func TestDataProtection(t *testing.T) {
	s := newServer(t, Options{})
	put := func(policy string) []string {
		return []string{"Action", "PutDataProtectionPolicy", "ResourceArn", arnT1, "DataProtectionPolicy", policy}
	}
	stored := func() string {
		got := listOf(t, s.do("Action", "GetDataProtectionPolicy", "ResourceArn", arnT1), "GetDataProtectionPolicyResult>DataProtectionPolicy")
		if len(got) != 1 {
			t.Fatalf("got %d policies", len(got))
		}
		return got[0]
	}
	if got := stored(); got != "" {
		t.Errorf("a topic that was given none has %q", got)
	}
	const good = "{\n \"Name\":\"p\", \"Version\":\"2021-06-01\",\"Statement\":[{\"Sid\":\"s\",\"DataDirection\":\"Inbound\",\"Principal\":[\"*\"]},{\"DataDirection\":\"Outbound\"}]}"
	s.wantError(200, "", "", put(good)...)
	if got := stored(); got != good {
		t.Errorf("got %q, want it as it was given", got)
	}
	if _, shown := s.attributes("GetTopicAttributes", "TopicArn", arnT1)["DataProtectionPolicy"]; shown {
		t.Error("it is among the attributes")
	}
	for _, c := range []struct{ policy, fault string }{
		{`{"Statement":[{"DataDirection":"Sideways"}]}`, "Statement DataDirection must be either Inbound or Outbound"},
		{`{"Statement":[{"DataDirection":"Inbound"},{}]}`, "Statement DataDirection must be either Inbound or Outbound"},
		{"x", "failed to parse JSON."},
		{`"` + strings.Repeat("x", 30_719) + `"`, "longer than 30720 characters"},
	} {
		fault := "Invalid parameter: DataProtectionPolicy Reason: " + c.fault
		s.wantError(400, "InvalidParameter", fault, put(c.policy)...)
		s.wantError(400, "InvalidParameter", fault, "Action", "CreateTopic", "Name", "new", "DataProtectionPolicy", c.policy)
	}
	s.wantError(200, "", "", put(`{"Name":"`+strings.Repeat("é", 30_720-11)+`"}`)...)
	s.wantError(200, "", "", put("")...)
	if got := stored(); got != "" {
		t.Errorf("after its removal: %q", got)
	}
	s.wantError(200, "", "", "Action", "CreateTopic", "Name", "new", "DataProtectionPolicy", good)
	s.wantError(200, "", "", "Action", "CreateTopic", "Name", "new", "DataProtectionPolicy", good)
	s.wantError(400, "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
		"Action", "CreateTopic", "Name", "new", "DataProtectionPolicy", "{}")
	for _, action := range []string{"PutDataProtectionPolicy", "GetDataProtectionPolicy"} {
		s.wantError(404, "NotFound", "Topic does not exist", "Action", action, "ResourceArn", arnT1+"x", "DataProtectionPolicy", "{}")
		s.wantError(400, "InvalidParameter", "Invalid parameter: ResourceArn Reason: no value for required parameter", "Action", action)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: DataProtectionPolicy Reason: no value for required parameter",
		"Action", "PutDataProtectionPolicy", "ResourceArn", arnT1)
}
