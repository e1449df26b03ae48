package smq

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/ingress/aliyun"
)

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 64 << 10} {
		for _, text := range []string{"x", "a &lt; b\n"} {
			body := []byte(`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>` +
				strings.Repeat(text, size/len(text)) + `</MessageBody><MessageTag>red</MessageTag></Message>`)
			b.Run(fmt.Sprintf("size=%dB/escaped=%t", size, len(text) > 1), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				face := New(nil, Options{})
				for b.Loop() {
					m := engine.NewMessage()
					if fault := face.parse(&aliyun.Exchange{}, m, body); fault != nil {
						b.Fatal(fault)
					}
					m.Release()
				}
			})
		}
	}
}
