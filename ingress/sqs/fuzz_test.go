package sqs

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// seed adds the bodies of the golden files of one protocol.
func seed(f *testing.F, isJSON bool) {
	f.Helper()
	for head, body := range facetest.Requests(f, "testdata/wire/*.txtar") {
		if strings.Contains(head, "X-Amz-Target") == isJSON {
			f.Add(body)
		}
	}
}

// wantTexts are what encoding/json makes of the texts and numbers of an object, but for null.
func wantTexts(object map[string]json.RawMessage, low, high param) (want map[param]string, ok bool) {
	want = map[param]string{}
	for name, raw := range object {
		p := paramOf([]byte(name))
		if p < low || p >= high || string(raw) == "null" {
			continue
		}
		if p.isNumber() {
			var n json.Number
			if raw[0] == '"' || json.Unmarshal(raw, &n) != nil {
				return nil, false
			}
			want[p] = n.String()
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return nil, false
		}
		want[p] = text
	}
	return want, true
}

func compareTexts(t *testing.T, c *call, body string, want map[param]string, low, high param, value func(param) []byte) {
	t.Helper()
	for p := low; p < high; p++ {
		text, given := want[p]
		raw := value(p)
		got, err := c.text(raw)
		if given != (raw != nil) || err != nil || string(got) != text {
			t.Fatalf("%q: parameter %d is %q (%v, %v), want %q (%v)", body, p, got, raw != nil, err, text, given)
		}
	}
}

// FuzzSQSJSON takes bodies apart and compares what it makes of those it accepts with encoding/json.
func FuzzSQSJSON(f *testing.F) {
	seed(f, true)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := parsed(t, true, "/", body)
		if err != nil {
			if faultOf(err) == errInternal {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var object map[string]json.RawMessage
		if body == "" {
			return
		}
		if err := json.Unmarshal([]byte(body), &object); err != nil || object == nil {
			t.Fatalf("%q is accepted, encoding/json says %v", body, err)
		}
		want, ok := wantTexts(object, 0, params)
		if !ok {
			t.Fatalf("%q has a member of another type", body)
		}
		compareTexts(t, c, body, want, 0, params, c.form.value)
		var entries []map[string]json.RawMessage
		if raw, ok := object["Entries"]; ok {
			if err := json.Unmarshal(raw, &entries); err != nil {
				t.Fatalf("%q: Entries: %v", body, err)
			}
		}
		if len(entries) != c.form.sent {
			t.Fatalf("%q: %d entries, want %d", body, c.form.sent, len(entries))
		}
		for i := range c.form.entries[:c.form.count] {
			want, ok := wantTexts(entries[i], 0, entryParams)
			if !ok {
				t.Fatalf("%q: entry %d has a member of another type", body, i)
			}
			compareTexts(t, c, body, want, 0, entryParams, func(p param) []byte { return c.form.entries[i].values[p] })
		}
		attributes := map[string]string{}
		if raw, ok := object["Attributes"]; ok {
			if err := json.Unmarshal(raw, &attributes); err != nil {
				t.Fatalf("%q: Attributes: %v", body, err)
			}
		}
		got, err := c.pairs(c.form.attributes)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		for _, pair := range got {
			if attributes[pair.key] != pair.value && !strings.Contains(body, `\`) { // a key may be written in two ways
				t.Fatalf("%q: attribute %q is %q, want %q", body, pair.key, pair.value, attributes[pair.key])
			}
		}
	})
}

// FuzzSQSQuery takes forms apart and compares what it makes of those it accepts with net/url.
func FuzzSQSQuery(f *testing.F) {
	seed(f, false)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := parsed(t, false, "/", body)
		if err != nil {
			if faultOf(err) == errInternal {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if strings.Contains(body, ";") {
			return // net/url refuses it
		}
		want := map[param]string{}
		for pair := range strings.SplitSeq(body, "&") {
			key, value, _ := strings.Cut(pair, "=")
			k, err1 := url.QueryUnescape(key)
			v, err2 := url.QueryUnescape(value)
			if p := paramOf([]byte(k)); err1 == nil && p < params {
				if err2 != nil || !utf8.ValidString(v) {
					return // it is refused when it is looked at
				}
				if _, twice := want[p]; twice {
					t.Fatalf("%q: %s is there twice", body, k)
				}
				want[p] = v
			}
		}
		compareTexts(t, c, body, want, 0, params, c.form.value)
	})
}

// FuzzSQSRequest lets the face answer whatever comes: it must not panic, and the reply must have a request id.
func FuzzSQSRequest(f *testing.F) {
	for _, action := range []string{"SendMessage", "SendMessageBatch", "CreateQueue", "SetQueueAttributes", "AddPermission", "TagQueue", "DeleteMessage", "StartMessageMoveTask"} {
		f.Add(action, `{"QueueUrl":"/1/plain","QueueName":"x","MessageBody":"m","Entries":[{"Id":"a","MessageBody":"m","ReceiptHandle":"x"}],"Attributes":{"RedrivePolicy":"{}"},"tags":{"a":"b"}}`)
		f.Add(action, "QueueUrl=/1/plain&QueueName=x&MessageBody=m&Label=l&AWSAccountId.1=111122223333&ActionName.1=*&ReceiptHandle=x")
	}
	e := facetest.NewEngine(f, nil, facetest.Quiet())
	face := setup(f, e)
	f.Fuzz(func(t *testing.T, action, body string) {
		for _, isJSON := range []bool{true, false} {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, nil, nil)
			h := &ctx.Request.Header
			h.SetMethod("POST")
			h.SetRequestURI("/")
			if isJSON {
				h.Set("X-Amz-Target", "AmazonSQS."+action)
				ctx.Request.SetBodyString(body)
			} else {
				ctx.Request.SetBodyString("Action=" + url.QueryEscape(action) + "&" + body)
			}
			if strings.Contains(action, "Receive") {
				return // it would wait as long as it is told to
			}
			head := ingress.ParseHead(h)
			face.Serve(&ctx, &head)
			if len(ctx.Response.Header.PeekCanonical([]byte("x-amzn-RequestId"))) == 0 || ctx.Response.StatusCode() == 500 {
				t.Fatalf("%q %q: %d %s", action, body, ctx.Response.StatusCode(), ctx.Response.Body())
			}
			if isJSON && !json.Valid(ctx.Response.Body()) {
				t.Fatalf("%q %q: %s is not JSON", action, body, ctx.Response.Body())
			}
		}
	})
}
