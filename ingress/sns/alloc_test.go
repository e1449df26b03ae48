//go:build !race && !invariant

package sns

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// counter counts up where a body says COUNT000, everywhere the same.
func counter(body string) func(body []byte) {
	const mark, digits = "COUNT000", 8
	var places []int
	for at := 0; ; at += digits {
		i := strings.Index(body[at:], mark)
		if i < 0 {
			break
		}
		at += i
		places = append(places, at)
	}
	n := 0
	return func(body []byte) {
		n++
		for _, at := range places {
			for k, rest := digits-1, n; k >= 0; k, rest = k-1, rest/10 {
				body[at+k] = '0' + byte(rest%10)
			}
		}
	}
}

func TestPublishAllocs(t *testing.T) {
	signature := "Authorization: AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00\r\n"
	attributes := []string{
		"MessageAttributes.entry.1.Name", "a", "MessageAttributes.entry.1.Value.DataType", "String", "MessageAttributes.entry.1.Value.StringValue", "v 1",
		"MessageAttributes.entry.2.Name", "b", "MessageAttributes.entry.2.Value.DataType", "Binary", "MessageAttributes.entry.2.Value.BinaryValue", "AgMEBQ==",
		"MessageAttributes.entry.3.Name", "n", "MessageAttributes.entry.3.Value.DataType", "Number", "MessageAttributes.entry.3.Value.StringValue", "99.12",
	}
	f := func(name, head string, pairs ...string) {
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, []byte(post(form(pairs...), head)), 200, func(e *engine.Engine) ingress.Face { return setup(t, e) })
		})
	}
	f("plain", "", publish("Message", "héllo & <x>")...)
	f("attributes", signature, publish(append(attributes, "Message", "héllo & <x>", "Subject", "Sub ject", "MessageGroupId", "g")...)...)
	f("structure", signature, publish("Message", `{"default":"d \u00e9","http":"h"}`, "MessageStructure", "json")...)
	var entries [][]string
	for i := range 10 {
		entries = append(entries, append([]string{"Id", fmt.Sprint("id", i), "Message", "héllo", "Subject", "s"}, attributes...))
	}
	f("batch", signature, batchOf(entries...)...)

	// To FIFO topics: no two messages are the same, and, signed, all are.
	ordered := func(name, head string, messages int, pairs ...string) {
		t.Run("fifo "+name, func(t *testing.T) {
			body := form(pairs...)
			p := facetest.Publish{Request: []byte(post(body, head)), Status: 200, Messages: messages, Change: counter(body)}
			facetest.CheckAllocsOf(t, p, func(e *engine.Engine) ingress.Face { return setupFIFO(t, e) })
		})
	}
	const trace = "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1\r\n"
	one := append([]string{"Action", "Publish", "TopicArn", arnLedger, "Message", "héllo", "MessageGroupId", "g", "MessageDeduplicationId", "COUNT000"}, attributes...)
	ordered("id", signature+trace, 1, one...)
	ordered("content", signature, 1, "Action", "Publish", "TopicArn", arnNews, "Message", "héllo COUNT000", "MessageGroupId", "g")
	var grouped [][]string
	for i := range 10 {
		entry := []string{"Id", fmt.Sprint("id", i), "Message", "héllo", "MessageGroupId", fmt.Sprint("g", i%3), "MessageDeduplicationId", fmt.Sprint("COUNT000", i)}
		grouped = append(grouped, append(entry, attributes...))
	}
	group := append([]string{"Action", "PublishBatch", "TopicArn", arnLedger}, batchOf(grouped...)[4:]...)
	ordered("batch", signature, 10, group...)

	const endpoint = "endpoint/GCM/shop/11111111-2222-4333-8444-555555555555"
	direct := func(name string, pairs ...string) {
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, []byte(post(form(append([]string{"Action", "Publish", "Message", "m"}, pairs...)...), signature)), 200, func(e *engine.Engine) ingress.Face {
				setup(t, e)
				err := e.ChangeDocuments(func(d *engine.DocumentChanges) error {
					d.Put("sns.app/GCM/shop", []byte(`{"Enabled":"true"}`))
					d.Put("sns."+endpoint, []byte(`{"Enabled":"true","Token":"t"}`))
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				return New(e, Options{Gateways: allGateways})
			})
		})
	}
	direct("phone", "PhoneNumber", "+15551234567")
	direct("device", "TargetArn", arnBase+endpoint)
	// With credentials, signed as a client does it.
	verified := func(name string, wire []byte) {
		t.Run("verified "+name, func(t *testing.T) {
			facetest.CheckAllocs(t, wire, 200, func(e *engine.Engine) ingress.Face {
				setupFIFO(t, e)
				return New(e, Options{Keys: testKeys()})
			})
		})
	}
	message := publish(append(attributes, "Message", "héllo & <x>", "Subject", "Sub ject")...)
	verified("plain", []byte(signedBy("publish", publish("Message", "héllo & <x>")...)))
	verified("attributes", []byte(signedBy("publish", message...)))
	verified("batch", []byte(signedBy("publish", batchOf(entries...)...)))
	verified("fifo", []byte(signedBy("publish", one...)))
	verified("fifo batch", []byte(signedBy("publish", group...)))
}
