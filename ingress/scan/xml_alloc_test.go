//go:build !race

package scan

import "testing"

func TestXMLAllocs(t *testing.T) {
	text := []byte(`<?xml version="1.0" encoding="UTF-8"?><m:Message xmlns:m="http://mns.aliyuncs.com/doc/v1/"><m:MessageBody>a &lt; b &#x2713;` +
		"\r\n" + `<![CDATA[<ok>]]></m:MessageBody><MessageTag>red</MessageTag><x><y/></x></m:Message>`)
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(1000, func() {
		var s XML
		s.Reset(text)
		for kind := s.Next(); kind != XMLEnd; kind = s.Next() {
			switch kind {
			case XMLInvalid:
				t.Fatal(s.Err())
			case XMLOpen:
				if uri, ok := XMLDeclared(s.Attributes(), s.Prefix(), nil); ok {
					dst = append(dst[:0], uri...)
				}
			case XMLText:
				dst = s.AppendText(dst[:0])
				dst = AppendXMLEscaped(dst, dst[:0:0])
			default:
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations per document", n)
	}
}
