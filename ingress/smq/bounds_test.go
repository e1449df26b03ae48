package smq

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/ingress/facetest"
)

// What a document may have much of, and where that ends.
func TestPublishBounds(t *testing.T) {
	e := facetest.NewEngine(t, nil, facetest.Quiet())
	createTopic(t, e, "orders")
	face := New(e, Options{MissingNamespace: NamespaceAccept})
	f := func(name, document string, want int, text string) {
		t.Helper()
		if status, reply := call(t, face, "POST", "/topics/orders/messages", document); status != want || !strings.Contains(reply, text) {
			t.Errorf("%s: %d %s, want %d with %s", name, status, reply, want, text)
		}
	}
	notifications := func(n int) string {
		return "<MessageAttributes>" + strings.Repeat("<DirectMail>x</DirectMail>", n) + "</MessageAttributes>"
	}
	const body = "<MessageBody>m</MessageBody></Message>"
	f("as many notifications as there may be", "<Message "+ns+">"+notifications(notificationsMax)+body, 201, "MessageId")
	f("one more", "<Message "+ns+">"+notifications(notificationsMax+1)+body, 400, faultNotifications.Text)
	f("one more, apart", "<Message "+ns+">"+notifications(notificationsMax)+notifications(1)+body, 400, faultNotifications.Text)

	declarations := func(n int) string {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, ` xmlns:p%d="http://mns.aliyuncs.com/doc/v1/"`, i)
		}
		return all.String()
	}
	f("many name spaces", "<p15:Message"+declarations(16)+"><p0:MessageBody>m</p0:MessageBody></p15:Message>", 201, "MessageId")
	f("too many name spaces", "<p15:Message"+declarations(17)+"><p0:MessageBody>m</p0:MessageBody></p15:Message>", 400, faultMalformedXML.Code)
	f("a name space in references", `<Message xmlns="`+escapedAll("http://mns.aliyuncs.com/doc/v1/")+`">`+body, 201, "MessageId")
	f("a long name space in references", `<Message xmlns="`+strings.Repeat("&#x68;", 100)+`">`+body, 400, faultNamespace.Text)
}

// escapedAll writes every byte as a reference.
func escapedAll(text string) string {
	var all strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&all, "&#x%x;", c)
	}
	return all.String()
}
