//go:build !race && !invariant

package smn

import (
	"net/http"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

func TestPublishDoesNotAllocate(t *testing.T) {
	f := func(name, urn, body string) {
		t.Helper()
		request := facetest.Request([]byte("POST /v2/" + project + "/notifications/topics/" + urn + "/publish HTTP/1.1\n\n" + body + "\n"))
		t.Run(name, func(t *testing.T) {
			facetest.CheckAllocs(t, request, http.StatusOK, func(e *engine.Engine) ingress.Face { return setup(t, e) })
		})
	}
	f("message", ordersURN, `{"subject":"greeting","message":"`+strings.Repeat("x", 1024)+`","time_to_live":"3600"}`)
	f("escapes", strings.ReplaceAll(ordersURN, ":", "%3A"), `{"\u0073ubject":"gr\u00e9eting","message":"a\n\ud83d\ude00"}`)
	f("structure", ordersURN, `{"message_structure":"{\"default\":\"d\",\"https\":\"{\\\"n\\\":1}\"}","message_attributes":[`+
		`{"name":"colour","type":"STRING","value":"red"},{"name":"smn_protocol","type":"PROTOCOL","value":["http","https"]}]}`)
}
