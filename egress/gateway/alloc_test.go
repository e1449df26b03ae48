//go:build !race

package gateway

import (
	"testing"

	"fanfare/engine"
)

func TestAllocs(t *testing.T) {
	for name, config := range map[string]engine.SubscriptionConfig{
		"topic":  {Protocol: "application", Labels: labels(endpointARN)},
		"direct": {Protocol: "application"},
		"email":  {Protocol: "email", Token: "00ff", Labels: labels("a@example.com")},
	} {
		e, m, _ := render(t, config, func(m *engine.Message) {
			m.Set(engine.FieldKeys, []byte(endpointARN))
			m.Set(engine.FieldSubject, []byte("a subject"))
			m.Set(engine.FieldStructure, []byte(`{"default":"d","GCM":"h \u00e9\n"}`))
			m.Set(engine.FieldBody, []byte("d"))
			m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
			m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
		})
		scratch, header := make([]byte, 0, 4096), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() {
			body, grown := e.Body(scratch[:0], m)
			scratch = grown
			header = e.AppendHeader(header[:0], m, body, 1)
		}); n != 0 {
			t.Errorf("%s: %v allocations per push", name, n)
		}
	}
}
