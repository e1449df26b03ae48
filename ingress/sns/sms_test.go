package sns

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (s *server) smsAttributes(names ...string) map[string]string {
	s.t.Helper()
	pairs := []string{"Action", "GetSMSAttributes"}
	for i, name := range names {
		pairs = append(pairs, fmt.Sprintf("attributes.member.%d", i+1), name)
	}
	r := s.do(pairs...)
	keys := listOf(s.t, r, "GetSMSAttributesResult>attributes>entry>key")
	values := listOf(s.t, r, "GetSMSAttributesResult>attributes>entry>value")
	m := map[string]string{}
	for i := range keys {
		m[keys[i]] = values[i]
	}
	return m
}

func TestSMSAttributes(t *testing.T) {
	s := newServer(t, Options{})
	set := func(name, value string) []string {
		return []string{"Action", "SetSMSAttributes", "attributes.entry.1.key", name, "attributes.entry.1.value", value}
	}
	want := func(attributes map[string]string, names ...string) {
		t.Helper()
		if diff := cmp.Diff(attributes, s.smsAttributes(names...)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	want(map[string]string{"MonthlySpendLimit": "1"})
	for _, c := range []struct{ name, value, fault string }{
		{"DefaultSMSType", "Transactional", ""},
		{"DefaultSMSType", "Promotional", ""},
		{"DefaultSMSType", "Chatty", "DefaultSMSType is invalid"},
		{"DefaultSenderID", "Shop1", ""},
		{"DefaultSenderID", "12345", "DefaultSenderID is invalid"},
		{"DefaultSenderID", "abcdefghijkl", "DefaultSenderID is invalid"},
		{"DefaultSenderID", "a b", "DefaultSenderID is invalid"},
		{"MonthlySpendLimit", "20", ""},
		{"MonthlySpendLimit", "-1", "MonthlySpendLimit is invalid"},
		{"DeliveryStatusSuccessSamplingRate", "100", ""},
		{"DeliveryStatusSuccessSamplingRate", "101", "DeliveryStatusSuccessSamplingRate is invalid"},
		{"DeliveryStatusIAMRole", "arn:aws:iam::000000000000:role/r", ""},
		{"UsageReportS3Bucket", "bucket", ""},
		{"Colour", "red", "Colour is not a valid attribute"},
	} {
		if c.fault == "" {
			s.wantError(200, "", "", set(c.name, c.value)...)
			want(map[string]string{c.name: c.value}, c.name)
		} else {
			s.wantError(400, "InvalidParameter", c.fault, set(c.name, c.value)...)
		}
	}
	want(map[string]string{
		"DefaultSMSType": "Promotional", "DefaultSenderID": "Shop1", "MonthlySpendLimit": "20", "DeliveryStatusSuccessSamplingRate": "100",
		"DeliveryStatusIAMRole": "arn:aws:iam::000000000000:role/r", "UsageReportS3Bucket": "bucket",
	})
	want(map[string]string{"MonthlySpendLimit": "20", "DefaultSMSType": "Promotional"}, "MonthlySpendLimit", "DefaultSMSType")
	s.wantError(200, "", "", set("DefaultSenderID", "")...)
	want(map[string]string{}, "DefaultSenderID")
	s.wantError(400, "InvalidParameter", "Colour is not a valid attribute", "Action", "GetSMSAttributes", "attributes.member.1", "Colour")
	s.wantError(400, "ValidationError", nullText("attributes"), "Action", "SetSMSAttributes")
}

func TestOptedOut(t *testing.T) {
	s := newServer(t, Options{})
	check := func(number, want string) {
		t.Helper()
		r := s.do("Action", "CheckIfPhoneNumberIsOptedOut", "phoneNumber", number)
		if got := listOf(t, r, "CheckIfPhoneNumberIsOptedOutResult>isOptedOut"); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %s", number, r.text)
		}
	}
	check("+15551234567", "false")
	for range 2 {
		s.wantError(200, "", "", "Action", "OptOutPhoneNumber", "phoneNumber", "15551234567")
	}
	check("+15551234567", "true")
	check("15551234567", "true")
	for i := range 100 {
		s.do("Action", "OptOutPhoneNumber", "phoneNumber", fmt.Sprintf("+1555000%04d", i))
	}
	r := s.do("Action", "ListPhoneNumbersOptedOut")
	next := listOf(t, r, "ListPhoneNumbersOptedOutResult>nextToken")
	if got := listOf(t, r, "ListPhoneNumbersOptedOutResult>phoneNumbers>member"); len(got) != 100 || got[0] != "+15550000000" || len(next) != 1 {
		t.Fatalf("got %d numbers, next %v", len(got), next)
	}
	r = s.do("Action", "ListPhoneNumbersOptedOut", "nextToken", next[0])
	if got := listOf(t, r, "ListPhoneNumbersOptedOutResult>phoneNumbers>member"); cmp.Diff([]string{"+15551234567"}, got) != "" {
		t.Errorf("the second page is %v", got)
	}
	for range 2 {
		s.wantError(200, "", "", "Action", "OptInPhoneNumber", "phoneNumber", "+15551234567")
	}
	check("+15551234567", "false")
	for _, action := range []string{"CheckIfPhoneNumberIsOptedOut", "OptInPhoneNumber", "OptOutPhoneNumber"} {
		for _, bad := range []string{"", "abc", "+0123", "+1234567890123456", "+"} {
			s.wantError(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: input incorrectly formatted", "Action", action, "phoneNumber", bad)
		}
		s.wantError(400, "InvalidParameter", "Invalid parameter: phoneNumber Reason: no value for required parameter", "Action", action)
	}
	r = s.do("Action", "ListOriginationNumbers", "MaxResults", "30")
	if !strings.Contains(r.text, "<PhoneNumbers/>") {
		t.Errorf("got %s", r.text)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: MaxResults Reason: must be between 1 and 30", "Action", "ListOriginationNumbers", "MaxResults", "31")
}

// TestSandbox verifies a number with the code that its gateway was handed.
func TestSandbox(t *testing.T) {
	s := newServer(t, Options{Gateways: Gateways{SMS: "http://127.0.0.1:9/sms"}})
	r := s.do("Action", "GetSMSSandboxAccountStatus")
	if got := listOf(t, r, "GetSMSSandboxAccountStatusResult>IsInSandbox"); len(got) != 1 || got[0] != "false" {
		t.Errorf("got %s", r.text)
	}
	of := func(action, number string, more ...string) []string {
		return append([]string{"Action", action, "PhoneNumber", number}, more...)
	}
	s.wantError(200, "", "", of("CreateSMSSandboxPhoneNumber", "+15551234567", "LanguageCode", "de-DE")...)
	s.wantError(200, "", "", of("CreateSMSSandboxPhoneNumber", "+15551234568")...)
	var sent []string
	eventually(t, "the codes", func() bool { sent = s.recorder.Messages(); return len(sent) == 2 })
	m := regexp.MustCompile(`^topic: sns.sms\nbody: "Your verification code is (\d{6})\."\nkeys: "\+15551234567"\n$`).FindStringSubmatch(sent[0])
	if m == nil {
		t.Fatalf("sent was %s", sent[0])
	}
	list := func(want string, more ...string) (next []string) {
		t.Helper()
		r := s.do(append([]string{"Action", "ListSMSSandboxPhoneNumbers"}, more...)...)
		numbers := listOf(t, r, "ListSMSSandboxPhoneNumbersResult>PhoneNumbers>member>PhoneNumber")
		states := listOf(t, r, "ListSMSSandboxPhoneNumbersResult>PhoneNumbers>member>Status")
		var got []string
		for i := range numbers {
			got = append(got, numbers[i]+" "+states[i])
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
		return listOf(t, r, "ListSMSSandboxPhoneNumbersResult>NextToken")
	}
	wrong := fmt.Sprintf("%06d", (len(m[1])+1)%10)
	if wrong == m[1] {
		wrong = "999999"
	}
	s.wantError(400, "VerificationException", "The one-time password is not the one that was sent", of("VerifySMSSandboxPhoneNumber", "+15551234567", "OneTimePassword", wrong)...)
	list("+15551234567 Pending, +15551234568 Pending")
	for range 2 {
		s.wantError(200, "", "", of("VerifySMSSandboxPhoneNumber", "+15551234567", "OneTimePassword", m[1])...)
	}
	next := list("+15551234567 Verified", "MaxResults", "1")
	if len(next) != 1 {
		t.Fatalf("next is %v", next)
	}
	list("+15551234568 Pending", "MaxResults", "1", "NextToken", next[0])
	s.wantError(200, "", "", of("DeleteSMSSandboxPhoneNumber", "+15551234567")...)
	list("+15551234568 Pending")
	for _, action := range []string{"DeleteSMSSandboxPhoneNumber", "VerifySMSSandboxPhoneNumber"} {
		s.wantError(404, "ResourceNotFound", "Resource does not exist", of(action, "+15551234567", "OneTimePassword", "123456")...)
	}
	for _, action := range []string{"CreateSMSSandboxPhoneNumber", "DeleteSMSSandboxPhoneNumber", "VerifySMSSandboxPhoneNumber"} {
		s.wantError(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: input incorrectly formatted", of(action, "abc")...)
	}
	s.wantError(400, "InvalidParameter", "Invalid parameter: OneTimePassword Reason: no value for required parameter", of("VerifySMSSandboxPhoneNumber", "+15551234568")...)
	s.wantError(400, "InvalidParameter", "Invalid parameter: LanguageCode", of("CreateSMSSandboxPhoneNumber", "+15551234567", "LanguageCode", "tlh")...)
	s.do("Action", "OptOutPhoneNumber", "phoneNumber", "+15550000000")
	s.wantError(400, "OptedOut", "The phone number has opted out of receiving messages", of("CreateSMSSandboxPhoneNumber", "+15550000000")...)
	for i := range 9 {
		s.wantError(200, "", "", of("CreateSMSSandboxPhoneNumber", fmt.Sprintf("+1555000000%d", i+1))...)
	}
	s.wantError(400, "UserError", "There are 10 phone numbers in the sandbox already", of("CreateSMSSandboxPhoneNumber", "+15559999999")...)
	s.wantError(200, "", "", of("CreateSMSSandboxPhoneNumber", "+15550000001")...)

	s = newServer(t, Options{})
	s.wantError(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: no gateway for sms is configured here (sns.gateways.sms)", of("CreateSMSSandboxPhoneNumber", "+15551234567")...)
}
