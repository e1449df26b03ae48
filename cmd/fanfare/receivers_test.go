package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
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

// TestReceiversAreReleased ends a process for whose messages somebody waits: who waits is answered, long before the time is
// over, and the process ends in order.
func TestReceiversAreReleased(t *testing.T) {
	p := startProgram(t, "--data", t.TempDir())
	askSQS(t, p.url, "CreateQueue", `{"QueueName":"q"}`)
	replies := make(chan string)
	began := time.Now()
	for range 3 {
		go func() { replies <- askSQS(t, p.url, "ReceiveMessage", `{"QueueUrl":"/q","WaitTimeSeconds":20}`) }()
	}
	// One of them gets the message, so it waited; the others came at about the same time.
	askSQS(t, p.url, "SendMessage", `{"QueueUrl":"/q","MessageBody":"m"}`)
	if got := <-replies; !strings.Contains(got, `"Body":"m"`) {
		t.Errorf("a receiver got %s", got)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := <-replies; got != "{}" {
			t.Errorf("a receiver got %s", got)
		}
	}
	<-p.ended
	if p.err != nil {
		t.Errorf("the process ended with %v", p.err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
