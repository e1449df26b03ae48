package sign

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"fanfare/engine"
)

// TestCanonical has the texts, and of some the digests that were computed by others.
func TestCanonical(t *testing.T) {
	f := func(name string, fill func(m *engine.Message), link, want, sum1, sum2 string) {
		t.Run(name, func(t *testing.T) {
			m := commit(t, fill)
			c := notification(m)
			if link != "" {
				c.SubscribeURL = []byte(link)
			}
			got := c.AppendCanonical([]byte("before "))
			if string(got) != "before "+want {
				t.Errorf("got  %q\nwant %q", got, "before "+want)
			}
			if sum1 == "" {
				return
			}
			got = got[len("before "):]
			first, second := sha1.Sum(got), sha256.Sum256(got)
			if hex.EncodeToString(first[:]) != sum1 || hex.EncodeToString(second[:]) != sum2 {
				t.Errorf("%d bytes have the digests %x and %x, want %s and %s", len(got), first, second, sum1, sum2)
			}
		})
	}
	const id, at = "MessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n", "Timestamp\n2026-01-02T03:04:05.678Z\n"
	tail := at + "TopicArn\n" + ordersARN + "\nType\nNotification\n"
	f("no subject", func(m *engine.Message) { m.Set(engine.FieldBody, []byte("hello")) }, "",
		"Message\nhello\n"+id+tail,
		"abd035f4d21f5516878bc93a5129f6cb8babb890", "14b68d934594c08a3c546a36e2031f401617bb2e4e367e5a604298eab9fcd969")
	f("subject and more than one line", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("line1\nline2 é"))
		m.Set(engine.FieldSubject, []byte("Hi"))
	}, "", "Message\nline1\nline2 é\n"+id+"Subject\nHi\n"+tail,
		"ff709a1dd47fe09c8a352c30c42fba737c1eea65", "796df095c88d1a3db5d1b64eb39c645c4df097a1b4618eb264baca95d4d66959")
	f("empty subject", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("hello"))
		m.Set(engine.FieldSubject, nil)
	}, "", "Message\nhello\n"+id+tail, "", "")
	f("empty", func(m *engine.Message) { m.Set(engine.FieldBody, nil) }, "", "Message\n\n"+id+tail, "", "")
	f("what counts and what does not", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("\"<&>\\ \x00\u2028"))
		m.Set(engine.FieldToken, []byte("not of a notification"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("no"), false)
	}, "", "Message\n\"<&>\\ \x00\u2028\n"+id+tail, "", "")
	f("not UTF-8", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("a\xff\xfe\xed\xa0\x80b"))
		m.Set(engine.FieldSubject, []byte("\xf0\x9f\x98"))
	}, "", "Message\na"+strings.Repeat("\uFFFD", 5)+"b\n"+id+"Subject\n"+strings.Repeat("\uFFFD", 3)+"\n"+tail, "", "")

	token := strings.Repeat("0123456789abcdef", 18)
	link := "http://127.0.0.1:4100/?Action=ConfirmSubscription&TopicArn=" + ordersARN + "&Token=" + token
	text := "You have chosen to subscribe to the topic " + ordersARN + ".\nTo confirm the subscription, visit the SubscribeURL included in this message."
	confirmation := engine.MessageID{0x16, 0x55, 0x45, 0xc9, 0x2a, 0x5c, 0x47, 0x2c, 0x8d, 0xf2, 0x7f, 0xf2, 0xbe, 0x2b, 0x3b, 0x1b}
	for i, kind := range []string{"SubscriptionConfirmation", "UnsubscribeConfirmation"} {
		sums := [2]string{"a58c360641e78c1757b7eda1642c80a86538a749", "4f56ef0889744d4789ac2efee934b82b44fd514c6293b2061c4d0d468c6b45ec"}
		if i > 0 {
			sums = [2]string{}
		}
		f(kind, func(m *engine.Message) {
			m.SetID(confirmation)
			m.SetType(engine.SubscriptionConfirmation + engine.MessageType(i))
			m.Set(engine.FieldToken, []byte(token))
			m.Set(engine.FieldSubject, []byte("no member of this document"))
			m.Set(engine.FieldBody, []byte(text))
		}, link, "Message\n"+text+"\nMessageId\n165545c9-2a5c-472c-8df2-7ff2be2b3b1b\nSubscribeURL\n"+link+"\n"+at+
			"Token\n"+token+"\nTopicArn\n"+ordersARN+"\nType\n"+kind+"\n", sums[0], sums[1])
	}
}
