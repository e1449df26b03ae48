package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/valyala/fasthttp"
)

// benchAccount is the account in the names of queues and topics.
const benchAccount = "000000000000"

// sqs makes one call of the JSON protocol of SQS and decodes its reply.
func (p *process) sqs(ctx context.Context, action string, input map[string]any, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	return p.demand(ctx, sqsRequest(target{host: p.listen}, action, string(body)), action, output)
}

// demand makes one request on a connection of its own, and decodes the reply unless output is nil.
func (p *process) demand(ctx context.Context, request []byte, action string, output any) error {
	c, err := dialTarget(ctx, target{addr: p.listen}, nil, putTimeout)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.exchange(ctx, request); err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	if status := c.reply.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("%s: status %d: %s", action, status, excerpt(c.reply.Body()))
	}
	if output == nil {
		return nil
	}
	return json.Unmarshal(c.reply.Body(), output)
}

func (s *suite) createQueue(ctx context.Context, engine *process, name string, fifo bool) error {
	input := map[string]any{"QueueName": name}
	if fifo {
		input["Attributes"] = map[string]string{"FifoQueue": "true"}
	}
	return engine.sqs(ctx, "CreateQueue", input, nil)
}

// queueName is that of the i-th queue that messages are placed in.
func queueName(i int) string { return "q" + strconv.Itoa(i) }

// subscribeQueues subscribes so many queues to the topic fanned, through the faces that a user has for that.
func (s *suite) subscribeQueues(ctx context.Context, engine *process, queues int) error {
	for i := range queues {
		if err := s.createQueue(ctx, engine, queueName(i), false); err != nil {
			return err
		}
		form := url.Values{
			"Action": {"Subscribe"}, "Version": {"2010-03-31"}, "TopicArn": {"arn:aws:sns:us-east-1:" + benchAccount + ":fanned"},
			"Protocol": {"sqs"}, "Endpoint": {"arn:aws:sqs:us-east-1:" + benchAccount + ":" + queueName(i)},
			"Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"true"},
		}.Encode()
		request := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
			engine.listen, len(form), form)
		if err := engine.demand(ctx, request, "Subscribe", nil); err != nil {
			return err
		}
	}
	return nil
}

// queued is the number of messages in these queues.
func (s *suite) queued(ctx context.Context, engine *process, queues int) (int64, error) {
	sum := int64(0)
	for i := range queues {
		var reply struct{ Attributes map[string]string }
		err := engine.sqs(ctx, "GetQueueAttributes", map[string]any{
			"QueueUrl":       "http://" + engine.listen + "/" + benchAccount + "/" + queueName(i),
			"AttributeNames": []string{queueLength},
		}, &reply)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(reply.Attributes[queueLength], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", queueLength, err)
		}
		sum += n
	}
	return sum, nil
}

// queueLength is the attribute that counts the messages that can be received.
const queueLength = "ApproximateNumberOfMessages"
