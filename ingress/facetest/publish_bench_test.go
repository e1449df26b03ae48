package facetest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress"
	"fanfare/ingress/dms"
	"fanfare/ingress/facetest"
	"fanfare/ingress/native"
	"fanfare/ingress/rocketmq"
	"fanfare/ingress/scan"
	"fanfare/ingress/smn"
	"fanfare/ingress/smq"
	"fanfare/ingress/sns"
)

const (
	messageBytes = 1 << 10
	project      = "0123456789abcdef0123456789abcdef"
	instance     = "3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c"
)

// texts are the bodies of the publishes: one that hardly needs escaping, one that needs a lot, one that is not ASCII.
var texts = []struct{ name, unit string }{
	{"prose", "fanfare sends every message to all who asked for it and waits for nobody "},
	{"json", `{"order":4711,"state":"paid","lines":[{"sku":"a-1","n":2},{"sku":"b-2","n":1}],"note":"<none>"}`},
	{"chinese", "订单已经支付，请尽快发货。"},
}

// publishes are the requests as the services' own clients send them.
var publishes = []struct {
	face    string
	request func(text string) string
}{
	{"native", func(text string) string {
		return post("/v1/topics/orders/messages", text, "Content-Type: text/plain; charset=utf-8")
	}},
	{"sns", func(text string) string { // as the SDKs for Go, Java and Python write a form
		return post("/", snsForm(url.QueryEscape(text)), snsHead...)
	}},
	{"sns-js", func(text string) string { // as the SDK for JavaScript does
		return post("/", snsForm(strings.ReplaceAll(url.QueryEscape(text), "+", "%20")), snsHead...)
	}},
	{"sns-batch", func(text string) string { return post("/", snsBatch(text), snsHead...) }},
	{"smq", func(text string) string { return smqPost(xmlText(text)) }},
	{"smq-go", func(text string) string { // as the SDK for Go writes it
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
		return smqPost(b.String())
	}},
	{"rocketmq", func(text string) string {
		return post("/topics/orders/messages?ns=MQ_INST_1", `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mq.aliyuncs.com/doc/v1/">`+
			`<MessageBody>`+xmlText(text)+`</MessageBody><MessageTag>paid</MessageTag><Properties>KEYS:o-42|</Properties></Message>`,
			"Authorization: MQ AKIDEXAMPLE:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Content-Type: text/xml;charset=UTF-8",
			"Date: Tue, 24 Nov 2026 12:00:00 GMT", "x-mq-version: 2015-06-06")
	}},
	{"smn", func(text string) string {
		return post("/v2/"+project+"/notifications/topics/urn%3Asmn%3Aeu-de%3A"+project+"%3Aorders/publish",
			`{"subject":"order","message":`+jsonText(text)+`,"time_to_live":"3600"}`, huaweiHead...)
	}},
	{"dms", func(text string) string {
		return post("/v2/rocketmq/"+project+"/instances/"+instance+"/messages",
			`{"topic":"orders","body":`+jsonText(text)+`,"property_list":[{"name":"KEYS","value":"o-42"},{"name":"TAGS","value":"paid"}]}`, huaweiHead...)
	}},
}

func smqPost(message string) string {
	return post("/topics/orders/messages", `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/">`+
		`<MessageBody>`+message+`</MessageBody><MessageTag>paid</MessageTag></Message>`,
		"Authorization: MNS AKIDEXAMPLE:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Content-Type: text/xml;charset=UTF-8",
		"Date: Tue, 24 Nov 2026 12:00:00 GMT", "x-mns-version: 2015-06-06")
}

var snsHead = []string{
	"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/sns/aws4_request, " +
		"SignedHeaders=content-length;content-type;host;x-amz-date, Signature=" + strings.Repeat("0", 64),
	"Content-Type: application/x-www-form-urlencoded", "X-Amz-Date: 20261124T120000Z", "Amz-Sdk-Request: attempt=1; max=3",
	"Amz-Sdk-Invocation-Id: 3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c", "Accept-Encoding: identity",
}

var huaweiHead = []string{"Content-Type: application/json;charset=UTF-8", "X-Sdk-Date: 20261124T120000Z", "X-Project-Id: " + project, "X-Auth-Token: token"}

const snsARN = "arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders"

func snsForm(message string) string {
	return "Action=Publish&Message=" + message + "&Subject=order+paid&TopicArn=" + snsARN + "&Version=2010-03-31"
}

func snsBatch(text string) string {
	var b strings.Builder
	b.WriteString("Action=PublishBatch")
	for i := range 10 {
		const entry = "&PublishBatchRequestEntries.member.%d.Id=m%d&PublishBatchRequestEntries.member.%d.Message=%s"
		fmt.Fprintf(&b, entry, i+1, i+1, i+1, url.QueryEscape(text))
	}
	return b.String() + "&TopicArn=" + snsARN + "&Version=2010-03-31"
}

func xmlText(text string) string { return string(scan.AppendXMLEscaped(nil, []byte(text))) }

func jsonText(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func post(path, body string, head ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: client/1.0\r\n" + strings.Join(head, "\r\n") +
		fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// exchange is one connection's request, read once and served again and again.
type exchange struct {
	ctx fasthttp.RequestCtx
	h   ingress.Head
	out *bufio.Writer
}

func newExchange(b *testing.B, request string) *exchange {
	b.Helper()
	x := &exchange{out: bufio.NewWriter(io.Discard)}
	x.ctx.Init(&fasthttp.Request{}, nil, nil)
	if err := x.ctx.Request.Read(bufio.NewReader(bytes.NewReader([]byte(request)))); err != nil {
		b.Fatal(err)
	}
	return x
}

// serve does what the server does between the reading of a request and the writing of its reply.
func (x *exchange) serve(faces []ingress.Face) error {
	x.ctx.Response.Header.Reset()
	x.ctx.Response.SetBody(nil) // a connection keeps its buffer
	x.h = ingress.ParseHead(&x.ctx.Request.Header)
	for _, f := range faces {
		if f.Claims(&x.h) {
			f.Serve(&x.ctx, &x.h)
			break
		}
	}
	return x.ctx.Response.Write(x.out)
}

// allFaces are the faces in the order in which the binary asks them.
func allFaces(e *engine.Engine) []ingress.Face {
	return []ingress.Face{
		native.New(e, native.Options{}), rocketmq.New(e, rocketmq.Options{}), smq.New(e, smq.Options{}),
		dms.New(e, dms.Options{}), smn.New(e, smn.Options{Region: "eu-de"}), sns.New(e, sns.Options{}),
	}
}

func newEngine(b *testing.B) *engine.Engine {
	b.Helper()
	e := facetest.NewEngine(b, memstore.New(memstore.Options{}), facetest.Quiet())
	if _, _, err := e.CreateTopic("orders", nil); err != nil {
		b.Fatal(err)
	}
	return e
}

func eachPublish(b *testing.B, f func(b *testing.B, request string)) {
	for _, p := range publishes {
		for _, t := range texts {
			b.Run("face="+p.face+"/text="+t.name, func(b *testing.B) {
				text := strings.Repeat(t.unit, messageBytes/len(t.unit)+1)[:messageBytes/len(t.unit)*len(t.unit)]
				f(b, p.request(text))
			})
		}
	}
}

// BenchmarkParse is a publish up to the engine's door, which is closed: the parsing, and a reply of refusal.
func BenchmarkParse(b *testing.B) {
	eachPublish(b, func(b *testing.B, request string) {
		e := newEngine(b)
		faces := allFaces(e)
		x := newExchange(b, request)
		if err := x.serve(faces); err != nil || x.ctx.Response.StatusCode() >= 300 {
			b.Fatalf("%v, %s", err, x.ctx.Response.String())
		}
		e.Close()
		b.ReportAllocs()
		for b.Loop() {
			if err := x.serve(faces); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPublish is the whole of a publish on 256 connections. The time that counts is that of all
// processors. Without a face it is the engine's share: what a face costs is the difference.
func BenchmarkPublish(b *testing.B) {
	b.Run("face=none", func(b *testing.B) {
		e := newEngine(b)
		topic, body := e.Topic([]byte("orders")), make([]byte, messageBytes)
		parallel(b, func() func() error {
			return func() error {
				m := engine.NewMessage()
				defer m.Release()
				m.Set(engine.FieldBody, body)
				return e.Publish(topic, m)
			}
		})
	})
	eachPublish(b, func(b *testing.B, request string) {
		faces := allFaces(newEngine(b))
		parallel(b, func() func() error {
			x := newExchange(b, request)
			return func() error {
				if err := x.serve(faces); err != nil {
					return err
				}
				if status := x.ctx.Response.StatusCode(); status >= 300 {
					return fmt.Errorf("status %d", status)
				}
				return nil
			}
		})
	})
}

// parallel runs one of the functions that connect returns on each of 256 connections, give or take.
func parallel(b *testing.B, connect func() func() error) {
	b.ReportAllocs()
	b.SetParallelism(256 / runtime.GOMAXPROCS(0))
	before := cpuTime(b)
	b.RunParallel(func(pb *testing.PB) {
		publish := connect()
		for pb.Next() {
			if err := publish(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}
