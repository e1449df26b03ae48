package conformance

import (
	"bufio"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// letter is a mail that a post office took.
type letter struct {
	to, subject, text string
}

// postOffice starts an SMTP server that takes every mail, and returns its address.
func postOffice(t testing.TB) (address string, letters chan letter) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	letters = make(chan letter, 16)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { takeMail(conn, letters) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return ln.Addr().String(), letters
}

func takeMail(conn net.Conn, letters chan<- letter) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprint(conn, line+"\r\n") }
	say("220 post office")
	to := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "QUIT":
			say("221 bye")
			return
		case "RCPT":
			to = strings.Trim(strings.TrimSpace(line)[len("RCPT TO:"):], "<>")
			say("250 fine")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for line, err = r.ReadString('\n'); err == nil && line != ".\r\n"; line, err = r.ReadString('\n') {
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			m, err := mail.ReadMessage(strings.NewReader(text.String()))
			if err != nil {
				return
			}
			body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil {
				return
			}
			letters <- letter{to, m.Header.Get("Subject"), strings.ReplaceAll(string(body), "\r\n", "\n")}
			say("250 taken")
		default:
			say("250 fine")
		}
	}
}

func nextLetter(t testing.TB, letters <-chan letter) letter {
	t.Helper()
	select {
	case l := <-letters:
		return l
	case <-time.After(patience):
		t.Fatal("no mail came")
		panic("unreachable")
	}
}

// TestSNSGoEmail subscribes a mailbox, confirms with the link of the first mail, and leaves with that of the second.
func TestSNSGoEmail(t *testing.T) {
	address, letters := postOffice(t)
	server := startWith(t, "sns:\n  gateways:\n    email:\n      server: "+address+"\n      from: news@fanfare.example\n")
	client, ctx := snsClient(server), t.Context()
	topic := snsTopic(t, client, "orders")
	subscribed, err := client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("email"), Endpoint: aws.String("a@example.com")})
	must(t, "Subscribe", err)
	same(t, "SubscriptionArn", *subscribed.SubscriptionArn, "pending confirmation")
	link := regexp.MustCompile(`(?m)^http://\S+$`)
	asked := nextLetter(t, letters)
	same(t, "to and subject", []string{asked.to, asked.subject}, []string{"a@example.com", "Subscription confirmation: orders"})
	get(t, link.FindString(asked.text))

	_, err = client.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Subject: aws.String("Paid"), Message: aws.String("order 17 paid")})
	must(t, "Publish", err)
	got := nextLetter(t, letters)
	same(t, "to and subject", []string{got.to, got.subject}, []string{"a@example.com", "Paid"})
	if !strings.HasPrefix(got.text, "order 17 paid\n") {
		t.Errorf("the text is %q", got.text)
	}
	get(t, link.FindString(got.text))
	same(t, "the subject of the last mail", nextLetter(t, letters).subject, "Unsubscribe confirmation: orders")
	listed, err := client.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	must(t, "ListSubscriptionsByTopic", err)
	same(t, "subscriptions", len(listed.Subscriptions), 0)
}
