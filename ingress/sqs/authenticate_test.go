package sqs

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

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

// signedForm is a request of the query protocol that a credential signs at a time.
func signedForm(name, secret string, at time.Time, form string) authtest.Request {
	r := authtest.Post(name, secret, at, form)
	r.Service = service
	return r
}

// Without a good signature nothing passes, in either protocol.
func TestSignaturesAreVerified(t *testing.T) {
	c := newClient(t, Options{Keys: testKeys()})
	f := func(request []byte, status int, code string) {
		t.Helper()
		got := facetest.Mask(facetest.Do(t, c.face, request))
		if !strings.HasPrefix(got, "HTTP/1.1 "+strconv.Itoa(status)) || code != "" && !strings.Contains(got, "<Code>"+code+"</Code>") && !strings.Contains(got, "#"+code+`"`) {
			t.Errorf("want %d %s, got\n%s", status, code, got)
		}
	}
	const form = "Action=SendMessage&QueueUrl=/plain&MessageBody=m"
	const object = `{"QueueUrl":"/plain","MessageBody":"m"}`
	now := time.Now()
	json := authtest.Post("all", "secret of all", now, object)
	json.Service = service
	json.Fields[1][1] = "application/x-amz-json-1.0"
	json = json.With("X-Amz-Target", "AmazonSQS.SendMessage")

	f(signedForm("all", "secret of all", now, form).Sign(), 200, "")
	f(json.Sign(), 200, "")
	f(signedForm("all", "secret of all", now, form).Wire(""), 403, "MissingAuthenticationToken")
	f(json.Wire(""), 403, "MissingAuthenticationToken")
	f(signedForm("all", "another secret", now, form).Sign(), 403, "SignatureDoesNotMatch")
	f(signedForm("nobody", "secret of all", now, form).Sign(), 403, "InvalidClientTokenId")
	f(signedForm("all", "secret of all", now.Add(-16*time.Minute), form).Sign(), 403, "SignatureDoesNotMatch")
	f(bytes.Replace(json.Sign(), []byte(`"m"`), []byte(`"n"`), 1), 403, "SignatureDoesNotMatch")
	wrong := json
	wrong.Service = "sns"
	f(wrong.Sign(), 403, "SignatureDoesNotMatch")
	get := authtest.Get("all", "secret of all", now, "/000000000000/plain?Action=SendMessage&MessageBody=m&Version=2012-11-05")
	get.Service = service
	f(get.Presign(60), 200, "")
	if counts := c.engine.Queue([]byte("plain")).Counts(); counts.Visible != 3 {
		t.Errorf("%d messages were sent, want 3", counts.Visible)
	}
}

// Each action wants one of its permissions, and no other one helps.
func TestActionsWantPermissions(t *testing.T) {
	want := map[string]string{
		"SendMessage": "publish", "SendMessageBatch": "publish", "ReceiveMessage": "receive", "DeleteMessage": "receive", "DeleteMessageBatch": "receive",
		"ChangeMessageVisibility": "receive", "ChangeMessageVisibilityBatch": "receive", "GetQueueUrl": "publish receive admin", "GetQueueAttributes": "receive admin",
		"CreateQueue": "admin", "DeleteQueue": "admin", "PurgeQueue": "admin", "ListQueues": "admin", "SetQueueAttributes": "admin", "TagQueue": "admin",
		"UntagQueue": "admin", "ListQueueTags": "admin", "AddPermission": "admin", "RemovePermission": "admin", "ListDeadLetterSourceQueues": "admin",
		"StartMessageMoveTask": "admin", "ListMessageMoveTasks": "admin", "CancelMessageMoveTask": "admin",
	}
	var log bytes.Buffer
	c := newClient(t, Options{Keys: testKeys(), Log: zerolog.New(&log)})
	for _, action := range slices.Sorted(maps.Keys(want)) {
		if operationOf([]byte(action)) == nil {
			t.Errorf("there is no %s", action)
		}
		for _, name := range auth.PermissionNames() {
			reply := string(facetest.Do(t, c.face, signedForm(name, "secret of "+name, time.Now(), "Action="+action+"&QueueUrl=/nobody").Sign()))
			denied := strings.Contains(reply, "<Code>AccessDenied</Code>")
			if denied == strings.Contains(want[action], name) {
				t.Errorf("%s by %s: %s", action, name, reply)
			}
			if denied && !strings.Contains(reply, "User: arn:aws:iam::000000000000:user/"+name+" is not authorized to perform: sqs:"+strings.ToLower(action)+" because") {
				t.Errorf("%s by %s: %s", action, name, reply)
			}
		}
	}
	if len(want) != len(control)+5 {
		t.Errorf("%d actions are tried, there are %d", len(want), len(control)+5)
	}
	if text := log.String(); !strings.Contains(text, "AccessDenied") || strings.Contains(text, "secret of") || strings.Contains(text, "Signature=") {
		t.Errorf("logged: %.500s", text)
	}
}
