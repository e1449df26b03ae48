//go:build !race

package webhook

import (
	"testing"

	"fanfare/engine"
)

func TestAllocs(t *testing.T) {
	for _, envelope := range []string{Raw, CloudEvents} {
		e, m := push(t, "orders", envelope, func(m *engine.Message) {
			m.Set(engine.FieldContentType, []byte("text/plain"))
			m.Set(engine.FieldSubject, []byte("a subject"))
			m.Set(engine.FieldBody, make([]byte, 1024))
		})
		scratch, header := make([]byte, 0, 4096), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() {
			body, grown := e.Body(scratch[:0], m)
			scratch = grown
			header = e.AppendHeader(header[:0], m, body, 1)
		}); n != 0 {
			t.Errorf("%s: %v allocations per push", envelope, n)
		}
	}
}
