//go:build !race

package sns

import (
	"testing"

	"fanfare/egress"
	"fanfare/engine"
)

func TestAllocs(t *testing.T) {
	fill := func(m *engine.Message) {
		m.Set(engine.FieldSubject, []byte("a subject"))
		m.Set(engine.FieldStructure, []byte(`{"default":"d","\u0068ttp":"h \u00e9\n"}`))
		m.Set(engine.FieldBody, []byte("d"))
		m.AddAttribute([]byte("a"), []byte("String"), []byte("v 1"), false)
		m.AddAttribute([]byte("c"), []byte("String"), []byte("\xff not UTF-8 \xfe"), false)
		m.AddAttribute([]byte("b"), []byte("Binary"), []byte{2, 3, 4}, true)
	}
	check := func(name string, e egress.Encoder, m *engine.Message) {
		t.Helper()
		scratch, header := make([]byte, 0, 4096), make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(1000, func() {
			body, grown := e.Body(scratch[:0], m)
			scratch = grown
			header = e.AppendHeader(header[:0], m, body, 1)
		}); n != 0 {
			t.Errorf("%s: %v allocations per push", name, n)
		}
	}
	f := func(name string, opts Options, envelope string) {
		t.Helper()
		e, m := push(t, opts, envelope, awsSubscription, fill)
		check(name, e, m)
	}
	f("json", Options{}, JSON)
	f("raw", Options{}, Raw)
	f("signed", Options{Signer: newSigner(t), SignAlways: true}, JSON)
	e, m := pushFIFO(t, Options{Signer: newSigner(t), SignAlways: true}, JSON, nil, 0, fill)
	check("fifo", e, m)
}

func BenchmarkBody(b *testing.B) {
	m := engine.NewMessage()
	defer m.Release()
	m.Set(engine.FieldBody, make([]byte, 1024))
	for i := range m.Body() {
		m.Body()[i] = 'a' + byte(i%26)
	}
	e := newEncoder(names{"arn:aws:sns:us-east-1:000000000000:orders", "arn:aws:sns:us-east-1:000000000000:orders:x", "http://h"}, "http", "", false)
	scratch := make([]byte, 0, 4096)
	b.Run("size=1KiB", func(b *testing.B) {
		b.SetBytes(1024)
		b.ReportAllocs()
		for b.Loop() {
			_, scratch = e.Body(scratch[:0], m)
		}
	})
}
