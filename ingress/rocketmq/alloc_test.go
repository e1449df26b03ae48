//go:build !race && !invariant

package rocketmq

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestSendAllocs(t *testing.T) {
	const head = "POST /topics/orders/messages?ns=INST_1 HTTP/1.1\nAuthorization: MQ ak-demo:x=\nx-mq-version: 2015-06-06\n"
	for name, request := range map[string]string{
		"reference": head + "Content-MD5: NjBjOTRlOWM4ZDc4NDlmZmJjM2QzNjY2ZTFhNzg0Njg=\n\n" +
			`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mq.aliyuncs.com/doc/v1/"><MessageBody>ping</MessageBody><MessageTag>red</MessageTag><Properties>KEYS:k-1|color:blue|</Properties></Message>`,
		"escaped": head + "\n<Message><MessageBody>a &lt; b &#38; c</MessageBody><Properties>__SHARDINGKEY:s|__STARTDELIVERTIME:1700000000000|</Properties></Message>",
	} {
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, facetest.Request([]byte(request)), 201, func(e *engine.Engine) ingress.Face { createTopic(t, e, "orders"); return New(e, Options{}) })
		})
	}
}
