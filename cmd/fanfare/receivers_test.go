package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// askSQS makes a request of the SQS API and returns the reply.
func askSQS(t testing.TB, url, action, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer res.Body.Close()
	reply, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s: status %d, %v: %s", action, res.StatusCode, err, reply)
	}
	return string(reply)
}

// TestReceiversAreReleased ends a server for whose messages somebody waits: who waits is answered, long before the time is
// over, and the server ends in order.
func TestReceiversAreReleased(t *testing.T) {
	p := startHouse(t, func(*config) {})
	askSQS(t, p.url, "CreateQueue", `{"QueueName":"q"}`)
	began, replies := time.Now(), make(chan string)
	for range 3 {
		go func() { replies <- askSQS(t, p.url, "ReceiveMessage", `{"QueueUrl":"/q","WaitTimeSeconds":20}`) }()
	}
	until(t, "three receivers wait", func() bool { return p.core.Load().engine.Stats().Receivers == 3 })
	if err := p.end(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	for range 3 {
		if got := <-replies; got != "{}" {
			t.Errorf("a receiver got %s", got)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestReceiversGoAway sends a message that the first in line does not want any more: the next one gets it.
func TestReceiversGoAway(t *testing.T) {
	p := startHouse(t, func(*config) {})
	askSQS(t, p.url, "CreateQueue", `{"QueueName":"q"}`)
	waiting := func(n int64) {
		t.Helper()
		until(t, "receivers wait", func() bool { return p.core.Load().engine.Stats().Receivers == n })
	}
	const body = `{"QueueUrl":"/q","WaitTimeSeconds":20}`
	gone, err := net.Dial("tcp", p.listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(gone, "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	waiting(1)
	reply := make(chan string)
	go func() { reply <- askSQS(t, p.url, "ReceiveMessage", body) }()
	waiting(2)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	askSQS(t, p.url, "SendMessage", `{"QueueUrl":"/q","MessageBody":"m"}`)
	if got := <-reply; !strings.Contains(got, `"Body":"m"`) {
		t.Errorf("the receiver that still waits got %s", got)
	}
}
