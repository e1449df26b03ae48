//go:build !race && !invariant

package smq

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestPublishAllocs(t *testing.T) {
	for name, request := range map[string]string{
		"plain": "POST /topics/orders/messages HTTP/1.1\nx-mns-version: 2015-06-06\nContent-MD5: NzVmZTBmZTlkY2Y3MGJkMzBiODU1MmY4YzgwZjg3NzY=\n\n" +
			`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>ping</MessageBody><MessageTag>red</MessageTag></Message>`,
		"rich": "POST /topics/or%64ers/messages HTTP/1.1\nx-mns-version: 2015-06-06\n\n" +
			`<m:Message xmlns:m="http://mns.aliyuncs.com/doc/v1"><m:MessageBody>a &lt; b<![CDATA[ & c]]></m:MessageBody><m:MessageAttributes><m:DirectMail>{"Subject":"s"}</m:DirectMail></m:MessageAttributes>` +
			`<m:UserProperties><m:PropertyValue><m:Name>k</m:Name><m:Value>djE=</m:Value><m:Type>BINARY</m:Type></m:PropertyValue></m:UserProperties></m:Message>`,
	} {
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, facetest.Request([]byte(request)), 201, func(e *engine.Engine) ingress.Face { createTopic(t, e, "orders"); return New(e, Options{}) })
		})
	}
}
