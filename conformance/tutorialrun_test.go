package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// tutorial is one run of it.
type tutorial struct {
	t       *testing.T
	data    string // directory of the program
	topic   string // ARN
	hook    *endpoint
	places  []*place
	kills   []int64      // each after so many acknowledged messages
	acked   atomic.Int64 // messages
	current atomic.Pointer[cloud]
	done    chan struct{} // closed when all is received, or the test has failed
	running sync.WaitGroup
}

// cloud is what the clients talk to at the moment.
type cloud struct {
	program *program
	sns     *sns.Client
	sqs     *sqs.Client
}

const (
	// tutorialStall is how long nothing may come.
	tutorialStall = 90 * time.Second
	// A received message is hidden for so many seconds: for ever, as the test goes, unless its receiver may be cut off.
	visibilityUntroubled = 3600
	visibilityKilled     = 5
)

// newTutorial makes the topic, its subscriptions and the queues, as their users do.
func newTutorial(t *testing.T, kills ...int64) *tutorial {
	t.Helper()
	r := &tutorial{t: t, data: t.TempDir(), kills: kills, done: make(chan struct{})}
	r.begin()
	r.topic = snsTopic(t, r.current.Load().sns, "orders")
	r.hook = listen(t).at("/hook")
	for _, p := range tutorialPlaces {
		want := map[string]bool{}
		for i := range tutorialMessages {
			if o := numberOf(i); p.wants(o) {
				want[o.body] = true
			}
		}
		made := &place{name: p.name, want: want, got: map[string]int{}}
		r.places = append(r.places, made)
		attributes := map[string]string{"FilterPolicy": p.policy, "RawMessageDelivery": strconv.FormatBool(p.raw)}
		if p.name == hookPlace {
			r.subscribeHook(attributes)
			r.running.Go(func() { r.follow(made) })
		} else {
			made.url = r.subscribeQueue(p.name, attributes)
			for range tutorialReceivers {
				r.running.Go(func() { r.receive(made, p.raw) })
			}
		}
	}
	return r
}

// begin starts the program, or starts it again, on the one directory.
func (r *tutorial) begin() {
	p := startOn(r.t, r.data)
	r.current.Store(&cloud{program: p, sns: snsClient(p), sqs: sqsClient(p)})
}

// subscribeQueue makes a queue and subscribes it by its ARN; it returns its URL.
func (r *tutorial) subscribeQueue(name string, attributes map[string]string) string {
	ctx, c, visibility := r.t.Context(), r.current.Load(), visibilityUntroubled
	if len(r.kills) > 0 {
		visibility = visibilityKilled
	}
	made, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": strconv.Itoa(visibility)},
	})
	must(r.t, "CreateQueue", err)
	known, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	must(r.t, "GetQueueAttributes", err)
	subscribed, err := c.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &r.topic, Protocol: aws.String("sqs"), Endpoint: aws.String(known.Attributes["QueueArn"]), Attributes: attributes,
	})
	must(r.t, "Subscribe a queue", err)
	// A queue of the subscriber's own needs no confirmation.
	matches(r.t, "SubscriptionArn", *subscribed.SubscriptionArn, r.topic+":"+uuidForm)
	return *made.QueueUrl
}

// subscribeHook subscribes the HTTP endpoint and confirms that.
func (r *tutorial) subscribeHook(attributes map[string]string) {
	ctx, c := r.t.Context(), r.current.Load()
	_, err := c.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &r.topic, Protocol: aws.String("http"), Endpoint: &r.hook.url, Attributes: attributes})
	must(r.t, "Subscribe an endpoint", err)
	token, _ := snsConfirmation(r.t, c.program, r.hook, r.topic)
	_, err = c.sns.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: &r.topic, Token: &token})
	must(r.t, "ConfirmSubscription", err)
}

// through publishes everything, ends and starts the program where that is asked for, and waits until all has come and
// every queue is empty.
func (r *tutorial) through() {
	r.t.Helper()
	defer r.running.Wait()
	defer close(r.done)
	var publishing sync.WaitGroup
	for client := range tutorialClients {
		publishing.Go(func() { r.publish(client) })
	}
	defer publishing.Wait()
	for _, n := range r.kills {
		if !r.until(fmt.Sprintf("%d messages are acknowledged", n), func() int64 { return n - r.acked.Load() }) {
			return
		}
		r.current.Load().program.kill()
		r.begin()
	}
	for _, p := range r.places {
		r.until("all messages are at "+p.name, func() int64 { return int64(p.missing()) })
	}
	for _, p := range r.places {
		if p.url != "" {
			r.until(p.name+" is empty", func() int64 { return r.left(p) })
		}
	}
}

// until waits until nothing is missing any more, as long as there is progress, and reports whether that was reached.
func (r *tutorial) until(what string, missing func() int64) bool {
	r.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	last, moved := int64(-1), time.Now()
	for {
		n := missing()
		switch {
		case n <= 0:
			return true
		case r.t.Failed():
			return false
		case n != last:
			last, moved = n, time.Now()
		case time.Since(moved) > tutorialStall:
			r.t.Errorf("waiting until %s: %d are missing", what, n)
			return false
		}
		<-ticker.C
	}
}

// left is how many messages a queue has, whatever their state.
func (r *tutorial) left(p *place) int64 {
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	known, err := r.current.Load().sqs.GetQueueAttributes(r.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &p.url, AttributeNames: names})
	if err != nil {
		r.t.Errorf("GetQueueAttributes: %v", err)
		return 1
	}
	sum := int64(0)
	for _, name := range names {
		n, err := strconv.ParseInt(known.Attributes[string(name)], 10, 64)
		if err != nil {
			r.t.Errorf("%s: %v", name, err)
		}
		sum += n
	}
	return sum
}

// publish is one of the clients: it publishes its share of the messages, ten at a time. What was not acknowledged it
// publishes again, if the program is killed in this run; else that is an error.
func (r *tutorial) publish(client int) {
	for from := client * batchSize; from < tutorialMessages; from += tutorialClients * batchSize {
		entries := make([]types.PublishBatchRequestEntry, 0, batchSize)
		for i := from; i < from+batchSize; i++ {
			entries = append(entries, numberOf(i).entry(strconv.Itoa(i)))
		}
		for len(entries) > 0 {
			reply, err := r.current.Load().sns.PublishBatch(context.Background(), &sns.PublishBatchInput{TopicArn: &r.topic, PublishBatchRequestEntries: entries})
			if err != nil {
				if !r.again("PublishBatch", err) {
					return
				}
				continue
			}
			if len(reply.Failed) > 0 || len(reply.Successful) != len(entries) {
				r.t.Errorf("PublishBatch: %d succeeded, %d failed", len(reply.Successful), len(reply.Failed))
				return
			}
			r.acked.Add(int64(len(entries)))
			entries = nil
		}
	}
}

// again reports whether a call that failed is to be made again, behind a little pause.
func (r *tutorial) again(what string, err error) bool {
	switch {
	case len(r.kills) == 0:
		r.t.Errorf("%s: %v", what, err)
		return false
	case r.t.Failed(): // there may be no program any more
		return false
	}
	select {
	case <-r.done:
		return false
	case <-time.After(10 * time.Millisecond): // the program is being started
		return true
	}
}

// receive is one receiver of a queue: it polls, takes what it gets and deletes it, until all is done.
func (r *tutorial) receive(p *place, raw bool) {
	for {
		select {
		case <-r.done:
			return
		default:
		}
		c := r.current.Load()
		reply, err := c.sqs.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
			QueueUrl: &p.url, MaxNumberOfMessages: batchSize, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
		})
		if err == nil && len(reply.Messages) > 0 {
			err = r.settle(c, p, reply.Messages, raw)
		}
		if err != nil && !r.again("receive and delete", err) {
			return
		}
	}
}

// settle takes messages, and deletes them.
func (r *tutorial) settle(c *cloud, p *place, messages []sqstypes.Message, raw bool) error {
	entries := make([]sqstypes.DeleteMessageBatchRequestEntry, 0, len(messages))
	for i := range messages {
		m := &messages[i]
		p.take(r.read(p, m, raw))
		entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	reply, err := c.sqs.DeleteMessageBatch(context.Background(), &sqs.DeleteMessageBatchInput{QueueUrl: &p.url, Entries: entries})
	if err == nil && len(reply.Failed) > 0 {
		r.t.Errorf("DeleteMessageBatch: %s: %s", *reply.Failed[0].Code, aws.ToString(reply.Failed[0].Message))
	}
	return err
}

// read checks the attributes of a message and returns its text: with raw delivery they are the message's own, else both
// are in the notification.
func (r *tutorial) read(p *place, m *sqstypes.Message, raw bool) string {
	text, attributes := *m.Body, map[string]string{}
	for name, a := range m.MessageAttributes {
		attributes[name] = aws.ToString(a.StringValue)
	}
	if !raw {
		var n struct {
			Type, TopicArn, Message string
			MessageAttributes       map[string]struct{ Value string }
		}
		if err := json.Unmarshal([]byte(text), &n); err != nil || n.Type != "Notification" || n.TopicArn != r.topic || len(attributes) > 0 {
			r.t.Errorf("%s: %q with attributes %v: %v", p.name, text, attributes, err)
		}
		text = n.Message
		for name, a := range n.MessageAttributes {
			attributes[name] = a.Value
		}
	}
	var i int
	if _, err := fmt.Sscanf(text, "message %05d", &i); err != nil {
		r.t.Errorf("%s: %q: %v", p.name, text, err)
	}
	o := numberOf(i)
	if len(attributes) != 2 || attributes["kind"] != o.kind || attributes["amount"] != strconv.Itoa(o.amount) {
		r.t.Errorf("%s: %q has the attributes %v", p.name, text, attributes)
	}
	return text
}

// follow takes what is pushed, until all is done.
func (r *tutorial) follow(p *place) {
	for {
		select {
		case push := <-r.hook.pushes:
			p.take(push.Body)
		case <-r.done:
			return
		}
	}
}
