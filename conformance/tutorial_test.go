package conformance

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Source: Amazon SNS developer guide, "Fanout to Amazon SQS queues" and "Message filtering": a topic, two queues and an
// HTTP endpoint with a filter policy each, publishers that send batches, and receivers that poll, process and delete.

const (
	tutorialMessages  = 10_000
	tutorialClients   = 4
	tutorialReceivers = 3 // of each queue
	batchSize         = 10

	// doubledMax is how many messages of one place a kill may double: what was delivered and not yet remembered, what was
	// saved and not yet acknowledged, and what was received and not yet deleted.
	doubledMax = 1024 + tutorialClients*batchSize + tutorialReceivers*batchSize
)

// order is the i-th message of the tutorial.
type order struct {
	body, kind string
	amount     int
}

var orderKinds = [...]string{"order", "refund", "audit"}

func numberOf(i int) order {
	return order{fmt.Sprintf("message %05d", i), orderKinds[i%len(orderKinds)], i % 1000}
}

func (o order) entry(id string) types.PublishBatchRequestEntry {
	return types.PublishBatchRequestEntry{Id: &id, Message: &o.body, MessageAttributes: map[string]types.MessageAttributeValue{
		"kind":   {DataType: aws.String("String"), StringValue: &o.kind},
		"amount": {DataType: aws.String("Number"), StringValue: aws.String(strconv.Itoa(o.amount))},
	}}
}

// The places of the tutorial: what their filter policies say, and what that means.
var tutorialPlaces = []struct {
	name, policy string
	raw          bool
	wants        func(order) bool
}{
	{"orders", `{"kind":["order"]}`, false, func(o order) bool { return o.kind == "order" }},
	{"large", `{"amount":[{"numeric":[">=",500]}]}`, true, func(o order) bool { return o.amount >= 500 }},
	{hookPlace, `{"kind":[{"anything-but":["order","audit"]}]}`, true, func(o order) bool { return o.kind == "refund" }},
}

const hookPlace = "hook" // the one that is no queue

// place is what came to one of them.
type place struct {
	name string
	want map[string]bool
	url  string // of a queue

	mu  sync.Mutex
	got map[string]int // by body; guarded by mu
}

func (p *place) take(body string) {
	p.mu.Lock()
	p.got[body]++
	p.mu.Unlock()
}

// missing is how many of the wanted messages have not come.
func (p *place) missing() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	missing := len(p.want)
	for body := range p.want {
		if p.got[body] > 0 {
			missing--
		}
	}
	return missing
}

// check compares what came with what was to come, and returns how much came more than once.
func (p *place) check(t testing.TB) (doubles int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for body, times := range p.got {
		if !p.want[body] {
			t.Errorf("%s: %q came, which its filter policy does not match", p.name, body)
		}
		doubles += times - 1
	}
	return doubles
}

// TestTutorial has no trouble: every message comes to every place that wants it, once.
func TestTutorial(t *testing.T) {
	run := newTutorial(t)
	run.through()
	for _, p := range run.places {
		if doubles := p.check(t); doubles > 0 {
			t.Errorf("%s: %d messages came more than once", p.name, doubles)
		}
	}
	run.hook.nothingMore(200 * time.Millisecond)
}

// TestTutorialKilled ends the program with SIGKILL in the middle of it and starts it again; the clients do again what was
// not acknowledged. No message that was acknowledged is missing, in whatever place it was on its way to.
func TestTutorialKilled(t *testing.T) {
	kills := []int64{tutorialMessages / 2}
	if os.Getenv("FANFARE_LONG") != "" {
		kills = nil
		for n := int64(500); n < tutorialMessages; n += 500 {
			kills = append(kills, n)
		}
	}
	run := newTutorial(t, kills...)
	run.through()
	for _, p := range run.places {
		doubles := p.check(t)
		t.Logf("%s: %d messages, none missing, %d doubled by %d kills", p.name, len(p.want), doubles, len(kills))
		if doubles > len(kills)*doubledMax {
			t.Errorf("%s: %d messages came more than once, at most %d for a kill are stated", p.name, doubles, doubledMax)
		}
	}
}
