package gateway

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/engine"
)

const (
	endpointARN = "arn:aws:sns:eu-west-1:123456789012:endpoint/FCM/shop.app/11111111-2222-4333-8444-555555555555"
	topicARN    = "arn:aws:sns:eu-west-1:123456789012:orders"
)

// options know one endpoint.
func options() Options {
	known := []byte(`{"Enabled":"true","Token":"t","CustomUserData":"<u>"}`)
	return Options{PublicURL: "https://fanfare.example/", Document: func(key []byte) []byte {
		if string(key) == "sns.endpoint/FCM/shop.app/11111111-2222-4333-8444-555555555555" {
			return known
		}
		return nil
	}}
}

// render returns an encoder, a message and what it renders.
func render(t testing.TB, config engine.SubscriptionConfig, fill func(m *engine.Message)) (e egress.Encoder, m *engine.Message, body string) {
	t.Helper()
	k := New(options())
	config.Name, config.Endpoint = "billing", "http://127.0.0.1:9/gateway"
	f := kindtest.NewFixture(t, k, "orders", config)
	m = f.Commit(t, fill)
	e = k.Compile(f.Subscription)
	b, _ := e.Body(nil, m)
	want := "Content-Type: application/json\r\nUser-Agent: fanfare\r\nFanfare-Message-Id: 22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\r\nFanfare-Attempt: 2\r\n"
	if got := string(e.AppendHeader(nil, m, b, 2)); got != want {
		t.Errorf("the header is %q, want %q", got, want)
	}
	if !json.Valid(b) {
		t.Errorf("not JSON: %s", b)
	}
	return e, m, string(b)
}

func labels(destination string) map[string]string {
	return map[string]string{labelTopicARN: topicARN, labelDestination: destination}
}

const (
	id        = `"MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"`
	arns      = `"TopicArn":"` + topicARN + `","SubscriptionArn":"` + topicARN + `:billing"`
	timestamp = `"Timestamp":"2026-01-02T03:04:05.678Z"`
)

func TestBody(t *testing.T) {
	plain := func(m *engine.Message) { m.Set(engine.FieldBody, []byte("order <42> \"paid\"\n")) }
	const plainText = `"Message":"order <42> \"paid\"\n"`
	structured := func(m *engine.Message) {
		m.Set(engine.FieldStructure, []byte(`{"default":"d","sms":"for \u00e9 phones","GCM":"{\"data\":1}","email":"mail"}`))
		m.Set(engine.FieldBody, []byte("d"))
	}
	direct := func(destination string, fill func(m *engine.Message)) func(m *engine.Message) {
		return func(m *engine.Message) { fill(m); m.Set(engine.FieldKeys, []byte(destination)) }
	}
	for name, c := range map[string]struct {
		config engine.SubscriptionConfig
		fill   func(m *engine.Message)
		want   string
	}{
		"sms": {
			engine.SubscriptionConfig{Protocol: "sms", Labels: labels("+15551234567")},
			plain,
			`{"Type":"Notification","Protocol":"sms","Destination":"+15551234567",` + id + `,` + arns + `,` + plainText + `,` + timestamp + `}`,
		},
		"sms by protocol": {
			engine.SubscriptionConfig{Protocol: "sms", Labels: labels("+15551234567")},
			structured,
			`{"Type":"Notification","Protocol":"sms","Destination":"+15551234567",` + id + `,` + arns + `,"Message":"for é phones",` + timestamp + `}`,
		},
		"sms directly": {
			engine.SubscriptionConfig{Protocol: "sms"},
			direct("+15551234567", plain),
			`{"Type":"Notification","Protocol":"sms","Destination":"+15551234567",` + id + `,` + plainText + `,` + timestamp + `}`,
		},
		"application": {
			engine.SubscriptionConfig{Protocol: "application", Labels: labels(endpointARN)},
			structured,
			`{"Type":"Notification","Protocol":"application","Destination":"` + endpointARN + `","Platform":"FCM","Application":"shop.app",` +
				`"Endpoint":{"Enabled":"true","Token":"t","CustomUserData":"<u>"},` + id + `,` + arns + `,"Message":"{\"data\":1}",` + timestamp + `}`,
		},
		"application directly, deleted": {
			engine.SubscriptionConfig{Protocol: "application"},
			direct(endpointARN+"x", structured),
			`{"Type":"Notification","Protocol":"application","Destination":"` + endpointARN + `x","Platform":"FCM","Application":"shop.app",` +
				id + `,"Message":"{\"data\":1}",` + timestamp + `}`,
		},
		"keys of another cloud do not count": {
			engine.SubscriptionConfig{Protocol: "sms", Labels: labels("+15551234567")},
			direct("key", plain),
			`{"Type":"Notification","Protocol":"sms","Destination":"+15551234567",` + id + `,` + arns + `,` + plainText + `,` + timestamp + `}`,
		},
		"email with everything": {
			engine.SubscriptionConfig{Protocol: "email", Labels: labels("a@example.com"), Token: "00ff"},
			func(m *engine.Message) {
				structured(m)
				m.Set(engine.FieldSubject, []byte("Sub ject"))
				m.AddAttribute([]byte("a"), []byte("String"), []byte("v \"1\""), false)
				m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
			},
			`{"Type":"Notification","Protocol":"email","Destination":"a@example.com",` + id + `,` + arns + `,"Subject":"Sub ject","Message":"mail",` + timestamp +
				`,"UnsubscribeURL":"https://fanfare.example/?Action=Unsubscribe&SubscriptionArn=` + topicARN + `:billing"` +
				`,"MessageAttributes":{"a":{"Type":"String","Value":"v \"1\""},"b":{"Type":"Binary","Value":"AgME"}}}`,
		},
		"a confirmation": {
			engine.SubscriptionConfig{Protocol: "email", Labels: labels("a@example.com"), Token: "00ff"},
			func(m *engine.Message) {
				m.SetType(engine.SubscriptionConfirmation)
				m.Set(engine.FieldToken, []byte("00ff"))
				m.Set(engine.FieldBody, []byte("You have chosen"))
			},
			`{"Type":"SubscriptionConfirmation","Protocol":"email","Destination":"a@example.com",` + id + `,` + arns +
				`,"Token":"00ff","SubscribeURL":"https://fanfare.example/?Action=ConfirmSubscription&TopicArn=` + topicARN + `&Token=00ff","Message":"You have chosen",` + timestamp + `}`,
		},
		"made otherwise": {
			engine.SubscriptionConfig{},
			plain,
			`{"Type":"Notification","Protocol":"http",` + id + `,"TopicArn":"arn:aws:sns:us-east-1:000000000000:orders","SubscriptionArn":"arn:aws:sns:us-east-1:000000000000:orders:billing",` +
				plainText + `,` + timestamp + `}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, got := render(t, c.config, c.fill)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDevice gives the parser what is no endpoint's ARN: nothing is taken out of it.
func TestDevice(t *testing.T) {
	for _, text := range []string{"", "x", "+1555", "arn:aws:sns:r:a", "arn:aws:sns:r:a:app/GCM/x", "arn:aws:sns:r:a:endpoint/GCM/x", "::::::::", "arn:aws:sns:r:a:other/GCM/x/y"} {
		var d device
		d.parse([]byte(text))
		if d.resource != nil || d.textKey() != "default" {
			t.Errorf("%q: got %+v", text, d)
		}
	}
	for platform, key := range map[string]string{
		"GCM": "GCM", "FCM": "GCM", "Baidu": "BAIDU", "BAIDU": "BAIDU", "ADM": "ADM", "APNS": "APNS", "APNS_SANDBOX": "APNS_SANDBOX", "APNS_VOIP": "APNS_VOIP",
		"APNS_VOIP_SANDBOX": "APNS_VOIP_SANDBOX", "MACOS": "MACOS", "MACOS_SANDBOX": "MACOS_SANDBOX", "MPNS": "MPNS", "WNS": "WNS",
	} {
		var d device
		d.parse([]byte("arn:aws:sns:r:a:endpoint/" + platform + "/x/y"))
		if got := d.textKey(); got != key {
			t.Errorf("%s: got %s, want %s", platform, got, key)
		}
	}
}

// TestLocate checks that the options decide where a protocol's pushes go, and whose they are not.
func TestLocate(t *testing.T) {
	k := New(Options{SMS: "http://sms.example/", Application: "http://push.example/", Email: "http://mail.example/"})
	for protocol, want := range map[string]string{
		"sms": "http://sms.example/", "application": "http://push.example/", "email": "http://mail.example/", "email-json": "http://mail.example/", "http": "", "": "",
	} {
		if got := k.Locate(&engine.SubscriptionConfig{Protocol: protocol}); got != want {
			t.Errorf("%q: got %q, want %q", protocol, got, want)
		}
		if got := New(Options{}).Locate(&engine.SubscriptionConfig{Protocol: protocol}); got != "" {
			t.Errorf("%q without options: got %q", protocol, got)
		}
	}
	var _ egress.Locator = k
	for _, bad := range []string{"ftp://h/", "http:///x", "://"} {
		o := Options{SMS: bad}
		if o.Validate() == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// TestRetry checks the number of tries and how long they take in all.
func TestRetry(t *testing.T) {
	p := New(Options{}).DefaultRetry()
	var total time.Duration
	n := 0
	for ; !p.Exhausted(n + 1); n++ {
		total += p.Wait(n + 1)
	}
	if n != 50 || total < 6*time.Hour || total > 8*time.Hour {
		t.Errorf("%d retries over %v, want 50 over 6 hours and more", n, total)
	}
}
