package sns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	arnBase = "arn:aws:sns:us-east-1:000000000000:"
	arnApp  = arnBase + "app/GCM/shop"
)

func nullText(path string) string {
	return "1 validation error detected: Value null at '" + path + "' failed to satisfy constraint: Member must not be null"
}

// attributePairs are the entries of a map.
func attributePairs(pairs ...string) []string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, fmt.Sprintf("Attributes.entry.%d.key", i/2+1), pairs[i], fmt.Sprintf("Attributes.entry.%d.value", i/2+1), pairs[i+1])
	}
	return out
}

// shown returns the attributes that an action answers with.
func (s *server) shown(action, parameter, arn string) map[string]string {
	s.t.Helper()
	r := s.do("Action", action, parameter, arn)
	keys := listOf(s.t, r, action+"Result>Attributes>entry>key")
	values := listOf(s.t, r, action+"Result>Attributes>entry>value")
	m := map[string]string{}
	for i := range keys {
		m[keys[i]] = values[i]
	}
	return m
}

func createApp(platform, name string, attributes ...string) []string {
	return append([]string{"Action", "CreatePlatformApplication", "Platform", platform, "Name", name}, attributePairs(attributes...)...)
}

func TestPlatformApplicationRules(t *testing.T) {
	s := newServer(t, Options{})
	refused := func(text string, pairs ...string) {
		t.Helper()
		s.wantError(400, "InvalidParameter", "Invalid parameter: "+text, pairs...)
	}
	both := []string{"PlatformCredential", "c", "PlatformPrincipal", "p"}
	for _, platform := range []string{"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "MACOS", "MACOS_SANDBOX", "Baidu", "FCM", "GCM", "MPNS", "WNS"} {
		r := s.do(createApp(platform, "A-z_0.9", both...)...)
		if got := listOf(t, r, "CreatePlatformApplicationResult>PlatformApplicationArn"); len(got) != 1 || got[0] != arnBase+"app/"+platform+"/A-z_0.9" {
			t.Errorf("%s: got %s", platform, r.text)
		}
	}
	s.wantError(200, "", "", createApp("GCM", strings.Repeat("n", 256), both...)...)
	refused(" Reason: cannot be empty", createApp("GCM", "", both...)...)
	refused(strings.Repeat("n", 256)+"... Reason: must be at most 256 characters long", createApp("GCM", strings.Repeat("n", 257), both...)...)
	refused("a b Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'", createApp("GCM", "a b", both...)...)
	refused("Platform Reason: carrier pigeon is not supported", createApp("carrier pigeon", "a", both...)...)
	refused("Platform Reason: no value for required parameter", createApp("", "a", both...)...)
	s.wantError(400, "ValidationError", nullText("attributes"), createApp("GCM", "a")...)
	refused("Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal", createApp("APNS", "a", "PlatformCredential", "c")...)
	refused("Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential", createApp("APNS", "a", "PlatformPrincipal", "p")...)
	refused("Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential", createApp("GCM", "a", "PlatformPrincipal", "p")...)
	s.wantError(200, "", "", createApp("GCM", "key-only", "PlatformCredential", "c")...)
	refused("Attributes Reason: Invalid attribute name: Colour", createApp("GCM", "a", "Colour", "red")...)
	refused("Attributes Reason: Invalid value for attribute: SuccessFeedbackSampleRate: 101 value provided is not an integer between 0-100",
		createApp("GCM", "a", "SuccessFeedbackSampleRate", "101")...)
	refused("Attributes Reason: Invalid value for attribute: Enabled: perhaps", createApp("GCM", "a", "Enabled", "perhaps")...)
	refused("Attributes Reason: Invalid value for attribute: EventDeliveryFailure: longer than 4096 bytes", createApp("GCM", "a", "EventDeliveryFailure", strings.Repeat("x", 4097))...)

	for _, action := range []string{"GetPlatformApplicationAttributes", "SetPlatformApplicationAttributes", "DeletePlatformApplication", "CreatePlatformEndpoint", "ListEndpointsByPlatformApplication"} {
		to := func(arn string) []string {
			return append([]string{"Action", action, "Token", "t", "PlatformApplicationArn", arn}, attributePairs("Enabled", "true")...)
		}
		refused("PlatformApplicationArn Reason: no value for required parameter", "Action", action)
		refused("PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1", to("shop")...)
		refused("PlatformApplicationArn Reason: Wrong number of slashes in relative portion of the ARN.", to(arnT1)...)
		refused("PlatformApplicationArn Reason: Wrong number of slashes in relative portion of the ARN.", to(arnApp+"/x")...)
		refused("PlatformApplicationArn", to(arnBase+"endpoint/GCM/shop")...)
		if action == "DeletePlatformApplication" {
			s.wantError(200, "", "", to(arnApp)...)
		} else {
			s.wantError(404, "NotFound", "PlatformApplication does not exist", to(arnApp)...)
		}
	}
}

func TestPlatformApplicationAttributes(t *testing.T) {
	s := newServer(t, Options{})
	s.do(createApp("GCM", "shop", "PlatformCredential", "secret", "PlatformPrincipal", "p", "EventEndpointCreated", arnT1)...)
	want := func(attributes map[string]string) {
		t.Helper()
		if diff := cmp.Diff(attributes, s.shown("GetPlatformApplicationAttributes", "PlatformApplicationArn", arnApp)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	// The credentials are neither shown nor kept.
	want(map[string]string{"Enabled": "true", "EventEndpointCreated": arnT1})
	if document := string(s.engine.Document([]byte("sns.app/GCM/shop"))); document == "" || strings.Contains(document, "secret") {
		t.Errorf("kept is %s", document)
	}
	s.do(append([]string{"Action", "SetPlatformApplicationAttributes", "PlatformApplicationArn", arnApp},
		attributePairs("Enabled", "FALSE", "EventEndpointCreated", "", "SuccessFeedbackSampleRate", "7", "PlatformCredential", "new")...)...)
	want(map[string]string{"Enabled": "false", "SuccessFeedbackSampleRate": "7"})
	// Creating it again changes what is given, and that alone.
	s.do(createApp("GCM", "shop", "PlatformCredential", "secret", "SuccessFeedbackSampleRate", "8")...)
	want(map[string]string{"Enabled": "false", "SuccessFeedbackSampleRate": "8"})
	s.wantError(400, "ValidationError", nullText("attributes"), "Action", "SetPlatformApplicationAttributes", "PlatformApplicationArn", arnApp)
}

// create makes an endpoint and returns its ARN.
func (s *server) create(token string, more ...string) string {
	s.t.Helper()
	got := listOf(s.t, s.do(createEndpoint(token, more...)...), "CreatePlatformEndpointResult>EndpointArn")
	if len(got) != 1 {
		s.t.Fatalf("got %d endpoints", len(got))
	}
	return got[0]
}

func createEndpoint(token string, more ...string) []string {
	return append([]string{"Action", "CreatePlatformEndpoint", "PlatformApplicationArn", arnApp, "Token", token}, more...)
}

func TestEndpoints(t *testing.T) {
	s := newServer(t, Options{})
	s.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	refused := func(text string, pairs ...string) {
		t.Helper()
		s.wantError(400, "InvalidParameter", "Invalid parameter: "+text, pairs...)
	}
	attributes := func(arn string) map[string]string { return s.shown("GetEndpointAttributes", "EndpointArn", arn) }
	set := func(arn string, pairs ...string) []string {
		return append([]string{"Action", "SetEndpointAttributes", "EndpointArn", arn}, attributePairs(pairs...)...)
	}
	a := s.create("token-a")
	if !strings.HasPrefix(a, arnBase+"endpoint/GCM/shop/") || len(a) != len(arnBase+"endpoint/GCM/shop/")+36 {
		t.Errorf("got %s", a)
	}
	if diff := cmp.Diff(map[string]string{"Enabled": "true", "Token": "token-a"}, attributes(a)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b := s.create("token-b", append([]string{"CustomUserData", "data"}, attributePairs("Enabled", "False")...)...)
	if diff := cmp.Diff(map[string]string{"Enabled": "false", "Token": "token-b", "CustomUserData": "data"}, attributes(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// The same token leads to the same endpoint, unless other attributes are asked for.
	taken := func(arn string) string {
		return "Token Reason: Endpoint " + arn + " already exists with the same Token, but different attributes."
	}
	for _, more := range [][]string{nil, {"CustomUserData", "data"}, attributePairs("Enabled", "false"), attributePairs("CustomUserData", "data")} {
		if got := s.create("token-b", more...); got != b {
			t.Errorf("with %v: got %s", more, got)
		}
	}
	refused(taken(b), createEndpoint("token-b", "CustomUserData", "other")...)
	refused(taken(b), createEndpoint("token-b", attributePairs("Enabled", "true")...)...)
	refused(taken(a), createEndpoint("token-a", "CustomUserData", "data")...)

	refused("Token Reason: cannot be empty", createEndpoint("")...)
	refused("Token Reason: cannot be empty", "Action", "CreatePlatformEndpoint", "PlatformApplicationArn", arnApp)
	refused("Token Reason: must be at most 8192 bytes long", createEndpoint(strings.Repeat("t", 8193))...)
	refused("Attributes Reason: Invalid attribute name: Colour", createEndpoint("token-c", attributePairs("Colour", "red")...)...)
	refused("Attributes Reason: Invalid value for attribute: Enabled: 1", createEndpoint("token-c", attributePairs("Enabled", "1")...)...)
	refused("CustomUserData Reason: must be at most 2048 bytes long in UTF-8 encoding", createEndpoint("token-c", "CustomUserData", strings.Repeat("é", 1025))...)
	s.create("token-d", "CustomUserData", strings.Repeat("é", 1024))

	// A token that is changed leads there, the old one does not any more.
	s.wantError(200, "", "", set(a, "Token", "token-new", "CustomUserData", "d")...)
	if diff := cmp.Diff(map[string]string{"Enabled": "true", "Token": "token-new", "CustomUserData": "d"}, attributes(a)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.create("token-new"); got != a {
		t.Errorf("by the new token: got %s, want %s", got, a)
	}
	if got := s.create("token-a"); got == a {
		t.Error("the old token still leads there")
	}
	refused(taken(b), set(a, "Token", "token-b")...)
	s.wantError(400, "ValidationError", nullText("attributes"), set(a)...)
	refused("Token Reason: cannot be empty", set(a, "Token", "")...)
	s.wantError(200, "", "", set(a, "CustomUserData", "")...)
	if _, there := attributes(a)["CustomUserData"]; there {
		t.Error("the custom data was not removed")
	}

	for _, action := range []string{"GetEndpointAttributes", "SetEndpointAttributes", "DeleteEndpoint"} {
		to := func(arn string) []string {
			return append([]string{"Action", action, "EndpointArn", arn}, attributePairs("Enabled", "true")...)
		}
		refused("EndpointArn Reason: no value for required parameter", "Action", action)
		refused("EndpointArn Reason: An ARN must have at least 6 elements, not 1", to("x")...)
		refused("EndpointArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters.", to(a+"invalid")...)
		refused("EndpointArn Reason: Wrong number of slashes in relative portion of the ARN.", to(arnApp)...)
		refused("EndpointArn", to(strings.Replace(a, "endpoint/", "endpoints/", 1))...)
		unknown := a[:len(a)-36] + "11111111-2222-4333-8444-555555555555"
		if action == "DeleteEndpoint" {
			s.wantError(200, "", "", to(unknown)...)
		} else {
			s.wantError(404, "NotFound", "Endpoint does not exist", to(unknown)...)
		}
	}

	for range 2 {
		s.wantError(200, "", "", "Action", "DeleteEndpoint", "EndpointArn", a)
	}
	if got := s.create("token-new"); got == a {
		t.Error("the endpoint is deleted, and its token leads there")
	}
}

// TestEndpointPages checks the pages of both lists, and that an application takes its endpoints with it.
func TestEndpointPages(t *testing.T) {
	s := newServer(t, Options{})
	s.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	for i := range 101 {
		s.do(createApp("ADM", fmt.Sprintf("a-%03d", i), "PlatformCredential", "c", "PlatformPrincipal", "p")...)
		s.create(fmt.Sprint("token-", i))
	}
	s.do(createApp("GCM", "shop2", "PlatformCredential", "c")...)
	s.do("Action", "CreatePlatformEndpoint", "PlatformApplicationArn", arnApp+"2", "Token", "token-0")

	pages := func(action, member string, pairs ...string) (all []string) {
		t.Helper()
		for token := ""; ; {
			request := append([]string{"Action", action}, pairs...)
			if token != "" {
				request = append(request, "NextToken", token)
			}
			r := s.do(request...)
			page := listOf(t, r, action+"Result>"+member)
			if all = append(all, page...); len(page) > 100 {
				t.Errorf("%s: a page has %d items", action, len(page))
			}
			next := listOf(t, r, action+"Result>NextToken")
			if len(next) == 0 {
				return all
			}
			token = next[0]
		}
	}
	apps := pages("ListPlatformApplications", "PlatformApplications>member>PlatformApplicationArn")
	if len(apps) != 103 || apps[0] != arnBase+"app/ADM/a-000" || apps[102] != arnApp+"2" {
		t.Errorf("got %d applications: %v", len(apps), apps)
	}
	endpoints := func(app string) int {
		return len(pages("ListEndpointsByPlatformApplication", "Endpoints>member>EndpointArn", "PlatformApplicationArn", app))
	}
	if a, b := endpoints(arnApp), endpoints(arnApp+"2"); a != 101 || b != 1 {
		t.Errorf("got %d and %d endpoints, want 101 and 1", a, b)
	}
	r := s.do("Action", "ListEndpointsByPlatformApplication", "PlatformApplicationArn", arnApp+"2")
	if got := listOf(t, r, "ListEndpointsByPlatformApplicationResult>Endpoints>member>Attributes>entry>value"); cmp.Diff([]string{"true", "token-0"}, got) != "" {
		t.Errorf("its attributes are %v", got)
	}
	for _, action := range []string{"ListPlatformApplications", "ListEndpointsByPlatformApplication", "ListPhoneNumbersOptedOut", "ListSMSSandboxPhoneNumbers", "ListOriginationNumbers"} {
		name := "NextToken"
		if action == "ListPhoneNumbersOptedOut" {
			name = "nextToken"
		}
		s.wantError(400, "InvalidParameter", "Invalid parameter: NextToken", "Action", action, "PlatformApplicationArn", arnApp, name, "!")
	}
	for range 2 {
		s.wantError(200, "", "", "Action", "DeletePlatformApplication", "PlatformApplicationArn", arnApp)
	}
	if left := s.engine.Documents("sns.", "", 1000); len(left) != 101+1+2 {
		t.Errorf("%d documents are left, want those of 102 applications and of one endpoint", len(left))
	}
	s.do(createApp("GCM", "shop", "PlatformCredential", "c")...)
	if n := endpoints(arnApp); n != 0 {
		t.Errorf("the new application has %d endpoints", n)
	}
}
