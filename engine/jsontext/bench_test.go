package jsontext

import (
	"strings"
	"testing"
)

func eachText(b *testing.B, f func(b *testing.B, text []byte)) {
	for name, unit := range map[string]string{
		"prose":   "fanfare sends every message to all who asked for it and waits for nobody ",
		"lines":   "fanfare sends every message\nto all who asked for it\nand waits for nobody\n",
		"json":    `{"order":4711,"state":"paid","lines":[{"sku":"a-1","n":2},{"sku":"b-2","n":1}]}`,
		"chinese": "订单已经支付，请尽快发货。",
	} {
		b.Run("size=1KiB/text="+name, func(b *testing.B) {
			b.ReportAllocs()
			f(b, []byte(strings.Repeat(unit, 1024/len(unit))))
		})
	}
}

func BenchmarkAppendUnescaped(b *testing.B) {
	eachText(b, func(b *testing.B, text []byte) {
		literal := AppendEscaped(nil, text)
		dst := make([]byte, 0, 4096)
		for b.Loop() {
			AppendUnescaped(dst, literal)
		}
	})
}

func BenchmarkIndexSpecial(b *testing.B) {
	eachText(b, func(b *testing.B, text []byte) {
		for b.Loop() {
			for rest := text; len(rest) > 0; {
				rest = rest[min(IndexSpecial(rest)+1, len(rest)):]
			}
		}
	})
}
