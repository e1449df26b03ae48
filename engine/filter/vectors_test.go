package filter

import (
	"strings"
	"testing"
)

type attribute struct{ name, dataType, value string }

func matchAttributes(p *Policy, attributes []attribute) bool {
	var e Evaluation
	for _, a := range attributes {
		p.Attribute(&e, []byte(a.name), []byte(a.dataType), []byte(a.value))
	}
	return p.Verdict(&e)
}

// parseAttributes reads "name=value name:Type=value".
func parseAttributes(t *testing.T, text string) (all []attribute) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			t.Fatalf("no attribute: %q", word)
		}
		name, dataType, ok := strings.Cut(name, ":")
		if !ok {
			dataType = "String"
		}
		all = append(all, attribute{name, dataType, value})
	}
	return all
}

func compile(t *testing.T, text string, scope Scope) *Policy {
	t.Helper()
	p, err := Compile([]byte(text), scope)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// The policies and messages that are documented, recorded from AWS, or tested by others; the numbers are those of our
// notes on the API.
func TestVectors(t *testing.T) {
	const (
		or     = `{"f1":["v1"],"$or":[{"f2":["v2"]},{"f3":["v3"]}]}`
		sports = `{"ci":["rugby","tennis"]}`
		notTwo = `{"ci":[{"anything-but":["rugby","tennis"]}]}`
		many   = `{"store":["example_corp"],"event":[{"anything-but":"order_cancelled"}],"ci":["rugby","football","baseball"],"p":[{"numeric":[">=",100]}]}`
	)
	for _, c := range []struct {
		number             int
		scope              Scope
		policy, input, yes string
	}{
		{1, MessageAttributes, sports, `ci=rugby`, "yes"},
		{2, MessageAttributes, sports, `ci=baseball`, ""},
		{3, MessageAttributes, sports, `ci:String.Array=["rugby","tennis"]`, "yes"},
		{4, MessageAttributes, sports, `ci:String.Array=["baseball"]`, ""},
		{5, MessageBody, sports, `{"ci":"tennis"}`, "yes"},
		{6, MessageAttributes, `{"ci":["Rugby"]}`, `ci=rugby`, ""},
		{7, MessageAttributes, notTwo, `ci=football`, "yes"},
		{8, MessageAttributes, notTwo, `ci=rugby`, ""},
		{9, MessageAttributes, notTwo, `ci:String.Array=["rugby","baseball"]`, "yes"},
		{10, MessageBody, notTwo, `{"ci":["rugby"]}`, ""},
		{11, MessageAttributes, notTwo, ``, ""},
		{12, MessageAttributes, `{"e":[{"anything-but":{"prefix":"order-"}}]}`, `e=data-entry`, "yes"},
		{13, MessageAttributes, `{"e":[{"anything-but":{"prefix":"order-"}}]}`, `e=order_number`, "yes"},
		{14, MessageAttributes, `{"e":[{"anything-but":{"prefix":"order-"}}]}`, `e=order-cancelled`, ""},
		{15, MessageAttributes, `{"ci":[{"prefix":"bas"}]}`, `ci=basketball`, "yes"},
		{16, MessageAttributes, `{"ci":[{"prefix":"bas"}]}`, `ci=rugby`, ""},
		{17, MessageAttributes, `{"ci":[{"prefix":"soc"}]}`, `ci:String.Array=["soccer","rugby"]`, "yes"},
		{18, MessageAttributes, `{"ci":[{"suffix":"ball"}]}`, `ci=baseball`, "yes"},
		{19, MessageAttributes, `{"ci":[{"suffix":"ball"}]}`, `ci=rugby`, ""},
		{20, MessageAttributes, `{"ci":[{"equals-ignore-case":"tennis"}]}`, `ci=TENNIS`, "yes"},
		{21, MessageAttributes, `{"ci":[{"equals-ignore-case":"tennis"}]}`, `ci=soccer`, ""},
		{22, MessageAttributes, `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `ip=10.0.0.0`, "yes"},
		{23, MessageAttributes, `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `ip=10.1.1.0`, ""},
		{24, MessageAttributes, `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `ip=not-an-ip`, ""},
		{25, MessageAttributes, `{"p":[{"numeric":["=",301.5]}]}`, `p:Number=301.5`, "yes"},
		{26, MessageAttributes, `{"p":[{"numeric":["=",301.5]}]}`, `p:Number=3.015e2`, "yes"},
		{27, MessageBody, `{"p":[{"numeric":["=",301.5]}]}`, `{"p":301.50}`, "yes"},
		{28, MessageAttributes, `{"p":[{"numeric":["<",0]}]}`, `p:Number=-3`, "yes"},
		{29, MessageAttributes, `{"p":[{"numeric":[">",0,"<=",150]}]}`, `p:Number=150`, "yes"},
		{30, MessageAttributes, `{"p":[{"numeric":[">",0,"<=",150]}]}`, `p:Number=0`, ""},
		{31, MessageAttributes, `{"p":[{"numeric":["=",300]}]}`, `p=test`, ""},
		{32, MessageAttributes, `{"p":[{"anything-but":[100,500]}]}`, `p:Number=101`, "yes"},
		{33, MessageBody, `{"p":[{"anything-but":[100,500]}]}`, `{"p":[100,50]}`, "yes"},
		{34, MessageBody, `{"p":[{"anything-but":[100,500]}]}`, `{"p":100}`, ""},
		{35, MessageAttributes, `{"s":[{"exists":true}]}`, `s=fans`, "yes"},
		{36, MessageAttributes, `{"s":[{"exists":true}]}`, `x=fans`, ""},
		{37, MessageAttributes, `{"s":[{"exists":false}]}`, `x=fans`, "yes"},
		{38, MessageAttributes, `{"s":[{"exists":false}]}`, `s=fans`, ""},
		{39, MessageAttributes, many, `store=example_corp event=order_placed ci:String.Array=["soccer","rugby","hockey"] p:Number=210.75`, "yes"},
		{40, MessageAttributes, `{"store":["example_corp"],"encrypted":[false]}`, `store=example_corp`, ""},
		{41, MessageAttributes, `{"f":["test1",{"prefix":"typ"}]}`, `f=type9`, "yes"},
		{42, MessageAttributes, `{"f":[{"anything-but":"a"},{"anything-but":"b"}]}`, `f=a`, "yes"},
		{43, MessageAttributes, `{"f":[true]}`, `f:String.Array=[true]`, "yes"},
		{44, MessageAttributes, `{"f":["anything"]}`, `f:String.Array=['anything']`, ""},
		{45, MessageAttributes, or, `f1=v1 f3=v3`, "yes"},
		{46, MessageAttributes, or, `f1=v2 f3=v3`, ""},
		{47, MessageAttributes, or, `f1=v1`, ""},
		{48, MessageBody, `{"f1":{"f2":["v1"]}}`, `{"f1":{"f2":"v1"},"f3":"v4"}`, "yes"},
		{49, MessageBody, `{"f1":{"f2":["v1"]}}`, `{"f1":{"f2":["v1"]}}`, "yes"},
		{50, MessageBody, `{"f1":{"f2":["v1"]}}`, `{"f1":["v1","v3"]}`, ""},
		{51, MessageBody, `{"f1":{"f2":["v1"]}}`, `{"f1":"v1"}`, ""},
		{52, MessageBody, `{"f1":{"f2":{"f3":["v1"]}}}`, `{"f1":[{"f2":{"f3":"v1"}}]}`, "yes"},
		{53, MessageBody, `{"f1":{"f2":{"f3":["v1"]}}}`, `{"f1":[{"f2":{"f3":"v2"}}]}`, ""},
		{54, MessageBody, `{"f1":["v1","v2"],"f2":["v4"]}`, `{"f1":"v2","f2":"v4"}`, "yes"},
		{55, MessageBody, `{"f1":["v1","v2"],"f2":["v4"]}`, `{"f1":"v2","f2":"v5"}`, ""},
		{56, MessageBody, `{"k":["x"]}`, `["x"]`, ""},
		{57, MessageBody, `{"k":[null]}`, `{"k":null}`, "yes"},
	} {
		p := compile(t, c.policy, c.scope)
		var got bool
		if c.scope == MessageBody {
			got = p.MatchBody([]byte(c.input))
		} else {
			got = matchAttributes(p, parseAttributes(t, c.input))
		}
		if got != (c.yes == "yes") {
			t.Errorf("%d: %s on %s: got %v", c.number, c.policy, c.input, got)
		}
	}
}

// Rules that the vectors do not cover.
func TestMatchAttributes(t *testing.T) {
	f := func(policy, input string, want bool) {
		t.Helper()
		if got := matchAttributes(compile(t, policy, MessageAttributes), parseAttributes(t, input)); got != want {
			t.Errorf("%s on %s: got %v", policy, input, got)
		}
	}
	f(`{}`, ``, true)
	f(`{}`, `a=1`, true)
	f(`{"a":[100]}`, `a:Number=1e2`, true)
	f(`{"a":[100]}`, `a=100`, false)
	f(`{"a":["100"]}`, `a:Number=100`, false)
	f(`{"a":[100]}`, `a:Number.int=100`, true)
	f(`{"a":["x"]}`, `a:String.word=x`, true)
	f(`{"a":[{"exists":true}]}`, `a:Binary=x`, false)
	f(`{"a":[{"exists":false}]}`, `a:Binary.gif=x`, true)
	f(`{"a":[{"exists":true}]}`, `a:String.Array=no`, false)
	f(`{"a":[{"exists":false}]}`, `a:String.Array=no`, false)
	f(`{"a":[{"exists":true}]}`, `a:String.Array=[]`, false)
	f(`{"a":[{"exists":false}]}`, `a:String.Array=[]`, false)
	f(`{"a":["x"]}`, `a:String.Array=["x"`, false)
	f(`{"a":["x"]}`, `a:String.Array="x"`, false)
	f(`{"a":[null]}`, `a:String.Array=["x",null]`, true)
	f(`{"a":[1.5]}`, `a:String.Array=["x",15e-1]`, true)
	f(`{"a":["x\"y"]}`, `a:String.Array=["x\"y"]`, true)
	f(`{"a":["x"]}`, `a:String.Array=[{"a":"x"}]`, false)
	f(`{"a":[{"anything-but":1}]}`, `a:Number=nonsense`, true)
	f(`{"a":[{"numeric":[">",1]}]}`, `a:Number=nonsense`, false)
	f(`{"a.b":["x"]}`, `a.b=x`, true)
	f(`{"a":["x"],"$or":[{"b":["y"]},{"b":["z"],"c":["w"]}]}`, `a=x b=z c=w`, true)
	f(`{"a":["x"],"$or":[{"b":["y"]},{"b":["z"],"c":["w"]}]}`, `a=x b=z`, false)
	f(`{"$or":[{"$or":[{"a":["1"]},{"b":["2"]}]},{"c":[{"exists":false}]}]}`, `c=3 b=2`, true)
	f(`{"$or":[{"$or":[{"a":["1"]},{"b":["2"]}]},{"c":[{"exists":false}]}]}`, `c=3 b=1`, false)
	f(`{"a":[{"anything-but":"x"}]}`, `a:Number=1`, true)
	f(`{"a":[{"anything-but":{"prefix":"x"}}]}`, `a:Number=1`, true)
	f(`{"a":[9007199254740993]}`, `a:Number=9007199254740992`, false)
	f(`{"a":[{"numeric":[">",0.1,"<",0.10000000000000000002]}]}`, `a:Number=0.10000000000000000001`, true)
	f(`{"a":[0]}`, `a:Number=-0.00e7`, true)
	f(`{"a":[1]}`, `a=x a:Number=1`, true)
}

func TestMatchBody(t *testing.T) {
	f := func(policy, body string, want bool) {
		t.Helper()
		if got := compile(t, policy, MessageBody).MatchBody([]byte(body)); got != want {
			t.Errorf("%s on %s: got %v", policy, body, got)
		}
	}
	f(`{}`, `no JSON`, true)
	f(`{"a":["x"]}`, ` { "a" : [ 1 , [ "x" ] ] } `, true)
	f(`{"a":["x"]}`, `{"a":"x"`, false)
	f(`{"a":["x"]}`, `{"a":"x"}}`, false)
	f(`{"a":["x"]}`, `{"a":"x","b":01}`, false)
	f(`{"a":["x"]}`, `{"a":"x","b":"`+"\xff"+`"}`, false)
	f(`{"a":["x"]}`, `{"a":"x",}`, false)
	f(`{"a":[{"exists":false}]}`, `[]`, false)
	f(`{"a":[{"exists":false}]}`, `{"a":{}}`, true)
	f(`{"a":[{"exists":false}]}`, `{"a":[]}`, true)
	f(`{"a":[{"exists":true}]}`, `{"a":[{"b":1}]}`, false)
	f(`{"a":[{"exists":true}]}`, `{"a":null}`, true)
	f(`{"a":{"b":[{"exists":false}]}}`, `{"a":1}`, true)
	f(`{"a.b":["x"]}`, `{"a":{"b":"x"}}`, true)
	f(`{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true)
	f(`{"a":{"b.c":["x"]}}`, `{"a.b":[{"c":"x"}]}`, true)
	f(`{"a":{"b":["x"]}}`, `{"a.":{"b":"x"}}`, false)
	f(`{"a":["x"],"a.b":["y"]}`, `{"a":"x","a.b":"y"}`, true)
	f(`{"a":["x"],"a!":["z"],"a.b":["y"]}`, `{"a":["x",{"b":"y"}],"a!":"z"}`, true)
	f(`{"\u00e9\"":["x"]}`, `{"\u00E9\"":"\u0078"}`, true)
	f(`{"a":["\ud83d\ude00!"]}`, `{"a":"\uD83D\uDE00!"}`, true)
	f(`{"a":["`+"\ufffd\U00010000"+`"]}`, `{"a":"\ud800\ud800\udc00"}`, true)
	f(`{"a":[{"suffix":"/y"}]}`, `{"a":"\u0078\/y"}`, true)
	f(`{"a":[{"suffix":"xx/y"}]}`, `{"a":"\u0078\/y"}`, false)
	f(`{"a":[{"prefix":"x/"}]}`, `{"a":"\u0078\/y"}`, true)
	f(`{"a":[{"prefix":"x/yz"}]}`, `{"a":"\u0078\/y"}`, false)
	f(`{"a":[{"equals-ignore-case":"KELVIN\u212a"}]}`, `{"a":"\u212aelvinK"}`, true)
	f(`{"a":[{"cidr":"2001:db8::/33"}]}`, `{"a":"2001:DB8:7\u0066ff::1"}`, true)
	f(`{"a":[{"cidr":"2001:db8::/33"}]}`, `{"a":"2001:db8:8000::1"}`, false)
	f(`{"a":[{"cidr":"10.0.0.9/31"}]}`, `{"a":"10.0.0.8"}`, true)
	f(`{"a":[{"cidr":"0.0.0.0/0"}]}`, `{"a":"::1"}`, false)
	f(`{"a":{"$or":[{"b":["x"]},{"c":["y"]}]}}`, `{"a":[{"c":"y"}]}`, true)
	f(`{"a":{"$or":[{"b":["x"]},{"c":["y"]}]}}`, `{"c":"y"}`, false)
	f(`{"a":["x","y"]}`, `{"a":"z","a":"y"}`, true)
	deep := func(n int) string { return `{"a":"x","b":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	f(`{"a":["x"]}`, deep(DepthMax-1), true)
	f(`{"a":["x"]}`, deep(DepthMax), false)
	f(`{"a":["x"]}`, strings.Repeat(`{"b":`, 1<<20), false)
}
