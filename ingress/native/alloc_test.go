//go:build !race && !invariant

package native

import (
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestPublishAllocs(t *testing.T) {
	f := func(name, head string) {
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, facetest.Request([]byte(head+"\n\nhello, world\n")), 201, func(e *engine.Engine) ingress.Face { return setup(t, e) })
		})
	}
	f("plain", "POST /v1/topics/orders/messages HTTP/1.1\nContent-Type: text/plain")
	f("all", "POST /v1/topics/orders/messages HTTP/1.1\nContent-Type: text/plain\nX-Fanfare-Subject: s\nX-Fanfare-Tag: red\nX-Fanfare-TTL: 1h")
	f("encoded name", "POST /v1/topics/NS%25a%7Cb/messages HTTP/1.1\nContent-Type: text/plain")
}
