//go:build !race

package sqs

import (
	"testing"

	"fanfare/egress/webhook"
	"fanfare/engine"
)

func TestAllocs(t *testing.T) {
	for name, fill := range map[string]func(m *engine.Message){
		"text": func(m *engine.Message) {
			m.Set(engine.FieldBody, []byte("a \"text\" with é"))
			m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
			m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
		},
		"binary": func(m *engine.Message) { m.Set(engine.FieldBody, []byte{0, 1, 2, 0xff}) },
	} {
		s, m := push(t, "raw", fill)
		e := New(Options{}).Wrap(webhook.New(webhook.Options{}).Compile(s), queueURL+fifoSuffix)
		scratch, head := make([]byte, 0, 4096), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() {
			body, grown := e.Body(scratch[:0], m)
			scratch = grown
			head = e.AppendHeader(head[:0], m, body, 1)
		}); n != 0 {
			t.Errorf("%s: %v allocations per push", name, n)
		}
	}
}
