//go:build !race

package smn

import (
	"strings"
	"testing"

	"fanfare/engine"
)

func TestPushDoesNotAllocate(t *testing.T) {
	kind := New(Options{})
	encoder := kind.Compile(subscription(t, kind, nil))
	for _, fill := range []func(*engine.Message){
		notification("greeting", strings.Repeat("order 42 \"paid\"\n", 64)),
		notification("", "not UTF-8: \xff"),
		func(m *engine.Message) {
			m.Set(engine.FieldStructure, []byte(`{"default":"d","http":"p","https":"{\"n\":1}"}`))
			m.Set(engine.FieldBody, []byte("d"))
		},
		confirmation(engine.SubscriptionConfirmation),
		confirmation(engine.UnsubscribeConfirmation),
	} {
		m := message(t, fill)
		scratch, header := make([]byte, 0, 4096), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() {
			body, grown := encoder.Body(scratch[:0], m)
			scratch = grown
			header = encoder.AppendHeader(header[:0], m, body, 1)
		}); n != 0 {
			t.Errorf("%v allocations per push of %.40q", n, m.Body())
		}
	}
}
