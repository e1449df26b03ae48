package smn

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress/apigw"
	"fanfare/ingress/facetest"
)

func TestCreateTopic(t *testing.T) {
	face, _ := newFace(t)
	f := func(body string, want *apigw.Error) {
		t.Helper()
		do(t, face, "POST", base+"/topics", body).wantError(t, body, want)
	}
	for _, name := range []string{`""`, `"-a"`, `"_a"`, `"a b"`, `"a.b"`, `"é"`, `"` + strings.Repeat("x", 256) + `"`, `1`, `null`, `[]`, `{}`} {
		f(`{"name":`+name+`}`, errName)
	}
	f(`{}`, errName)
	f(`{"name":"a","display_name":1}`, errDisplayName)
	f(`{"name":"a","display_name":"a\nb"}`, errDisplayName)
	f(`{"name":"a","display_name":"`+strings.Repeat("é", 97)+`"}`, errDisplayName)
	f(``, errNotJSON)
	f(`[]`, errNotJSON)
	f(`{"name":"a"`, errNotJSON)
	f("{\"name\":\"\xff\"}", errNotJSON)
	f(`{"name":"a","enterprise_project_id":1}`, apigw.ErrRequest)

	name := strings.Repeat("x", 255)
	do(t, face, "POST", base+"/topics", `{"name":"`+name+`"}`).wantStatus(t, "longest name", 201)
	do(t, face, "POST", base+"/topics", `{"name":"first","name":"second"}`).wantStatus(t, "duplicate keys", 201)
	if face.engine.Topic([]byte("second")) == nil || face.engine.Topic([]byte("first")) != nil {
		t.Error("the first of two names counted")
	}
}

func TestTopicLife(t *testing.T) {
	face, _ := newFace(t)
	r := do(t, face, "POST", base+"/topics", `{"name":"invoices","display_name":"Invoice desk"}`)
	r.wantStatus(t, "create", 201)
	urn := r.body["topic_urn"].(string)
	r = do(t, face, "GET", base+"/topics/"+urn, "")
	r.wantStatus(t, "show", 200)
	want := regexp.MustCompile(`^\{"request_id":"[0-9a-f]{32}","topic_urn":"` + urn + `","name":"invoices","display_name":"Invoice desk","push_policy":0,` +
		`"enterprise_project_id":"0","topic_id":"[0-9a-f]{32}","create_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ","update_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$`)
	if !want.Match(r.raw) {
		t.Errorf("show: %s", r.raw)
	}
	do(t, face, "POST", base+"/topics", `{"name":"invoices","display_name":"x"}`).wantStatus(t, "create again", 200)
	do(t, face, "PUT", base+"/topics/"+urn, `{}`).wantError(t, "update without", errDisplayName)
	do(t, face, "PUT", base+"/topics/"+urn, `{"display_name":1}`).wantError(t, "update with a number", errDisplayName)
	do(t, face, "PUT", base+"/topics/"+urn, `{"display_name":"Desk"}`).wantStatus(t, "update", 200)
	if got := do(t, face, "GET", base+"/topics/"+urn, "").body["display_name"]; got != "Desk" {
		t.Errorf("display name %v", got)
	}
	do(t, face, "DELETE", base+"/topics/"+urn, "").wantStatus(t, "delete", 200)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		do(t, face, method, base+"/topics/"+urn, `{"display_name":"x"}`).wantError(t, method+" after delete", errTopic)
	}
}

func names(r reply, list, key string) []string {
	got := []string{}
	for _, item := range r.body[list].([]any) {
		got = append(got, fmt.Sprint(item.(map[string]any)[key]))
	}
	return got
}

func TestListTopics(t *testing.T) {
	face, _ := newFace(t)
	for i := range 3 {
		do(t, face, "POST", base+"/topics", fmt.Sprintf(`{"name":"t%d","display_name":"desk %d"}`, i, i)).wantStatus(t, "create", 201)
	}
	f := func(query string, count int, want ...string) {
		t.Helper()
		r := do(t, face, "GET", base+"/topics"+query, "")
		r.wantStatus(t, query, 200)
		if got := names(r, "topics", "name"); !slices.Equal(got, want) || r.body["topic_count"] != float64(count) {
			t.Errorf("%s: got %v of %v", query, got, r.body["topic_count"])
		}
	}
	f("", 4, "t2", "t1", "t0", "orders")
	f("?offset=1&limit=2", 4, "t1", "t0")
	f("?offset=100", 4)
	f("?name=t1", 1, "t1")
	f("?name=t", 0)
	f("?fuzzy_name=t", 3, "t2", "t1", "t0")
	f("?fuzzy_name=t&fuzzy_display_name=k%201", 1, "t1")
	f("?enterprise_project_id=0&limit=1", 4, "t2")
	f("?enterprise_project_id=1", 0)
	id := do(t, face, "GET", base+"/topics/"+ordersURN, "").body["topic_id"].(string)
	f("?topic_id="+id, 1, "orders")
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?limit=-1", "?offset=-1", "?offset=1.5", "?offset=99999999999999999999"} {
		do(t, face, "GET", base+"/topics"+query, "").wantError(t, query, errPage)
	}
}

func TestAddSubscriptionFaults(t *testing.T) {
	face, _ := newFace(t)
	f := func(body string, want *apigw.Error) {
		t.Helper()
		do(t, face, "POST", base+"/topics/"+ordersURN+"/subscriptions", body).wantError(t, body, want)
	}
	f(`{}`, errProtocol)
	f(`{"protocol":1,"endpoint":"http://x"}`, errProtocol)
	f(`{"protocol":"email","endpoint":"a@b.example"}`, errProtocol)
	f(`{"protocol":"HTTP","endpoint":"http://x"}`, errProtocol)
	f(`{"protocol":"http"}`, errEndpoint)
	f(`{"protocol":"http","endpoint":1}`, errEndpoint)
	f(`{"protocol":"http","endpoint":"https://x"}`, errEndpoint)
	f(`{"protocol":"https","endpoint":"http://x"}`, errEndpoint)
	f(`{"protocol":"http","endpoint":"http://"}`, errEndpoint)
	f(`{"protocol":"http","endpoint":"http://a b/"}`, errEndpoint)
	f(`{"protocol":"http","endpoint":"http://x/`+strings.Repeat("x", 3000)+`"}`, errEndpoint)
	f(`{"protocol":"http","endpoint":"http://x","remark":1}`, errRemark)
	f(`{"protocol":"http","endpoint":"http://x","remark":"`+strings.Repeat("x", 129)+`"}`, errRemarkLength)
	f(`{"protocol":"http","endpoint":"http://x","extension":1}`, errExtension)
	for _, header := range []string{
		`1`, `{"x-a":1}`, `{"a":"b"}`, `{"x-smn-a":"b"}`, `{"X-SMN":"b"}`, `{"x-":"b"}`, `{"x-a-":"b"}`, `{"x--a":"b"}`, `{"x-a b":"c"}`,
		`{"x-a":"b\r\nx-evil: 1"}`, `{"x-a":"é"}`, `{"x-a":"b","X-A":"c"}`, `{"x-a":"` + strings.Repeat("x", 1024) + `"}`,
		`{"x-1":"","x-2":"","x-3":"","x-4":"","x-5":"","x-6":"","x-7":"","x-8":"","x-9":"","x-10":"","x-11":""}`,
	} {
		f(`{"protocol":"http","endpoint":"http://x","extension":{"header":`+header+`}}`, errExtension)
	}
	f(`{"subscriptions":[{"protocol":"http","endpoint":"http://x"}]}`, errNotOffered)
	f(`{"protocol":"http"`, errNotJSON)
	do(t, face, "POST", base+"/topics/"+ordersURN+"x/subscriptions", `{}`).wantError(t, "no topic", errTopic)
}

// waitNotified waits for the messages of the subscription protocol, which the timer delivers.
func waitNotified(t *testing.T, r *facetest.Recorder, n int) []string {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if got := r.Notified(); len(got) >= n {
			return got
		}
	}
	t.Fatalf("%d messages, want %d", len(r.Notified()), n)
	return nil
}

var tokenPattern = regexp.MustCompile(`token: "(` + project + `[0-9a-f]{128})"`)

func TestSubscriptionLife(t *testing.T) {
	face, recorder := newFace(t)
	add := func(status int) string {
		t.Helper()
		r := do(t, face, "POST", base+"/topics/"+ordersURN+"/subscriptions",
			`{"protocol":"https","endpoint":"https://hooks.example.org/in?k=1","remark":"billing","extension":{"header":{"x-tenant":"blue"}}}`)
		r.wantStatus(t, "add", status)
		return r.body["subscription_urn"].(string)
	}
	status := func(want int) {
		t.Helper()
		r := do(t, face, "GET", base+"/subscriptions", "")
		if got := names(r, "subscriptions", "status"); !slices.Equal(got, []string{fmt.Sprint(want)}) {
			t.Fatalf("status %v, want %d", got, want)
		}
	}
	urn := add(201)
	if !regexp.MustCompile("^" + ordersURN + ":[0-9a-f]{32}$").MatchString(urn) {
		t.Fatalf("URN %q", urn)
	}
	token := tokenPattern.FindStringSubmatch(waitNotified(t, recorder, 1)[0])
	if token == nil {
		t.Fatalf("no token in %q", recorder.Notified()[0])
	}
	if again := add(200); again != urn {
		t.Fatalf("another URN %q", again)
	}
	if again := tokenPattern.FindStringSubmatch(waitNotified(t, recorder, 2)[1]); again[1] != token[1] {
		t.Errorf("the token changed while it was good")
	}
	status(statusPending)
	if got := face.engine.Topic([]byte("orders")).Subscriptions()[0].Config().Labels; got[labelPublicURL] != "http://fanfare.test" ||
		got[labelProject] != project || got[labelHeaders] != `{"x-tenant":"blue"}` {
		t.Errorf("labels %v", got)
	}

	// Confirmation, by every path, and again.
	confirm := func(path, query string) reply {
		t.Helper()
		return do(t, face, "GET", path+"?"+query, "")
	}
	const rest = "/rest/v2/notifications/subscription/confirm"
	confirm(rest, "").wantError(t, "no token", errToken)
	confirm(rest, "token=x").wantError(t, "unknown token", errToken)
	confirm(rest, "token="+token[1]+"&topic_urn=x").wantError(t, "bad URN", errTopicURN)
	confirm(rest, "token="+token[1]+"&topic_urn="+ordersURN+"x").wantError(t, "another topic", errToken)
	confirm(rest, "token="+token[1]+"&endpoint=https://elsewhere").wantError(t, "another endpoint", errToken)
	status(statusPending)
	for _, path := range []string{rest, "/v2/notifications/subscriptions/subscribe", "/smn/subscription/confirm"} {
		r := confirm(path, "token="+token[1]+"&topic_urn="+ordersURN+"&region=eu-de&region_id=eu-de")
		r.wantStatus(t, path, 200)
		if r.body["subscription_urn"] != urn {
			t.Errorf("%s: %s", path, r.raw)
		}
		status(statusConfirmed)
	}
	if again := add(200); again != urn {
		t.Fatalf("another URN %q", again)
	}
	status(statusConfirmed)

	// Cancellation by link, and back by the link that it sends.
	unsubscribe := func(path, urn string) reply {
		t.Helper()
		return do(t, face, "GET", path+"?subscription_urn="+urn, "")
	}
	unsubscribe("/smn/subscription/unsubscribe", "x").wantError(t, "bad URN", errSubscriptionURN)
	unsubscribe("/smn/subscription/unsubscribe", ordersURN).wantError(t, "a topic's URN", errSubscriptionURN)
	unsubscribe("/smn/subscription/unsubscribe", ordersURN+":0").wantError(t, "unknown URN", errSubscription)
	for _, path := range []string{"/rest/v2/notifications/subscription/unsubscribe", "/v2/notifications/subscriptions/unsubscribe", "/smn/subscription/unsubscribe"} {
		r := unsubscribe(path, urn)
		r.wantStatus(t, path, 200)
		if !strings.Contains(fmt.Sprint(r.body["message"]), "successfully canceled") {
			t.Errorf("%s: %s", path, r.raw)
		}
		status(statusCancelled)
	}
	sent := waitNotified(t, recorder, 3)
	if len(sent) != 3 {
		t.Errorf("%d messages of the subscription protocol", len(sent))
	}
	confirm(rest, "token="+tokenPattern.FindStringSubmatch(sent[2])[1]).wantStatus(t, "resubscribe", 200)
	status(statusConfirmed)

	// The remark.
	target := base + "/topics/" + ordersURN + "/subscriptions/" + urn
	do(t, face, "PUT", target, `{}`).wantError(t, "no remark", errRemark)
	do(t, face, "PUT", target, `{"remark":"`+strings.Repeat("x", 129)+`"}`).wantError(t, "long remark", errRemarkLength)
	do(t, face, "PUT", target, `{"remark":"dunning"}`).wantStatus(t, "remark", 200)
	r := do(t, face, "GET", base+"/topics/"+ordersURN+"/subscriptions?fuzzy_remark=dunn", "")
	want := `"subscription_count":1,"subscriptions":[{"topic_urn":"` + ordersURN + `","protocol":"https","subscription_urn":"` + urn +
		`","owner":"` + project + `","endpoint":"https://hooks.example.org/in?k=1","remark":"dunning","status":1,"filter_polices":[]}]}`
	if !strings.HasSuffix(string(r.raw), want) {
		t.Errorf("list: %s", r.raw)
	}

	// Both ways to delete.
	do(t, face, "DELETE", base+"/subscriptions/x", "").wantError(t, "bad URN", errSubscriptionURN)
	do(t, face, "DELETE", base+"/subscriptions/"+ordersURN, "").wantError(t, "a topic's URN", errSubscriptionURN)
	do(t, face, "DELETE", base+"/subscriptions/"+ordersURN+":0", "").wantError(t, "unknown", errSubscription)
	do(t, face, "DELETE", base+"/topics/"+ordersURN+"x/subscriptions/"+urn, "").wantError(t, "another topic", errTopic)
	do(t, face, "DELETE", "/v2/"+other+"/notifications/subscriptions/"+urn, "").wantError(t, "another project", errSubscription)
	do(t, face, "DELETE", base+"/subscriptions/"+strings.ReplaceAll(urn, ":", "%3A"), "").wantStatus(t, "cancel", 200)
	do(t, face, "DELETE", base+"/subscriptions/"+urn, "").wantError(t, "cancel again", errSubscription)
	urn = add(201)
	do(t, face, "DELETE", base+"/topics/"+ordersURN+"/subscriptions/"+urn, "").wantStatus(t, "delete by topic", 200)
}

func TestListSubscriptions(t *testing.T) {
	face, _ := newFace(t)
	for i := range 3 {
		body := fmt.Sprintf(`{"protocol":"http","endpoint":"http://127.0.0.1:%d/"}`, 9000+i)
		do(t, face, "POST", base+"/topics/"+ordersURN+"/subscriptions", body).wantStatus(t, "add", 201)
	}
	orders := face.engine.Topic([]byte("orders"))
	if _, _, err := face.engine.PutSubscription(orders, engine.SubscriptionConfig{Name: "hook", Endpoint: "http://127.0.0.1:9009/"}); err != nil {
		t.Fatal(err)
	}
	f := func(query string, count int, want ...string) {
		t.Helper()
		r := do(t, face, "GET", base+"/subscriptions"+query, "")
		r.wantStatus(t, query, 200)
		got := names(r, "subscriptions", "endpoint")
		for i := range got {
			got[i] = strings.TrimSuffix(strings.TrimPrefix(got[i], "http://127.0.0.1:900"), "/")
		}
		if !slices.Equal(got, want) || r.body["subscription_count"] != float64(count) {
			t.Errorf("%s: got %v of %v", query, got, r.body["subscription_count"])
		}
	}
	f("", 3, "0", "1", "2")
	f("?offset=1&limit=1", 3, "1")
	f("?protocol=http&status=0", 3, "0", "1", "2")
	f("?protocol=https", 0)
	f("?status=1", 0)
	f("?endpoint=http://127.0.0.1:9002/", 1, "2")
	do(t, face, "GET", base+"/subscriptions?status=x", "").wantError(t, "status", errStatus)
	do(t, face, "GET", base+"/subscriptions?limit=0", "").wantError(t, "limit", errPage)
	do(t, face, "GET", base+"/topics/"+ordersURN+"/subscriptions?limit=0", "").wantError(t, "limit", errPage)
}

// The name of a declared subscription can be guessed, so its link does nothing.
func TestUnsubscribeDeclared(t *testing.T) {
	face, _ := newFace(t)
	orders := face.engine.Topic([]byte("orders"))
	config := engine.SubscriptionConfig{Name: "billing", Kind: kindName, Endpoint: "http://127.0.0.1:9000/", Declared: true}
	if _, _, err := face.engine.PutSubscription(orders, config); err != nil {
		t.Fatal(err)
	}
	do(t, face, "GET", "/smn/subscription/unsubscribe?subscription_urn="+ordersURN+":billing", "").wantError(t, "declared", errDeclared)
}

func TestTokenExpires(t *testing.T) {
	face, recorder := newFace(t)
	do(t, face, "POST", base+"/topics/"+ordersURN+"/subscriptions", `{"protocol":"http","endpoint":"http://127.0.0.1:9000/"}`).wantStatus(t, "add", 201)
	first := tokenPattern.FindStringSubmatch(waitNotified(t, recorder, 1)[0])[1]
	s := face.engine.Topic([]byte("orders")).Subscriptions()[0]
	err := face.engine.UpdateSubscription(s, func(c *engine.SubscriptionConfig) { c.TokenUntil = time.Now().UnixMilli() - 1 })
	if err != nil {
		t.Fatal(err)
	}
	do(t, face, "GET", "/smn/subscription/confirm?token="+first, "").wantError(t, "expired", errToken)
	do(t, face, "POST", base+"/topics/"+ordersURN+"/subscriptions", `{"protocol":"http","endpoint":"http://127.0.0.1:9000/"}`).wantStatus(t, "add again", 200)
	second := tokenPattern.FindStringSubmatch(waitNotified(t, recorder, 2)[1])[1]
	if second == first {
		t.Fatal("the token of old came again")
	}
	do(t, face, "GET", "/smn/subscription/confirm?token="+second, "").wantStatus(t, "new token", 200)
}
