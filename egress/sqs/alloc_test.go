//go:build !race

package sqs

import (
	"testing"

	"fanfare/egress"
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

func TestPlaceAllocs(t *testing.T) {
	for _, envelope := range []string{SNS, Raw} {
		f := subscription(t, envelope)
		e := newKind().Compile(f.Subscription).(egress.Placer)
		for name, fill := range map[string]func(m *engine.Message){
			"text": func(m *engine.Message) {
				m.Set(engine.FieldBody, []byte("a \"text\" with é"))
				m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
				m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
			},
			"by protocol": func(m *engine.Message) {
				m.Set(engine.FieldBody, []byte("x"))
				m.Set(engine.FieldStructure, []byte(`{"default":"x","sqs":"for \u0022sqs\u0022"}`))
			},
			"binary": func(m *engine.Message) { m.Set(engine.FieldBody, []byte{0, 1, 2, 0xff}) },
		} {
			m := f.Commit(t, fill)
			for _, queue := range []engine.QueueConfig{standard, fifo} {
				if n := testing.AllocsPerRun(1000, func() {
					dst := engine.NewMessage()
					if fault := e.Place(dst, m, &queue); fault != "" {
						t.Fatal(fault)
					}
					dst.Release()
				}); n != 0 {
					t.Errorf("%s, %s, %s: %v allocations per message", envelope, name, queue.Name, n)
				}
			}
		}
	}
}

func TestFormAllocs(t *testing.T) {
	s, m := push(t, "raw", func(m *engine.Message) {
		m.Set(engine.FieldBody, []byte("a \"text\" with é"))
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
	})
	e := New(Options{}).Wrap(webhook.New(webhook.Options{}).Compile(s), queueURL+fifoSuffix).(*encoder)
	e.Learn(false, 404, nil)
	scratch, head := make([]byte, 0, 4096), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(1000, func() {
		body, grown := e.Body(scratch[:0], m)
		scratch = grown
		head = e.AppendHeader(head[:0], m, body, 1)
	}); n != 0 {
		t.Errorf("%v allocations per push", n)
	}
}
