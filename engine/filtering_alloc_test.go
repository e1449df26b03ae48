//go:build !race

package engine

import "testing"

func TestFilterPolicyAllocs(t *testing.T) {
	m := NewMessage()
	defer m.Release()
	m.Set(FieldBody, []byte(`{"default":1}`))
	m.Set(FieldStructure, []byte(`{"default":"{\"default\":1}","http":"{\"a\":[{\"b\":\"x\"}]}"}`))
	m.AddAttribute([]byte("a"), []byte("String.Array"), []byte(`["y","x"]`), false)
	for _, c := range []*SubscriptionConfig{
		compiled(t, SubscriptionConfig{FilterPolicy: `{"a":[{"prefix":"x"}]}`}),
		compiled(t, SubscriptionConfig{FilterPolicy: `{"a":{"b":["x"]}}`, FilterPolicyScope: "MessageBody", Protocol: "http"}),
	} {
		if !c.Matches(m) {
			t.Fatal("no match")
		}
		if n := testing.AllocsPerRun(1000, func() { c.Matches(m) }); n != 0 {
			t.Errorf("%s: %v allocations", c.FilterPolicyScope, n)
		}
	}
}
