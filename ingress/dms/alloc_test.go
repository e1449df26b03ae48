//go:build !race && !invariant

package dms

import (
	"net/http"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestSendDoesNotAllocate(t *testing.T) {
	f := func(name, path, body string) {
		t.Helper()
		request := facetest.Request([]byte("POST " + path + " HTTP/1.1\n\n" + body + "\n"))
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, request, http.StatusOK, func(e *engine.Engine) ingress.Face { return setup(t, e) })
		})
	}
	f("plain", styleA, `{"topic":"orders","body":"`+strings.Repeat("x", 1024)+`","property_list":[{"name":"KEYS","value":"o-42"},{"name":"TAGS","value":"paid"}]}`)
	f("escapes", styleB, `{"\u0074opic":"\u006frders","body":"a\n\ud83d\ude00","property_list":[{"name":"a\u0062c","value":"\"d\""}]}`)
	f("no properties", styleB, `{"topic":"orders","body":"m"}`)
}
