package filter

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// The two matchers agree on every message and policy. FANFARE_LONG=1 tries a hundred times as many.
func TestAgainstOracle(t *testing.T) {
	const messages = 20
	pairs := 70_000
	if os.Getenv("FANFARE_LONG") == "1" {
		pairs *= 100
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	matched, refused := 0, 0
	for i := range pairs / messages {
		g := generator{rand.New(rand.NewPCG(seed, uint64(i))), Scope(i % 2)}
		text := g.policy()
		p, err := Compile([]byte(text), g.scope)
		if err != nil {
			if !strings.HasSuffix(err.Error(), "too complex") {
				t.Fatalf("seed %d, %s: %v", seed, text, err)
			}
			refused++
			continue
		}
		for range messages {
			body, attributes, got := "", []attribute(nil), false
			if g.scope == MessageBody {
				body = g.body()
				got = p.MatchBody([]byte(body))
			} else {
				attributes = g.attributes()
				got = matchAttributes(p, attributes)
			}
			if want := oracleMatch(text, g.scope, []byte(body), attributes); got != want {
				t.Fatalf("seed %d: %s on %s%v: got %v, want %v", seed, text, body, attributes, got, want)
			}
			if got {
				matched++
			}
		}
	}
	compared := pairs - refused*messages
	t.Logf("%d pairs, %d of them match; %d policies were too complex", compared, matched, refused)
	if compared < 50_000 || matched < pairs/10 || matched > pairs*9/10 {
		t.Errorf("of %d pairs %d were compared and %d match: these show little", pairs, compared, matched)
	}
}

// FuzzBody compares the two on any policy and body.
func FuzzBody(f *testing.F) {
	f.Add(`{"a":["x"]}`, `{"a":"x"}`)
	f.Add(`{"a":{"b.c":[{"prefix":"x"}]},"$or":[{"d":[1]},{"e":[null,{"exists":false}]}]}`, `{"a.b":[{"c":"x\u0079"}],"d":10e-1}`)
	f.Add(`{"a":[{"numeric":[">",1,"<=",2.5]},{"cidr":"::/1"}]}`, `{"a":[[1.25],"::ffff:1.2.3.4"]}`)
	f.Add(`{"a":[{"equals-ignore-case":"ſ"},{"suffix":"\ud800x"}]}`, `{"a":"\u0053","b":"\ud800\ud800\udc00"}`)
	f.Add(`{"a":[{"anything-but":["x","y"]},{"anything-but":{"prefix":"z"}}]}`, `{"a":"x","a":[]}`)
	f.Fuzz(func(t *testing.T, policy, body string) {
		p, err := Compile([]byte(policy), MessageBody)
		if err != nil || hugeNumber(policy) || hugeNumber(body) || repeats(policy) {
			return
		}
		if got, want := p.MatchBody([]byte(body)), oracleMatch(policy, MessageBody, []byte(body), nil); got != want {
			t.Fatalf("%s on %s: got %v, want %v", policy, body, got, want)
		}
	})
}

// FuzzAttribute compares the two on any policy and attribute.
func FuzzAttribute(f *testing.F) {
	f.Add(`{"a":["x"]}`, "a", "String", "x")
	f.Add(`{"a":[1,{"exists":false}]}`, "a", "Number", "1e0")
	f.Add(`{"a":[true,{"anything-but":1}],"b":[{"exists":false}]}`, "a", "String.Array", `["x",[true],{}]`)
	f.Fuzz(func(t *testing.T, policy, name, dataType, value string) {
		p, err := Compile([]byte(policy), MessageAttributes)
		if err != nil || hugeNumber(policy) || hugeNumber(value) || repeats(policy) {
			return
		}
		// big.Rat reads notations that are none of ours.
		if strings.HasPrefix(dataType, "Number") && strings.ContainsAny(value, "_xXoObBpPaAcCdDfFnNiI/") {
			return
		}
		a := []attribute{{name, dataType, value}}
		if got, want := matchAttributes(p, a), oracleMatch(policy, MessageAttributes, nil, a); got != want {
			t.Fatalf("%s on %v: got %v, want %v", policy, a, got, want)
		}
	})
}

// hugeNumber reports whether a text may have a number that the oracle would write out.
func hugeNumber(text string) bool {
	for i := range len(text) {
		if text[i]|0x20 == 'e' {
			digits := len(text[i+1:]) - len(strings.TrimLeft(text[i+1:], "+-0123456789"))
			if digits > 4 {
				return true
			}
		}
	}
	return len(text) > 1<<16
}

// repeats reports whether an object in a policy has two members of a name: the oracle merges what lies below.
func repeats(policy string) bool {
	tree, ok := readTree([]byte(policy))
	return !ok || repeatsIn(tree)
}

func repeatsIn(tree any) bool {
	switch v := tree.(type) {
	case []pair:
		seen := map[string]bool{}
		for _, p := range v {
			if seen[p.name] || repeatsIn(p.value) {
				return true
			}
			seen[p.name] = true
		}
	case []any:
		for _, e := range v {
			if repeatsIn(e) {
				return true
			}
		}
	}
	return false
}

// Numbers compare as big.Rat compares them.
func FuzzDecimal(f *testing.F) {
	for _, a := range genNumbers {
		f.Add(a, "1.5")
		f.Add("-"+strings.TrimPrefix(a, "-"), a)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if hugeNumber(a) || hugeNumber(b) || !json.Valid([]byte(a)) || !json.Valid([]byte(b)) || strings.Trim(a+b, "+-0123456789.eE") != "" {
			return
		}
		x, ok := parseDecimal([]byte(a))
		y, ok2 := parseDecimal([]byte(b))
		if want := rational(json.Number(a)).Cmp(rational(json.Number(b))); !ok || !ok2 || x.compare(&y) != want {
			t.Fatalf("%s and %s: got %d, want %d", a, b, x.compare(&y), want)
		}
	})
}
