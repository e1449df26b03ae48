//go:build !race

package dms

import (
	"net/http"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/ingress/facetest"
)

func TestSendDoesNotAllocate(t *testing.T) {
	f := func(name, path, body string) {
		t.Helper()
		request := facetest.Request([]byte("POST " + path + " HTTP/1.1\n\n" + body + "\n"))
		for _, store := range []string{"memory", "embedded"} {
			t.Run(name+"/store="+store, func(t *testing.T) {
				var s engine.Store // the embedded one
				if store == "memory" {
					s = memstore.New(memstore.Options{})
				}
				e := facetest.NewEngine(t, s, facetest.Quiet())
				if n := facetest.Allocs(t, setup(t, e), request, http.StatusOK); n != 0 {
					t.Errorf("%v allocations per send", n)
				}
			})
		}
	}
	f("plain", styleA, `{"topic":"orders","body":"`+strings.Repeat("x", 1024)+`","property_list":[{"name":"KEYS","value":"o-42"},{"name":"TAGS","value":"paid"}]}`)
	f("escapes", styleB, `{"\u0074opic":"\u006frders","body":"a\n\ud83d\ude00","property_list":[{"name":"a\u0062c","value":"\"d\""}]}`)
	f("no properties", styleB, `{"topic":"orders","body":"m"}`)
}
