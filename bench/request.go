package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// The publish requests have the form the services' own SDKs give them: paths, headers and bodies as in
// the documents PublishMessage (SMQ), SendMessage over HTTP (RocketMQ, DMS for RocketMQ), PublishMessage
// (SMN) and Publish (SNS, query protocol). The signatures are well-formed and signed with no key, so they
// fit a server without credentials only, unless a key is given: then those of sns and sqs are good.

// Faces are the APIs that publish to a topic: the words PublishOptions.Face takes, beside sqs.
var Faces = []string{"smq", "rocketmq", "dms", "smn", "sns", "native"}

// faceSQS sends to a queue.
const faceSQS = "sqs"

// form is one face's publish request before it is put into bytes.
type form struct {
	path    string
	headers []string // name and value in turn
	body    string
	success int // status of an accepted publish
}

var forms = map[string]func(o *PublishOptions, body string, now time.Time) form{
	"smq":      smqForm,
	"rocketmq": rocketmqForm,
	"dms":      dmsForm,
	"smn":      smnForm,
	"sns":      snsForm,
	"native":   nativeForm,
	faceSQS:    sqsForm,
}

// formOf returns the form of the requests that the options ask for.
func formOf(o *PublishOptions, body string, now time.Time) form {
	if batch := batchForms[o.Face]; batch != nil && o.Batch > 1 {
		return batch(o, body, now)
	}
	return forms[o.Face](o, body, now)
}

const (
	hmacOfNobody   = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
	sha256OfNobody = "0000000000000000000000000000000000000000000000000000000000000000"
)

func smqForm(o *PublishOptions, body string, now time.Time) form {
	return form{
		path: "/topics/" + url.PathEscape(o.Topic) + "/messages",
		headers: []string{
			"Authorization", "MNS fanfare-bench:" + hmacOfNobody,
			"Content-Type", "text/xml;charset=utf-8",
			"Date", now.UTC().Format(httpDate),
			"x-mns-version", "2015-06-06",
		},
		body: `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/">` +
			`<MessageBody>` + body + `</MessageBody><MessageTag>bench</MessageTag></Message>`,
		success: fasthttp.StatusCreated,
	}
}

func rocketmqForm(o *PublishOptions, body string, now time.Time) form {
	return form{
		path: "/topics/" + url.PathEscape(o.Topic) + "/messages?ns=" + url.QueryEscape(o.Instance),
		headers: []string{
			"Authorization", "MQ fanfare-bench:" + hmacOfNobody,
			"Content-Type", "text/xml;charset=utf-8",
			"Date", now.UTC().Format(httpDate),
			"x-mq-version", "2015-06-06",
		},
		body: `<Message><MessageBody>` + body + `</MessageBody><MessageTag>bench</MessageTag>` +
			`<Properties>KEYS:k1|</Properties></Message>`,
		success: fasthttp.StatusCreated,
	}
}

func dmsForm(o *PublishOptions, body string, _ time.Time) form {
	return form{
		path: "/v2/rocketmq/" + url.PathEscape(o.Project) + "/instances/" + url.PathEscape(o.Instance) + "/messages",
		headers: []string{
			"Content-Type", "application/json;charset=UTF-8",
			"X-Auth-Token", "fanfare-bench",
		},
		body: `{"topic":` + jsonString(o.Topic) + `,"body":` + jsonString(body) +
			`,"property_list":[{"name":"KEYS","value":"k1"},{"name":"TAGS","value":"bench"}]}`,
		success: fasthttp.StatusOK,
	}
}

func smnForm(o *PublishOptions, body string, _ time.Time) form {
	urn := "urn:smn:" + o.Region + ":" + o.Project + ":" + o.Topic
	return form{
		path: "/v2/" + url.PathEscape(o.Project) + "/notifications/topics/" + url.PathEscape(urn) + "/publish",
		headers: []string{
			"Content-Type", "application/json;charset=UTF-8",
			"X-Auth-Token", "fanfare-bench",
		},
		body:    `{"subject":"bench","message":` + jsonString(body) + `}`,
		success: fasthttp.StatusOK,
	}
}

func snsForm(o *PublishOptions, body string, now time.Time) form {
	arn := "arn:aws:sns:" + o.Region + ":" + o.Account + ":" + o.Topic
	return form{
		path:    "/",
		headers: snsHeaders(o, now),
		body: "Action=Publish&Message=" + url.QueryEscape(body) + snsGroup(o, "") + "&Subject=bench&TopicArn=" +
			url.QueryEscape(arn) + "&Version=2010-03-31",
		success: fasthttp.StatusOK,
	}
}

func snsHeaders(o *PublishOptions, now time.Time) []string {
	return []string{
		"Authorization", nobodys(o, "sns", "content-length;content-type;host;x-amz-date", now),
		"Content-Type", "application/x-www-form-urlencoded",
		"X-Amz-Date", now.UTC().Format(amzDate),
	}
}

// nobodys is an Authorization field that nobody signed.
func nobodys(o *PublishOptions, service, signed string, now time.Time) string {
	return "AWS4-HMAC-SHA256 Credential=FANFAREBENCH/" + now.UTC().Format(amzDay) + "/" + o.Region + "/" + service + "/aws4_request, " +
		"SignedHeaders=" + signed + ", Signature=" + sha256OfNobody
}

// snsGroup is what a message to a FIFO topic has more, with the names of its entry before its own.
func snsGroup(o *PublishOptions, entry string) string {
	if o.Groups == 0 {
		return ""
	}
	return "&" + entry + "MessageDeduplicationId=" + serialZero + "&" + entry + "MessageGroupId=" + groupZero
}

func nativeForm(o *PublishOptions, body string, _ time.Time) form {
	return form{
		path:    "/v1/topics/" + url.PathEscape(o.Topic) + "/messages",
		headers: []string{"Content-Type", "text/plain;charset=utf-8"},
		body:    body,
		success: fasthttp.StatusCreated,
	}
}

// The forms of dates, for package time.
const (
	httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"
	amzDate  = "20060102T150405Z"
	amzDay   = "20060102"
)

// request returns the bytes of a publish and the status that says it was accepted.
func request(o *PublishOptions, t target, body string, now time.Time) ([]byte, int) {
	f := formOf(o, body, now)
	if o.AccessKey != "" {
		f.sign(o, t, now)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: fanfare-bench\r\n", t.prefix, f.path, t.host)
	for i := 0; i < len(f.headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", f.headers[i], f.headers[i+1])
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(f.body), f.body)
	return b.Bytes(), f.success
}

// Text returns a message body: words and spaces, which no format but a web form's has to escape.
func Text(sizeBytes int) string {
	const words = "fanfare sends every message to all who asked for it and waits for nobody "
	return strings.Repeat(words, sizeBytes/len(words)+1)[:sizeBytes]
}

func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("BUG: bench: a string has no JSON form: " + err.Error())
	}
	return string(b)
}
