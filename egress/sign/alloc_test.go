//go:build !race

package sign

import (
	"bytes"
	"testing"

	"fanfare/engine"
)

// TestAllocs counts what a signature costs that was made before.
func TestAllocs(t *testing.T) {
	for _, url := range []string{"", "https://sns.us-east-1.amazonaws.com"} {
		s := newSigner(t, Options{URL: url})
		c := notification(commit(t, hello))
		byProtocol := *c
		byProtocol.Text = []byte("of one protocol")
		dst, base := make([]byte, 0, 4096), []byte("https://fanfare.example.com/with/a/long/path")
		for _, content := range []*Content{c, &byProtocol} {
			s.AppendMembers(dst, Version1, content, base)
			if n := testing.AllocsPerRun(1000, func() { s.AppendMembers(dst, Version1, content, base) }); n != 0 {
				t.Errorf("%v allocations per signature that is remembered", n)
			}
		}
	}
}

func BenchmarkAppendMembers(b *testing.B) {
	s := newSigner(b, Options{})
	m := commit(b, func(m *engine.Message) { m.Set(engine.FieldBody, bytes.Repeat([]byte("x"), 1024)) })
	dst, base := make([]byte, 0, 4096), []byte("https://fanfare.example.com")
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.AppendMembers(dst, Version1, notification(m), base)
		}
	})
	for v, name := range map[Version]string{Version1: "made/version=1", Version2: "made/version=2"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.sign(s.pairs.Load(), v, notification(m)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
