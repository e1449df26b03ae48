//go:build !race

package filter

import (
	"strings"
	"testing"
)

// Matching costs no allocation, whatever the operators and the texts.
func TestMatchAllocs(t *testing.T) {
	const policy = `{"a":["x",5,{"numeric":[">",1,"<",2e3]},{"suffix":"nothing"}],"b":[{"anything-but":["x","y"]},{"prefix":"q"}],` +
		`"c":[{"equals-ignore-case":"SOME \u212a"},{"cidr":"10.0.0.0/8"}],"$or":[{"d":[{"exists":false}]},{"e":[null,true]}]}`
	p := compile(t, policy, MessageBody)
	long := strings.Repeat("word ", 2000)
	body := []byte(`{"a":["` + long + `","` + long + `\u006eothing"],"b":{"z":1},"\u0062":"\u0079\"` + long + `","c":["10.1\u002e1.1","some K\n"],"e":[[null]]}`)
	if !p.MatchBody(body) {
		t.Fatal("the body does not match")
	}
	if n := testing.AllocsPerRun(100, func() { p.MatchBody(body) }); n != 0 {
		t.Errorf("a body: %v allocations", n)
	}
	q := compile(t, policy, MessageAttributes)
	type bytesAttribute struct{ name, dataType, value []byte }
	attributes := []bytesAttribute{
		{[]byte("a"), []byte("Number"), []byte("1.5e3")},
		{[]byte("b"), []byte("String.Array"), []byte(`["x","qu\u0065ue",17]`)},
		{[]byte("c"), []byte("String"), []byte("10.2.3.4")},
	}
	match := func() bool {
		var e Evaluation
		for i := range attributes {
			q.Attribute(&e, attributes[i].name, attributes[i].dataType, attributes[i].value)
		}
		return q.Verdict(&e)
	}
	if !match() {
		t.Fatal("the attributes do not match")
	}
	if n := testing.AllocsPerRun(100, func() { match() }); n != 0 {
		t.Errorf("attributes: %v allocations", n)
	}
}

func TestIndexAllocs(t *testing.T) {
	var x Index[int]
	for i, text := range []string{`{"a":["x\n",-1.50e1]}`, `{"b":{"c":[true]}}`} {
		x.Add(compile(t, text, MessageBody), i)
	}
	x.Add(compile(t, `{"a":["x\n",1]}`, MessageAttributes), 2)
	body := []byte(`{"a":["\u0078\n",-15.0],"b":[{"c":true}]}`)
	name, dataType, text := []byte("a"), []byte("String.Array"), []byte(`["x\n",1.0]`)
	found := make([]int, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		found, _ = x.AppendBody(found[:0], body)
		found, _ = x.AppendAttribute(found, name, dataType, text)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(found) != 5 {
		t.Errorf("found %v", found)
	}
}
