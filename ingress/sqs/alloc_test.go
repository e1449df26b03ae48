//go:build !race && !invariant

package sqs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/auth/authtest"
	"fanfare/ingress/facetest"
)

// signedJSON is a request of the JSON protocol that a credential signs now.
func signedJSON(name, action, body string) authtest.Request {
	r := authtest.Post(name, "secret of "+name, time.Now(), body)
	r.Service = service
	r.Fields[1][1] = "application/x-amz-json-1.0"
	return r.With("X-Amz-Target", "AmazonSQS."+action)
}

func TestSendAllocs(t *testing.T) {
	const url = `"QueueUrl":"http://127.0.0.1:4100/000000000000/`
	const attributes = `"MessageAttributes":{"a":{"DataType":"String","StringValue":"v 1"},"b":{"BinaryValue":"AgMEBQ==","DataType":"Binary"},"n":{"DataType":"Number","StringValue":"99.12"}},`
	const system = `"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1-x"}},`
	const text = `"MessageBody":"h\u00e9llo \"&\" <x>\n"`
	send := func(name, action, body string) {
		request := signedJSON("all", action, body)
		for kind, wire := range map[string][]byte{"unsigned": request.Wire(""), "signed": request.Sign()} {
			t.Run(name+" "+kind, func(t *testing.T) {
				facetest.CheckAllocs(t, wire, 200, func(e *engine.Engine) ingress.Face {
					setup(t, e)
					if kind == "signed" {
						return New(e, Options{Keys: testKeys()})
					}
					return New(e, Options{})
				})
			})
		}
	}
	send("plain", "SendMessage", "{"+text+","+url+`plain"}`)
	send("attributes", "SendMessage", "{"+attributes+system+`"DelaySeconds":0,`+text+","+url+`plain"}`)
	send("duplicate", "SendMessage", `{"MessageGroupId":"g","MessageDeduplicationId":"d",`+text+","+url+`ordered.fifo"}`)
	var entries []string
	for i := range 10 {
		entries = append(entries, fmt.Sprintf(`{"Id":"id%d",%s%s}`, i, attributes, text))
	}
	send("batch", "SendMessageBatch", `{"Entries":[`+strings.Join(entries, ",")+`],`+url+`plain"}`)
}
