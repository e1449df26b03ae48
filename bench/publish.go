package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// PublishOptions say what load Publish makes. Target and Topic are needed, all else has a default.
type PublishOptions struct {
	Target    string        // URL of the server, such as http://127.0.0.1:8080
	Face      string        // one of Faces, or sqs; default native
	Topic     string        // must exist; of sqs the queue
	Topics    int           // above 1: publishes go to TOPIC-000000 and on in turn, that many; default 1, at most 1,000,000
	Stamp     bool          // bodies begin with their intended send time, from which a Sink counts its latencies
	SizeBytes int           // of a message's body; default 1024, at most 16 MiB
	Conns     int           // connections, one request in flight on each; default 32, at most 65,536
	Duration  time.Duration // in which requests are begun; default 5 s
	Rate      float64       // messages per second of an open loop; default 0: a closed loop
	Timeout   time.Duration // of one request, and for the rest of an open loop's requests at the end; default 10 s
	Batch     int           // messages in a request of sns or sqs; default 1, at most 10
	Groups    int           // above 0: messages for a FIFO topic or queue, in so many groups in turn; default 0, at most 1,000,000

	// With a key, requests of sns and sqs are signed with version 4 of the scheme. They are made before the load begins,
	// a ring of them with a body each, so that the generator's own work is the same.
	AccessKey, Secret string

	Project  string // project id in the paths of dms and smn; default 0123456789abcdef0123456789abcdef
	Instance string // instance id of dms and rocketmq; default 3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c
	Region   string // in the names of sns and smn; default us-east-1, and eu-de for smn
	Account  string // in the names of sns and sqs; default 000000000000

	dial  dialFunc            // default TCP
	pause func(time.Duration) // what an open loop waits with; default a system call of fine grain
}

const (
	sizeBytesMax = 16 << 20
	connsMax     = 65_536
	topicsMax    = 1_000_000
	batchMax     = 10
)

func (o *PublishOptions) setDefaults() {
	o.Face = cmp.Or(o.Face, "native")
	o.SizeBytes = cmp.Or(o.SizeBytes, 1024)
	o.Conns = cmp.Or(o.Conns, 32)
	o.Duration = cmp.Or(o.Duration, 5*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.Batch = cmp.Or(o.Batch, 1)
	o.Project = cmp.Or(o.Project, "0123456789abcdef0123456789abcdef")
	o.Instance = cmp.Or(o.Instance, "3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c")
	if o.Face == "smn" {
		o.Region = cmp.Or(o.Region, "eu-de")
	}
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "000000000000")
}

// Validate reports everything that is wrong with the options. Zero values stand for their defaults.
func (o *PublishOptions) Validate() error {
	var wrong faults
	check := wrong.check
	_, err := parseTarget(o.Target)
	check(err == nil, "%w", err)
	check(o.Face == "" || o.Face == faceSQS || slices.Contains(Faces, o.Face), "face: %q is none of %s, %s", o.Face, strings.Join(Faces, ", "), faceSQS)
	check(o.Topic != "", "topic: is missing")
	check(o.Topics >= 0 && o.Topics <= topicsMax, "topics: %d is not between 1 and %d", o.Topics, topicsMax)
	check(o.Topics < 2 || isPlain(o.Topic), "topic: %q cannot be the name of many: only letters, digits and '-' can", o.Topic)
	check(!o.Stamp || o.SizeBytes == 0 || o.SizeBytes >= stampBytes, "size: %d bytes are too few for a stamp, which is %d", o.SizeBytes, stampBytes)
	check(o.SizeBytes >= 0 && o.SizeBytes <= sizeBytesMax, "size: %d is not between 1 and %d bytes", o.SizeBytes, sizeBytesMax)
	check(o.Conns >= 0 && o.Conns <= connsMax, "conns: %d is not between 1 and %d", o.Conns, connsMax)
	check(o.Duration >= 0, "duration: %v is negative", o.Duration)
	check(o.Timeout >= 0, "timeout: %v is negative", o.Timeout)
	check(o.Rate >= 0 && !math.IsInf(o.Rate, 1), "rate: %v is not a number of publishes per second", o.Rate)
	o.checkAmazon(check)
	return errors.Join(wrong...)
}

// checkAmazon checks what only sns and sqs have.
func (o *PublishOptions) checkAmazon(check func(ok bool, format string, args ...any)) {
	amazon := o.Face == "sns" || o.Face == faceSQS
	check(o.Batch >= 0 && o.Batch <= batchMax, "batch: %d is not between 1 and %d", o.Batch, batchMax)
	check(o.Batch < 2 || amazon, "batch: only sns and sqs have one")
	check(o.Groups >= 0 && o.Groups <= topicsMax, "groups: %d is not between 0 and %d", o.Groups, topicsMax)
	check(o.Groups == 0 || amazon, "groups: only sns and sqs have them")
	check(o.AccessKey == "" || amazon, "access key: only sns and sqs are signed with one")
	check((o.AccessKey == "") == (o.Secret == ""), "access key, secret: one is given without the other")
	check(o.AccessKey == "" || o.Topics < 2 && !o.Stamp && o.Groups == 0, "access key: signed requests are made before, so there are no topics, stamps and groups")
	check(o.AccessKey == "" || o.SizeBytes == 0 || o.SizeBytes >= stampBytes, "size: %d bytes are too few to tell signed requests apart, which takes %d", o.SizeBytes, stampBytes)
}

// Publish makes load until the duration or the context is over, and returns what it measured; a context
// that ends early is not an error. A line a second goes to progress, which may be nil.
//
// In a closed loop each connection sends its next request when it has the reply to the last. In an open
// loop requests have intended send times that do not depend on the server, and latency counts from
// these: a server that stalls is charged for every request that should have been sent meanwhile. What
// an overloaded server keeps from being sent within the timeout after the end is counted as errors.
func Publish(ctx context.Context, opts PublishOptions, progress io.Writer) (*Result, error) {
	if err := opts.Validate(); err != nil {
		return nil, fmt.Errorf("bench: publish: %w", err)
	}
	opts.setDefaults()
	t, err := parseTarget(opts.Target)
	if err != nil {
		return nil, fmt.Errorf("bench: publish: %w", err)
	}
	g := &generator{opts: opts, target: t, caller: ctx, scores: newScoreboard(opts.Conns)}
	g.template, g.success = newTemplate(&opts, t, time.Now())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns, err := g.dialAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("bench: publish: %w", err)
	}
	return g.run(ctx, cancel, conns, progress), nil
}
