package bench

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// amazon answers as much of SNS and SQS as the suite asks for, and reports whether the request was one of theirs.
func (e *fakeEngine) amazon(ctx *fasthttp.RequestCtx) bool {
	if string(ctx.Path()) != "/" {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if action, ok := strings.CutPrefix(string(ctx.Request.Header.Peek("X-Amz-Target")), sqsTarget); ok {
		e.sqs(ctx, action)
		return true
	}
	form, err := url.ParseQuery(string(ctx.PostBody()))
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return true
	}
	topic := form.Get("TopicArn")
	topic = topic[strings.LastIndexByte(topic, ':')+1:]
	switch form.Get("Action") {
	case "Subscribe":
		queue := form.Get("Endpoint")
		e.placed[topic] = append(e.placed[topic], queue[strings.LastIndexByte(queue, ':')+1:])
	case "PublishBatch", "Publish":
		// Other rows stand for an API that a server does not know.
		if _, known := e.topics[topic]; !known || topic == "bench" {
			ctx.Error("no such path", fasthttp.StatusNotFound)
			return true
		}
		messages := max(1, strings.Count(string(ctx.PostBody()), ".Message="))
		e.published += messages
		for _, queue := range e.placed[topic] {
			e.queues[queue] += messages
		}
	default:
		ctx.Error("no such action", fasthttp.StatusBadRequest)
	}
	return true
}

func (e *fakeEngine) sqs(ctx *fasthttp.RequestCtx, action string) {
	var input struct {
		QueueName, QueueUrl string
		Entries             []struct{ Id, MessageGroupId, ReceiptHandle string }
		MaxNumberOfMessages int
	}
	if err := json.Unmarshal(ctx.PostBody(), &input); err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	queue := input.QueueUrl[strings.LastIndexByte(input.QueueUrl, '/')+1:]
	switch action {
	case "CreateQueue":
		e.queues[input.QueueName] = 0
	case "GetQueueAttributes":
		fmt.Fprintf(ctx, `{"Attributes":{"ApproximateNumberOfMessages":"%d"}}`, e.queues[queue])
	case "SendMessageBatch":
		for _, entry := range input.Entries {
			if strings.HasSuffix(queue, ".fifo") && !strings.HasPrefix(entry.MessageGroupId, groupPrefix) {
				ctx.Error("no group", fasthttp.StatusBadRequest)
				return
			}
		}
		e.queues[queue] += len(input.Entries)
	case "ReceiveMessage":
		n := min(e.queues[queue], input.MaxNumberOfMessages)
		e.queues[queue] -= n
		messages := make([]string, 0, n)
		for i := range n {
			messages = append(messages, fmt.Sprintf(`{"Body":"\"ReceiptHandle\":\"none\"","ReceiptHandle":"h%d"}`, i))
		}
		fmt.Fprintf(ctx, `{"Messages":[%s]}`, strings.Join(messages, ","))
	case "DeleteMessageBatch":
		for i, entry := range input.Entries {
			if entry.ReceiptHandle != fmt.Sprintf("h%d", i) {
				ctx.Error("no such receipt", fasthttp.StatusBadRequest)
				return
			}
		}
		fmt.Fprint(ctx, `{"Successful":[]}`)
	default:
		ctx.Error("no such action", fasthttp.StatusBadRequest)
	}
}
