//go:build !race

package smq

import (
	"strings"
	"testing"
)

func TestPushDoesNotAllocate(t *testing.T) {
	for _, envelope := range []string{XML, JSON, Simplified} {
		e := encoder(t, envelope)
		for _, text := range []string{"ping", strings.Repeat("order 42 <\"paid\">\r\n", 64), "not UTF-8: \xff"} {
			m := message(t, []byte(text), []byte("red"))
			scratch, header := make([]byte, 0, 4096), make([]byte, 0, 4096)
			if n := testing.AllocsPerRun(1000, func() {
				body, grown := e.Body(scratch[:0], m)
				scratch = grown
				header = e.AppendHeader(header[:0], m, body, 1)
			}); n != 0 {
				t.Errorf("%s: %v allocations per push of %.20q", envelope, n, text)
			}
		}
	}
}
