package mail

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// postOffice is an SMTP server that answers what a test wants, by the first word of a command; else it accepts.
type postOffice struct {
	listener net.Listener
	mu       sync.Mutex
	answers  map[string]string // guarded by mu
	mails    []string          // guarded by mu: envelope and text
	running  sync.WaitGroup
}

func openPostOffice(t *testing.T) *postOffice {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{listener: ln, answers: map[string]string{}}
	p.running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); p.running.Wait() })
	return p
}

func (p *postOffice) answer(word, answer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[word] = answer
}

func (p *postOffice) serve(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprint(conn, "220 post office\r\n")
	r := bufio.NewReader(conn)
	var envelope []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		word, _, _ := strings.Cut(strings.ToUpper(line), " ")
		p.mu.Lock()
		answer := p.answers[word]
		p.mu.Unlock()
		switch {
		case answer != "":
		case word == "EHLO":
			answer = "250-post office\r\n250 AUTH PLAIN"
		case word == "AUTH":
			answer = "235 come in"
		case word == "QUIT":
			return
		case word == "DATA":
			fmt.Fprint(conn, "354 go on\r\n")
			var text strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			p.mu.Lock()
			p.mails = append(p.mails, strings.Join(append(envelope, text.String()), "\n"))
			answer = p.answers["TEXT"]
			p.mu.Unlock()
			if answer == "" {
				answer = "250 taken"
			}
		default:
			answer = "250 fine"
		}
		if word == "MAIL" || word == "RCPT" || word == "AUTH" {
			envelope = append(envelope, line)
		}
		fmt.Fprint(conn, answer+"\r\n")
	}
}

func (p *postOffice) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

func open(t *testing.T, opts Options) *Gateway {
	t.Helper()
	g, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func object(t *testing.T, p map[string]any) string {
	t.Helper()
	base := map[string]any{
		"Type": "Notification", "Protocol": "email", "Destination": "a@example.com", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
		"TopicArn": "arn:aws:sns:us-east-1:000000000000:orders", "Message": "hello", "Timestamp": "2026-01-02T03:04:05.678Z", "UnsubscribeURL": "http://h/?u",
	}
	for name, value := range p {
		base[name] = value
	}
	b, err := json.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// read takes a mail apart.
func read(t *testing.T, mail string) (envelope string, header map[string]string, text string) {
	t.Helper()
	at := strings.Index(mail, "From: ")
	if at < 0 {
		t.Fatalf("no header in %q", mail)
	}
	m, err := netmail.ReadMessage(strings.NewReader(mail[at:]))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	header = map[string]string{}
	for name := range m.Header {
		header[name] = m.Header.Get(name)
	}
	return mail[:at], header, strings.ReplaceAll(string(b), "\r\n", "\n")
}

func TestMail(t *testing.T) {
	office := openPostOffice(t)
	g := open(t, Options{Server: office.listener.Addr().String(), From: "Fanfare <news@fanfare.example>", Username: "u", Password: "p"})
	for _, c := range []struct {
		name          string
		p             map[string]any
		subject, text string
	}{
		{"plain", nil, "Notification: orders", "hello\n\n--\nTo stop receiving notifications from this topic, follow this link:\nhttp://h/?u\n"},
		{
			"awkward",
			map[string]any{"Subject": "Grüße\r\nBcc: b@example.com", "Message": ".\n..\nFrom here é\r\n" + strings.Repeat("long ", 400), "UnsubscribeURL": ""},
			"=?utf-8?q?Gr=C3=BC=C3=9Fe=0D=0ABcc:_b@example.com?=", ".\n..\nFrom here é\n" + strings.Repeat("long ", 400) + "\n",
		},
		{
			"confirmation",
			map[string]any{"Type": "SubscriptionConfirmation", "SubscribeURL": "http://h/?c", "UnsubscribeURL": "", "Message": "You have chosen.\nTo confirm the subscription, visit the SubscribeURL."},
			"Subscription confirmation: orders", "You have chosen.\n\nTo confirm the subscription, follow this link:\nhttp://h/?c\n",
		},
		{
			"cancelled",
			map[string]any{"Type": "UnsubscribeConfirmation", "SubscribeURL": "http://h/?c", "UnsubscribeURL": "", "Message": "You have left.\nTo cancel."},
			"Unsubscribe confirmation: orders", "You have left.\n\nTo restore the subscription, follow this link:\nhttp://h/?c\n",
		},
		{"json", map[string]any{"Protocol": "email-json", "Subject": "s"}, "s", object(t, map[string]any{"Protocol": "email-json", "Subject": "s"}) + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(office.taken())
			if status := post(t, g.URL(), object(t, c.p)); status != 204 {
				t.Fatalf("status %d", status)
			}
			envelope, header, text := read(t, office.taken()[before])
			if envelope != "AUTH PLAIN AHUAcA==\nMAIL FROM:<news@fanfare.example>\nRCPT TO:<a@example.com>\n" {
				t.Errorf("the envelope is %q", envelope)
			}
			want := map[string]string{
				"From": `"Fanfare" <news@fanfare.example>`, "To": "<a@example.com>", "Subject": c.subject, "Date": "Fri, 02 Jan 2026 03:04:05 +0000",
				"Message-Id": "<22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324@fanfare.example>", "Mime-Version": "1.0", "Content-Type": "text/plain; charset=UTF-8",
				"Content-Transfer-Encoding": "quoted-printable",
			}
			if u, given := c.p["UnsubscribeURL"]; !given || u != "" {
				want["List-Unsubscribe"] = "<http://h/?u>"
			}
			if diff := cmp.Diff(want, header); diff != "" {
				t.Errorf("the header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.text, text); diff != "" {
				t.Errorf("the text (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnswers checks what becomes of what the SMTP server says.
func TestAnswers(t *testing.T) {
	office := openPostOffice(t)
	server := office.listener.Addr().String()
	g := open(t, Options{Server: server, From: "news@fanfare.example", Username: "u", Password: "p"})
	for _, c := range []struct {
		word, answer string
		status       int
	}{
		{"RCPT", "550 unknown", 422},
		{"RCPT", "451 later", 503},
		{"DATA", "554 no", 422},
		{"TEXT", "552 too large", 422},
		{"TEXT", "452 full", 503},
		{"MAIL", "550 not you", 503},
		{"AUTH", "535 wrong password", 503},
		{"EHLO", "500 what", 503},
		{"RCPT", "250 fine", 204},
	} {
		office.answer(c.word, c.answer)
		if c.word == "EHLO" {
			office.answer("HELO", "500 what")
		}
		if status := post(t, g.URL(), object(t, nil)); status != c.status {
			t.Errorf("%s to %s: status %d, want %d", c.answer, c.word, status, c.status)
		}
		office.answer(c.word, "")
	}
	for body, want := range map[string]int{"{": 422, object(t, map[string]any{"Destination": "a"}): 422, object(t, map[string]any{"Destination": "A <a@example.com>"}): 422} {
		if status := post(t, g.URL(), body); status != want {
			t.Errorf("%s: status %d, want %d", body, status, want)
		}
	}
	if status := post(t, g.URL()+"x", object(t, nil)); status != 404 {
		t.Errorf("another path: status %d", status)
	}
	strict := open(t, Options{Server: server, From: "news@fanfare.example", RequireTLS: true})
	before := len(office.taken())
	if status := post(t, strict.URL(), object(t, nil)); status != 503 || len(office.taken()) != before {
		t.Errorf("without TLS: status %d", status)
	}
	_ = office.listener.Close()
	if status := post(t, g.URL(), object(t, nil)); status != 503 {
		t.Errorf("without a server: status %d", status)
	}
}

// TestSilentServer checks that a server which says nothing holds a mail no longer than its time, and others neither.
func TestSilentServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := open(t, Options{Server: ln.Addr().String(), From: "news@fanfare.example", Connections: 1, Timeout: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if status := post(t, g.URL(), object(t, nil)); status != 503 {
				t.Errorf("status %d", status)
			}
		})
	}
	wg.Wait()
}

func TestOptions(t *testing.T) {
	good := Options{Server: "h:25", From: "a@example.com"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(o *Options){
		"server": func(o *Options) { o.Server = "h" }, "from": func(o *Options) { o.From = "a" }, "password": func(o *Options) { o.Username = "u" },
		"connections": func(o *Options) { o.Connections = 1001 }, "no host": func(o *Options) { o.Server = ":25" },
	} {
		o := good
		change(&o)
		if o.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := New(o); err == nil {
			t.Errorf("%s: New accepts it", name)
		}
	}
}
