package filter

import (
	"strings"
	"testing"
)

var benchPolicies = []struct{ name, policy string }{
	{"exact", `{"customer":["id-17"]}`},
	{"five", `{"customer":["id-17","id-18"],"kind":[{"prefix":"order-"}],"price":[{"numeric":[">=",10,"<",20]}],"test":[{"exists":false}],"ip":[{"cidr":"10.0.0.0/8"}]}`},
}

func BenchmarkAttributes(b *testing.B) {
	attributes := []struct{ name, dataType, value []byte }{
		{[]byte("kind"), []byte("String"), []byte("order-paid")},
		{[]byte("price"), []byte("Number"), []byte("17.50")},
		{[]byte("customer"), []byte("String"), []byte("id-18")},
		{[]byte("ip"), []byte("String"), []byte("10.20.30.40")},
	}
	for _, c := range benchPolicies {
		b.Run("policy="+c.name, func(b *testing.B) {
			p, err := Compile([]byte(c.policy), MessageAttributes)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				var e Evaluation
				for i := range attributes {
					p.Attribute(&e, attributes[i].name, attributes[i].dataType, attributes[i].value)
				}
				p.Verdict(&e)
			}
		})
	}
}

func BenchmarkBody(b *testing.B) {
	body := []byte(`{"kind":"order-paid","price":17.50,"customer":"id-18","ip":"10.20.30.40","lines":[` +
		strings.Repeat(`{"article":"4711","count":2,"text":"a word or two"},`, 17) + `{"article":"0"}]}`)
	for _, c := range benchPolicies {
		b.Run("policy="+c.name, func(b *testing.B) {
			p, err := Compile([]byte(c.policy), MessageBody)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p.MatchBody(body)
			}
		})
	}
}
