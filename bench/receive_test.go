package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
)

func TestReceiveOptionsValidate(t *testing.T) {
	_, err := Receive(t.Context(), ReceiveOptions{Conns: -1, Max: 11, Duration: -1, Count: -1, Timeout: time.Second}, nil)
	want := `bench: receive: target: "" is no http or https URL
queue: is missing
conns: -1 is not between 1 and 65536
max: 11 is not between 1 and 10
duration: -1ns is negative
count: -1 is negative
timeout: 1s is no longer than a receive waits, 1s`
	if got := fmt.Sprint(err); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What is sent to a queue is received from it and deleted, whoever sends and receives: with a count until there is as
// much, without one until the time is over.
func TestReceive(t *testing.T) {
	noneLeft(t)
	e := newFakeEngine()
	e.queues["q.fifo"] = 0
	url := "http://" + serve(t, e)
	sent, err := Publish(t.Context(), PublishOptions{
		Target: url, Face: "sqs", Topic: "q.fifo", Conns: 4, Duration: 50 * time.Millisecond, Batch: 10, Groups: 3,
	}, nil)
	if err != nil || sent.Published == 0 || sent.Published%10 != 0 || sent.Errors != 0 {
		t.Fatalf("%v, %v", sent, err)
	}
	got, err := Receive(t.Context(), ReceiveOptions{Target: url, Queue: "q.fifo", Conns: 4, Max: 7, Duration: time.Minute, Count: sent.Published}, io.Discard)
	if err != nil || got.Received != sent.Published || got.Errors != 0 || got.PerSecond <= 0 || got.P50 <= 0 {
		t.Errorf("%v, %v, want %d", got, err, sent.Published)
	}
	if text := got.String(); !strings.HasPrefix(text, "received and deleted ") {
		t.Error(text)
	}
	got, err = Receive(t.Context(), ReceiveOptions{Target: url, Queue: "q.fifo", Conns: 2, Duration: 20 * time.Millisecond}, nil)
	if err != nil || got.Received != 0 || got.Errors != 0 {
		t.Errorf("an empty queue: %v, %v", got, err)
	}
}

// The reply a receiver looks at for failed entries is that to its delete: a message may say what it will.
func TestReceiveCountsFailures(t *testing.T) {
	noneLeft(t)
	f := func(received, deleted string, status int, want ReceiveResult, wantKind string) {
		t.Helper()
		left := 1
		server := bareServer(func(ctx *fasthttp.RequestCtx) {
			if strings.HasSuffix(string(ctx.Request.Header.Peek("X-Amz-Target")), "DeleteMessageBatch") {
				ctx.SetStatusCode(status)
				ctx.SetBodyString(deleted)
				return
			}
			if left--; left < 0 {
				received = "{}"
			}
			ctx.SetBodyString(received)
		})
		got, err := Receive(t.Context(), ReceiveOptions{
			Target: "http://" + serve(t, plain{server}), Queue: "q", Conns: 1, Duration: 20 * time.Millisecond,
		}, nil)
		if err != nil || got.Received != want.Received || got.Errors != want.Errors {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
		if want.Errors > 0 && got.load.Kinds[wantKind] != want.Errors {
			t.Errorf("%v, want %s", got.load.Kinds, wantKind)
		}
	}
	two := `{"Messages":[{"Body":"SenderFault","ReceiptHandle":"a"},{"ReceiptHandle":"b"}]}`
	f(two, `{"Successful":[]}`, 200, ReceiveResult{Received: 2}, "")
	f(two, `{"Failed":[{"SenderFault":true}]}`, 200, ReceiveResult{Errors: 1}, kindEntries)
	f(two, `no`, 503, ReceiveResult{Errors: 1}, "status 503")
}

// plain is a server of fasthttp as one that serve takes.
type plain struct{ *fasthttp.Server }

func (p plain) Shutdown(ctx context.Context) error { return p.ShutdownWithContext(ctx) }

func TestDeletion(t *testing.T) {
	o := ReceiveOptions{Target: "http://h/p", Queue: "q"}
	o.setDefaults()
	d := newDeletion(&o, target{host: "h", prefix: "/p"})
	f := func(reply string, want int, wantBody string) {
		t.Helper()
		if n := d.take([]byte(reply)); n != want {
			t.Errorf("%s: %d receipts, want %d", reply, n, want)
		}
		head, body, _ := strings.Cut(string(d.request()), "\r\n\r\n")
		wantHead := fmt.Sprintf("POST /p/ HTTP/1.1\r\nHost: h\r\nUser-Agent: fanfare-bench\r\nContent-Type: application/x-amz-json-1.0\r\n"+
			"X-Amz-Target: AmazonSQS.DeleteMessageBatch\r\nContent-Length: %d", len(body))
		if diff := cmp.Diff([]string{wantHead, wantBody}, []string{head, body}); diff != "" {
			t.Errorf("%s: %s", reply, diff)
		}
	}
	const tail = `],"QueueUrl":"http://h/p/000000000000/q"}`
	f(`{"Messages":[{"ReceiptHandle":"AQ==","Body":"\"ReceiptHandle\":\"no\""},{"ReceiptHandle":"b"}]}`, 2,
		`{"Entries":[{"Id":"0","ReceiptHandle":"AQ=="},{"Id":"1","ReceiptHandle":"b"}`+tail)
	f(`{}`, 0, `{"Entries":[`+tail)
	f(`{"ReceiptHandle":"cut off`, 0, `{"Entries":[`+tail)
}

// The server of fixed replies gives a receiver what it asks for.
func TestFixedReplyToReceiver(t *testing.T) {
	noneLeft(t)
	var reply struct {
		Messages []struct{ Body, ReceiptHandle string }
	}
	if err := json.Unmarshal(fixedMessages, &reply); err != nil || len(reply.Messages) != 10 || len(reply.Messages[9].Body) != 1024 {
		t.Fatalf("%v: %s", err, fixedMessages)
	}
	if !json.Valid(fixedDeleted) || bytes.Count(fixedDeleted, []byte(`"Id"`)) != 10 {
		t.Errorf("%s", fixedDeleted)
	}
	got, err := Receive(t.Context(), ReceiveOptions{Target: "http://" + serve(t, NewFixedReply()), Queue: "q", Conns: 2, Count: 100}, nil)
	if err != nil || got.Received < 100 || got.Received%10 != 0 || got.Errors != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
