package bench

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// batchForms are the faces' requests with several messages: PublishBatch (SNS) and SendMessageBatch (SQS).
var batchForms = map[string]func(o *PublishOptions, body string, now time.Time) form{
	"sns":   snsBatchForm,
	faceSQS: sqsBatchForm,
}

func snsBatchForm(o *PublishOptions, body string, now time.Time) form {
	var b strings.Builder
	b.WriteString("Action=PublishBatch")
	for i := range o.Batch {
		entry := "PublishBatchRequestEntries.member." + strconv.Itoa(i+1) + "."
		b.WriteString("&" + entry + "Id=" + strconv.Itoa(i) + "&" + entry + "Message=" + url.QueryEscape(body) + snsGroup(o, entry) +
			"&" + entry + "Subject=bench")
	}
	b.WriteString("&TopicArn=" + url.QueryEscape("arn:aws:sns:"+o.Region+":"+o.Account+":"+o.Topic) + "&Version=2010-03-31")
	return form{path: "/", headers: snsHeaders(o, now), body: b.String(), success: fasthttp.StatusOK}
}

// sqsForm is SendMessage in the JSON protocol, as the services' own SDKs send it.
func sqsForm(o *PublishOptions, body string, now time.Time) form {
	return sqsCall(o, "SendMessage", `{`+sqsMessage(o, body)+`,"QueueUrl":`+jsonString(o.queueURL())+`}`, now)
}

func sqsBatchForm(o *PublishOptions, body string, now time.Time) form {
	var b strings.Builder
	b.WriteString(`{"Entries":[`)
	for i := range o.Batch {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(`{"Id":"` + strconv.Itoa(i) + `",` + sqsMessage(o, body) + `}`)
	}
	b.WriteString(`],"QueueUrl":` + jsonString(o.queueURL()) + `}`)
	return sqsCall(o, "SendMessageBatch", b.String(), now)
}

// sqsMessage is the members of one message.
func sqsMessage(o *PublishOptions, body string) string {
	text := `"MessageBody":` + jsonString(body)
	if o.Groups > 0 {
		text += `,"MessageDeduplicationId":"` + serialZero + `","MessageGroupId":"` + groupZero + `"`
	}
	return text
}

// sqsCall is a request for an action.
func sqsCall(o *PublishOptions, action, body string, now time.Time) form {
	return form{
		path: "/",
		headers: []string{
			"Authorization", nobodys(o, "sqs", "content-length;content-type;host;x-amz-date;x-amz-target", now),
			"Content-Type", "application/x-amz-json-1.0",
			"X-Amz-Date", now.UTC().Format(amzDate),
			"X-Amz-Target", sqsTarget + action,
		},
		body:    body,
		success: fasthttp.StatusOK,
	}
}

const sqsTarget = "AmazonSQS."

// queueURL names the queue as the service does: by the server's address, the account and the name.
func (o *PublishOptions) queueURL() string {
	return strings.TrimRight(o.Target, "/") + "/" + o.Account + "/" + o.Topic
}
