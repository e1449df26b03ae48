package bench

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// receiveWait is how long a receive waits for the first message: idle receivers of a queue that is empty cost nearly
// nothing meanwhile.
const receiveWait = time.Second

// receiving is one run of Receive.
type receiving struct {
	*generator
	opts    ReceiveOptions
	cancel  context.CancelFunc // ends it when the count is reached
	receive []byte             // the one request for messages
	done    atomic.Int64       // messages received and deleted
}

// sqsRequest is the bytes of a request for an action, unsigned.
func sqsRequest(t target, action, body string) []byte {
	return fmt.Appendf(nil, "POST %s/ HTTP/1.1\r\nHost: %s\r\nUser-Agent: fanfare-bench\r\nContent-Type: application/x-amz-json-1.0\r\n"+
		"X-Amz-Target: %s%s\r\nContent-Length: %d\r\n\r\n%s", t.prefix, t.host, sqsTarget, action, len(body), body)
}

// queueOf is the queue's URL as a JSON string.
func (o *ReceiveOptions) queueOf() string {
	return jsonString((&PublishOptions{Target: o.Target, Account: o.Account, Topic: o.Queue}).queueURL())
}

func receiveRequest(o *ReceiveOptions, t target) []byte {
	return sqsRequest(t, "ReceiveMessage", fmt.Sprintf(`{"MaxNumberOfMessages":%d,"QueueUrl":%s,"WaitTimeSeconds":%d}`,
		o.Max, o.queueOf(), int(receiveWait/time.Second)))
}

// work is the loop of one connection, which it takes ownership of.
func (r *receiving) work(ctx context.Context, c *conn, scores *recorder) {
	defer func() {
		if c != nil {
			c.close()
		}
	}()
	d := newDeletion(&r.opts, r.target)
	for ctx.Err() == nil && time.Now().Before(r.end) {
		if c == nil {
			var err error
			if c, err = dialTarget(ctx, r.target, r.generator.opts.dial, r.opts.Timeout); err != nil {
				c = nil
				r.failed(scores, err)
				rest(ctx)
				continue
			}
		}
		if err := r.batch(ctx, c, d, scores); err != nil {
			r.failed(scores, err)
			c.close()
			c = nil
		}
	}
}

// batch receives some messages and deletes them. An error is one of the connection.
func (r *receiving) batch(ctx context.Context, c *conn, d *deletion, scores *recorder) error {
	begin := time.Now()
	if err := c.exchange(ctx, r.receive); err != nil {
		return err
	}
	if status := c.reply.StatusCode(); status != fasthttp.StatusOK {
		refused(scores, status, c.reply.Body())
		rest(ctx)
		return nil
	}
	n := d.take(c.reply.Body())
	if n == 0 {
		return nil
	}
	if err := c.exchange(ctx, d.request()); err != nil {
		return err
	}
	if status := c.reply.StatusCode(); status != fasthttp.StatusOK {
		refused(scores, status, c.reply.Body())
		return nil
	}
	r.accepted(scores, c, time.Since(begin), n)
	if done := r.done.Add(int64(n)); r.opts.Count > 0 && done >= r.opts.Count {
		r.cancel()
	}
	return nil
}

// deletion makes the requests that delete what was received. It belongs to one connection.
type deletion struct {
	head, tail []byte // around the entries of the body
	body       []byte
	whole      []byte
	prefix     []byte // of the request, until the length
}

func newDeletion(o *ReceiveOptions, t target) *deletion {
	prefix := sqsRequest(t, "DeleteMessageBatch", "")
	prefix = prefix[:bytes.Index(prefix, []byte("Content-Length: "))+len("Content-Length: ")]
	return &deletion{head: []byte(`{"Entries":[`), tail: []byte(`],"QueueUrl":` + o.queueOf() + `}`), prefix: prefix}
}

// handleMember cannot stand inside a message: there a quote is escaped.
var handleMember = []byte(`"ReceiptHandle":"`)

// take collects the receipts of a reply and returns how many there are.
func (d *deletion) take(reply []byte) (n int) {
	d.body = append(d.body[:0], d.head...)
	for {
		i := bytes.Index(reply, handleMember)
		if i < 0 {
			break
		}
		reply = reply[i+len(handleMember):]
		handle, _, ok := bytes.Cut(reply, quote)
		if !ok {
			break
		}
		if n > 0 {
			d.body = append(d.body, ',')
		}
		d.body = append(strconv.AppendInt(append(d.body, `{"Id":"`...), int64(n), 10), `","ReceiptHandle":"`...)
		d.body = append(append(d.body, handle...), `"}`...)
		n++
	}
	d.body = append(d.body, d.tail...)
	return n
}

var quote = []byte(`"`)

// request is the request that deletes what was taken; valid until the next take.
func (d *deletion) request() []byte {
	d.whole = append(d.whole[:0], d.prefix...)
	d.whole = append(strconv.AppendInt(d.whole, int64(len(d.body)), 10), headEnd...)
	d.whole = append(d.whole, d.body...)
	return d.whole
}
