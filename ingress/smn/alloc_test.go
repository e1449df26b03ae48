//go:build !race

package smn

import (
	"net/http"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress/facetest"
)

func TestPublishDoesNotAllocate(t *testing.T) {
	f := func(name, urn, body string) {
		t.Helper()
		request := facetest.Request([]byte("POST /v2/" + project + "/notifications/topics/" + urn + "/publish HTTP/1.1\n\n" + body + "\n"))
		for _, store := range []string{"memory", "embedded"} {
			t.Run(name+"/store="+store, func(t *testing.T) {
				var s engine.Store // the embedded one
				if store == "memory" {
					s = memstore.New(memstore.Options{})
				}
				e := facetest.NewEngine(t, s, facetest.Quiet())
				if n := facetest.Allocs(t, setup(t, e), request, http.StatusOK); n != 0 {
					t.Errorf("%v allocations per publish", n)
				}
			})
		}
	}
	f("message", ordersURN, `{"subject":"greeting","message":"`+strings.Repeat("x", 1024)+`","time_to_live":"3600"}`)
	f("escapes", strings.ReplaceAll(ordersURN, ":", "%3A"), `{"\u0073ubject":"gr\u00e9eting","message":"a\n\ud83d\ude00"}`)
	f("structure", ordersURN, `{"message_structure":"{\"default\":\"d\",\"https\":\"{\\\"n\\\":1}\"}","message_attributes":[`+
		`{"name":"colour","type":"STRING","value":"red"},{"name":"smn_protocol","type":"PROTOCOL","value":["http","https"]}]}`)
}
