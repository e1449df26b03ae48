package sns

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/auth"
	"fanfare/ingress/auth/authtest"
	"fanfare/ingress/facetest"
)

// testKeys has a credential for each permission, named after it, and "all".
func testKeys() *auth.Keyring {
	credentials := []auth.Credential{{Name: "all", AccessKey: "all", Secret: "secret of all", Permissions: auth.All}}
	for _, name := range auth.PermissionNames() {
		p, _ := auth.ParsePermission(name)
		credentials = append(credentials, auth.Credential{Name: name, AccessKey: name, Secret: auth.Secret("secret of " + name), Permissions: p})
	}
	return auth.NewKeyring(credentials)
}

// signedBy is a form that a credential signs now.
func signedBy(name string, pairs ...string) string {
	return string(authtest.Post(name, "secret of "+name, time.Now(), form(pairs...)).Sign())
}

const (
	textMissing   = "Request is missing Authentication Token"
	textUnknown   = "The security token included in the request is invalid."
	textSignature = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

func TestSignaturesAreVerified(t *testing.T) {
	s := newServer(t, Options{Keys: testKeys()})
	f := func(request string, status int, code, message string) {
		t.Helper()
		if r := s.serve(request); r.status != status || r.Code != code || r.Message != message {
			t.Errorf("%.300q\n got %d %s: %s\nwant %d %s: %s", request, r.status, r.Code, r.Message, status, code, message)
		}
	}
	message := publish("Message", "m")
	now := time.Now()
	f(signedBy("all", message...), 200, "", "")
	f(post(form(message...), ""), 403, "MissingAuthenticationToken", textMissing)
	f(string(authtest.Post("nobody", "secret of all", now, form(message...)).Sign()), 403, "InvalidClientTokenId", textUnknown)
	f(string(authtest.Post("all", "another secret", now, form(message...)).Sign()), 403, "SignatureDoesNotMatch", textSignature)
	f(post(form(message...), "Authorization: Basic YTpi\r\n"), 400, "IncompleteSignature", "Authorization header requires 'Credential' parameter. "+
		"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "+
		"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	f(strings.Replace(signedBy("all", message...), "Message=m", "Message=n", 1), 403, "SignatureDoesNotMatch", textSignature)
	queue := authtest.Post("all", "secret of all", now, form(message...))
	queue.Service = "sqs"
	f(string(queue.Sign()), 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sns'.")

	get := authtest.Get("all", "secret of all", now, "/?"+form(message...))
	f(string(get.Presign(60)), 200, "", "")
	f(string(authtest.Get("all", "secret of all", now.Add(-2*time.Minute), "/?Action=ListTopics").Presign(60)), 400, "RequestExpired", "Request has expired.")
	if r := s.serve(string(authtest.Post("all", "secret of all", now.Add(-16*time.Minute), form(message...)).Sign())); r.status != 403 ||
		r.Code != "SignatureDoesNotMatch" || !strings.HasPrefix(r.Message, "Signature expired: "+now.Add(-16*time.Minute).UTC().Format(authtest.DateForm)+" is now earlier than ") {
		t.Errorf("an old signature: %s", r.text)
	}
	if r := s.serve(string(authtest.Post("all", "secret of all", now.Add(16*time.Minute), form(message...)).Sign())); r.status != 403 ||
		r.Code != "SignatureDoesNotMatch" || !strings.HasPrefix(r.Message, "Signature not yet current: "+now.Add(16*time.Minute).UTC().Format(authtest.DateForm)+" is still later than ") {
		t.Errorf("a signature of the future: %s", r.text)
	}
	s.engine.Close() // everything accepted is dispatched behind this
	if got := len(s.recorder.Messages()); got != 2 {
		t.Errorf("%d messages were published, want 2", got)
	}
}

// TestRefusalsAreLogged reads the log of a refusal: it says what was refused and why, and shows no key and no signature.
func TestRefusalsAreLogged(t *testing.T) {
	var log bytes.Buffer
	s := newServer(t, Options{Keys: testKeys(), Log: zerolog.New(&log)})
	s.serve(string(authtest.Post("all", "another secret", time.Now(), form(publish("Message", "m")...)).Sign()))
	text := log.String()
	if !strings.Contains(text, `"action":"Publish"`) || !strings.Contains(text, "SignatureDoesNotMatch") || strings.Contains(text, "secret of") || strings.Contains(text, "Signature=") {
		t.Errorf("logged: %s", text)
	}
}

// TestOpen accepts everything while there is no credential, and stops as soon as there is one.
func TestOpen(t *testing.T) {
	keys := auth.NewKeyring(nil)
	s := newServer(t, Options{Keys: keys})
	if r := s.do(publish("Message", "m")...); r.status != 200 || s.face.Verifies() {
		t.Errorf("without credentials: %s", r.text)
	}
	keys.Replace([]auth.Credential{{Name: "a", AccessKey: "a", Secret: "s"}})
	if r := s.do(publish("Message", "m")...); r.Code != "MissingAuthenticationToken" || !s.face.Verifies() {
		t.Errorf("with credentials: %s", r.text)
	}
}

// TestPermissions asks for every action with every credential. Who may not is told so before anything is looked up: a
// topic that exists and one that does not are refused alike.
func TestCredentialPermissions(t *testing.T) {
	actions := append(slices.Collect(maps.Keys(operations)), "Publish", "PublishBatch")
	for _, topic := range []string{arnT1, "arn:aws:sns:us-east-1:000000000000:guessed"} {
		s := newServer(t, Options{Keys: testKeys()})
		for _, action := range actions {
			need, listed := permissionOf[action]
			if !listed {
				need = auth.Admin
			}
			for _, name := range auth.PermissionNames() {
				p, _ := auth.ParsePermission(name)
				r := s.serve(signedBy(name, "Action", action, "TopicArn", topic))
				want := fmt.Sprintf("User: arn:aws:iam::000000000000:user/%s is not authorized to perform: SNS:%s on resource: %s because no identity-based policy allows the SNS:%s action",
					name, action, topic, action)
				refused := r.status == 403 && r.Code == "AuthorizationError" && r.Message == want
				if refused == p.Has(need) || !refused && r.status == 403 {
					t.Errorf("%s of %s: %d %s", action, name, r.status, r.text)
				}
			}
		}
	}
	s := newServer(t, Options{Keys: testKeys()})
	f := func(want string, pairs ...string) {
		t.Helper()
		if r := s.serve(signedBy("receive", pairs...)); !strings.Contains(r.Message, want) {
			t.Errorf("%v: got %s, want %s", pairs, r.Message, want)
		}
	}
	f("on resource: arn:aws:sns:us-east-1:000000000000:new because", "Action", "CreateTopic", "Name", "new")
	f("on resource: arn:aws:sns:us-east-1:000000000000:* because", "Action", "ListTopics")
	f("Could not find operation Conquer for version 2010-03-31", "Action", "Conquer")
	if r := s.serve(post(form("Action", "Conquer"), "")); r.Code != "MissingAuthenticationToken" {
		t.Errorf("an unknown action, unsigned: %s", r.text)
	}
}

// TestLinksStayUnsigned follows the links of messages without a signature. A signature that is there has to be good.
func TestLinksStayUnsigned(t *testing.T) {
	s := newServer(t, Options{Keys: testKeys()})
	link := func(pairs ...string) string {
		return "GET /?" + form(pairs...) + " HTTP/1.1\r\nHost: h\r\n\r\n"
	}
	confirm := []string{"Action", "ConfirmSubscription", "TopicArn", arnOrders, "Token", pendingToken}
	forged := strings.Replace(link(confirm...), "\r\n\r\n", "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=all/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n", 1)
	if r := s.serve(forged); r.status == 200 {
		t.Errorf("a forged signature: %s", r.text)
	}
	if r := s.serve(link(confirm...)); r.status != 200 || r.ConfirmedARN != arnOrders+":"+pendingName {
		t.Errorf("confirm: %s", r.text)
	}
	pending := s.engine.Topic([]byte("orders")).Subscription(pendingName)
	if labels := pending.Config().Labels; labels["sns.authenticated"] != "false" {
		t.Errorf("labels of the confirmed: %v", labels)
	}
	// Guarded: only a good signature ends it.
	if err := s.engine.UpdateSubscription(pending, func(c *engine.SubscriptionConfig) { c.Labels[labelGuarded] = "true" }); err != nil {
		t.Fatal(err)
	}
	end := []string{"Action", "Unsubscribe", "SubscriptionArn", arnOrders + ":" + pendingName}
	if r := s.serve(link(end...)); r.status != 403 || r.Code != "AuthorizationError" {
		t.Errorf("unsubscribe from a guarded one: %s", r.text)
	}
	if r := s.serve(link(append(end, "X-Amz-Signature", "00")...)); r.status == 200 {
		t.Errorf("with a made up signature: %s", r.text)
	}
	if r := s.serve(signedBy("subscribe", end...)); r.status != 200 {
		t.Errorf("signed: %s", r.text)
	}
	// One that was not made here has no link but its name, which can be guessed.
	end = []string{"Action", "Unsubscribe", "SubscriptionArn", arnOrders + ":" + confirmedName}
	if r := s.serve(link(end...)); r.status != 403 || r.Code != "AuthorizationError" {
		t.Errorf("unsubscribe from one with a name of choice: %s", r.text)
	}
	if r := s.serve(signedBy("subscribe", end...)); r.status != 200 {
		t.Errorf("signed: %s", r.text)
	}
	if s.engine.Topic([]byte("orders")).Subscription(confirmedName) != nil {
		t.Error("the subscription is still there")
	}
}

// TestForgedOnTheWire sends changed requests through the server in front of the face: none publishes anything else than
// what was signed, and no bit of a signature can be changed.
func TestForgedOnTheWire(t *testing.T) {
	recorder := &facetest.Recorder{}
	e := facetest.NewEngine(t, nil, recorder)
	setup(t, e)
	var face ingress.Face = New(e, Options{Keys: testKeys()})
	good := []byte(signedBy("all", publish("Message", "m")...))
	signature := bytes.Index(good, []byte("Signature=")) + len("Signature=")
	for i := signature; i < signature+64; i++ {
		changed := bytes.Clone(good)
		changed[i] ^= byte(1 + i%2*2)
		if reply := string(facetest.Do(t, face, changed)); !strings.Contains(reply, "<Message>"+textSignature+"</Message>") || !strings.HasPrefix(reply, "HTTP/1.1 403 ") {
			t.Errorf("%q: %s", changed, reply)
		}
	}
	accepted := 0
	head := bytes.Index(good, []byte("\r\n\r\n"))
	for i := 0; i < head; i += 3 {
		changed := bytes.Clone(good)
		changed[i] ^= byte(1 << (i / 3 % 7))
		if bytes.HasPrefix(changed, []byte("HEAD")) || bytes.Contains(bytes.ToLower(changed[:head]), []byte("connection")) {
			continue
		}
		if bytes.HasPrefix(facetest.Do(t, face, changed), []byte("HTTP/1.1 200 ")) {
			accepted++
		}
	}
	e.Close()
	messages := recorder.Messages()
	if len(messages) != accepted || accepted > head/12 {
		t.Errorf("%d of %d accepted, %d messages", accepted, head/3, len(messages))
	}
	for _, m := range messages {
		if m != "topic: T1\nbody: \"m\"\n" {
			t.Errorf("published: %s", m)
		}
	}
	t.Logf("%d changed requests of %d said the same", accepted, head/3)
}
