package mail

import (
	"bytes"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"time"
)

// push is what is read of the JSON object of the kind "gateway".
type push struct {
	Type, Protocol, Destination, MessageId, TopicArn, SubscribeURL, UnsubscribeURL, Subject, Message, Timestamp string
}

// compose makes the mail. The object it is made of is the text for email-json.
func (p *push) compose(from string, object []byte) []byte {
	var b bytes.Buffer
	header := func(name, value string) { b.WriteString(name + ": " + oneLine(value) + "\r\n") }
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		sender = &netmail.Address{Address: from} // was checked
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", p.Timestamp)
	if err != nil {
		at = time.Now()
	}
	_, domain, _ := strings.Cut(sender.Address, "@")
	header("From", sender.String())
	header("To", (&netmail.Address{Address: p.Destination}).String())
	header("Subject", mime.QEncoding.Encode("utf-8", p.subject()))
	header("Date", at.Format(time.RFC1123Z))
	header("Message-ID", "<"+p.MessageId+"@"+domain+">")
	if p.UnsubscribeURL != "" {
		header("List-Unsubscribe", "<"+p.UnsubscribeURL+">")
	}
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=UTF-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	text := p.text()
	if p.Protocol == "email-json" {
		text = string(object) + "\n"
	}
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Close()
	return b.Bytes()
}

// oneLine keeps a value in its header line.
func oneLine(value string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(value) }

func (p *push) topic() string { return p.TopicArn[strings.LastIndexByte(p.TopicArn, ':')+1:] }

func (p *push) subject() string {
	switch {
	case p.Type == "SubscriptionConfirmation":
		return "Subscription confirmation: " + p.topic()
	case p.Type == "UnsubscribeConfirmation":
		return "Unsubscribe confirmation: " + p.topic()
	case p.Subject != "":
		return p.Subject
	}
	return "Notification: " + p.topic()
}

func (p *push) text() string {
	if p.SubscribeURL != "" {
		lead, _, _ := strings.Cut(p.Message, "\n") // behind it they speak of a SubscribeURL, which mail does not show
		action := "To confirm the subscription, follow this link:"
		if p.Type == "UnsubscribeConfirmation" {
			action = "To restore the subscription, follow this link:"
		}
		return lead + "\n\n" + action + "\n" + p.SubscribeURL + "\n"
	}
	if p.UnsubscribeURL == "" {
		return p.Message + "\n"
	}
	return p.Message + "\n\n--\nTo stop receiving notifications from this topic, follow this link:\n" + p.UnsubscribeURL + "\n"
}
