//go:build !race

package native

import (
	"testing"

	"fanfare/ingress/facetest"
)

func TestPublishAllocs(t *testing.T) {
	f := func(name, head string) {
		t.Run(name, func(t *testing.T) {
			e := facetest.NewEngine(t, nil, facetest.Quiet())
			face := setup(t, e)
			request := facetest.Request([]byte(head + "\n\nhello, world\n"))
			if n := facetest.Allocs(t, face, request, 201); n >= 1 {
				t.Errorf("%v allocations per publish", n)
			}
		})
	}
	f("plain", "POST /v1/topics/orders/messages HTTP/1.1\nContent-Type: text/plain")
	f("all", "POST /v1/topics/orders/messages HTTP/1.1\nContent-Type: text/plain\nX-Fanfare-Subject: s\nX-Fanfare-Tag: red\nX-Fanfare-TTL: 1h")
	f("encoded name", "POST /v1/topics/NS%25a%7Cb/messages HTTP/1.1\nContent-Type: text/plain")
}
