package sns

import (
	"bufio"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// FuzzSNSPublish reads bodies as Publish and compares what it makes of those it accepts with net/url.
func FuzzSNSPublish(f *testing.F) {
	for _, body := range facetest.Requests(f, "testdata/wire/publish*.txtar") {
		f.Add(body)
	}
	e := facetest.NewEngine(f, nil, facetest.Quiet())
	setupFIFO(f, e)
	face := New(e, Options{})
	f.Fuzz(func(t *testing.T, body string) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
			return // no request at all
		}
		h := ingress.ParseHead(&ctx.Request.Header)
		c := newCall(face, &ctx, &h)
		defer c.release()
		if _, err := c.find("Action"); err != nil {
			return
		}
		if err := c.scanPublish(false); err != nil {
			return
		}
		m := engine.NewMessage()
		defer m.Release()
		topic, err := c.fillPublish(m)
		if err != nil {
			if faultOf(err) == errInternal {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if strings.Contains(body, ";") {
			return // net/url refuses it
		}
		want := url.Values{}
		for pair := range strings.SplitSeq(body, "&") {
			key, value, _ := strings.Cut(pair, "=")
			k, err1 := url.QueryUnescape(key)
			v, err2 := url.QueryUnescape(value)
			if err1 == nil && err2 == nil {
				want.Add(k, v)
			}
		}
		message := engine.FieldBody
		if want.Get("MessageStructure") != "" {
			message = engine.FieldStructure
		}
		for name, got := range map[string][]byte{
			"Message": m.Get(message), "Subject": m.Get(engine.FieldSubject), "MessageGroupId": m.Get(engine.FieldGroup),
			"MessageDeduplicationId": m.Get(engine.FieldDeduplicationID),
		} {
			if len(want[name]) > 1 || want.Get(name) != string(got) {
				t.Fatalf("%q: %s is %q, want %q", body, name, got, want[name])
			}
		}
		if fifo := topic.Config().FIFO; fifo != nil && (!m.Has(engine.FieldGroup) || !m.Has(engine.FieldDeduplicationID) && !fifo.ByContent) {
			t.Fatalf("%q: a message without an order on a FIFO topic", body)
		}
		if arn := want.Get("TopicArn") + want.Get("TargetArn"); !strings.HasSuffix(arn, ":"+topic.Name()) {
			t.Fatalf("%q: topic %q of %q", body, topic.Name(), arn)
		}
		for it := m.Attributes(); it.Next(); {
			if len(it.Name) == 0 || len(it.Type) == 0 || len(it.Value) == 0 {
				t.Fatalf("%q: attribute %q %q %q", body, it.Name, it.Type, it.Value)
			}
		}
	})
}

// FuzzSNSRequest lets the face answer whatever comes: it must not panic, and the reply must have its request id.
func FuzzSNSRequest(f *testing.F) {
	f.Add("Action=Subscribe&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true", "x=1")
	f.Add("Action=PublishBatch&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=m", "TopicArn="+arnT1)
	f.Add("Action=CreateTopic&Name=a&Tags.member.1.Key=k&Tags.member.1.Value=v", "X-Amz-Credential=k%2F20260102%2Fus-east-1%2Fsns%2Faws4_request")
	f.Add("Action=CreateTopic&Name=a.fifo&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true", "")
	f.Add("Action=PublishBatch&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=m&PublishBatchRequestEntries.member.1.MessageGroupId=g", "TopicArn="+arnNews)
	f.Add("Action=AddPermission&AWSAccountId.member.1=111122223333&ActionName.member.1=Publish&Label=l&TopicArn="+arnT1, "")
	f.Add("Action=SetTopicAttributes&AttributeName=Policy&AttributeValue=%7B%22Statement%22%3A%5B%5D%7D&TopicArn="+arnT1, "")
	f.Add("Action=CreatePlatformApplication&Name=a&Platform=GCM&Attributes.entry.1.key=PlatformCredential&Attributes.entry.1.value=c", "")
	f.Add("Action=CreatePlatformEndpoint&Token=t&PlatformApplicationArn="+arnBase+"app/GCM/a", "CustomUserData=x")
	f.Add("Action=Publish&Message=m&TargetArn="+arnBase+"endpoint/GCM/a/11111111-2222-4333-8444-555555555555", "")
	f.Add("Action=Subscribe&Protocol=sms&Endpoint=%2B1-555-1234567&TopicArn="+arnT1, "")
	f.Add("Action=ListPlatformApplications&NextToken=YQ", "MaxResults=1")
	f.Add("Action=CreateSMSSandboxPhoneNumber&PhoneNumber=15551234567", "")
	e := facetest.NewEngine(f, nil, facetest.Quiet())
	setupFIFO(f, e)
	face := New(e, Options{Gateways: allGateways})
	f.Fuzz(func(t *testing.T, body, query string) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		ctx.Request.Header.SetMethod("POST")
		ctx.Request.Header.SetRequestURI("/?" + query)
		ctx.Request.SetBodyString(body)
		h := ingress.ParseHead(&ctx.Request.Header)
		face.Serve(&ctx, &h)
		id := string(ctx.Response.Header.PeekCanonical([]byte("x-amzn-RequestId")))
		if id == "" || !strings.Contains(string(ctx.Response.Body()), id) {
			t.Fatalf("%q %q: %d %s", body, query, ctx.Response.StatusCode(), ctx.Response.Body())
		}
	})
}
