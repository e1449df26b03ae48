package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func (x *Index[T]) candidates(scope Scope, body string, attributes []attribute) (all []T) {
	if scope == MessageBody {
		all, _ = x.AppendBody(nil, []byte(body))
		return all
	}
	for _, a := range attributes {
		all, _ = x.AppendAttribute(all, []byte(a.name), []byte(a.dataType), []byte(a.value))
	}
	return all
}

// What the index does not find does not match, also while policies come and go; and it does not find just anything.
func TestIndexFindsWhatMatches(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	matched, found, looked := 0, 0, 0
	for round := range 60 {
		g := generator{rand.New(rand.NewPCG(seed, uint64(round))), Scope(round % 2)}
		var x Index[int]
		policies := map[int]*Policy{}
		texts := map[int]string{}
		for id := range 60 {
			text := g.policy()
			p, err := Compile([]byte(text), g.scope)
			if err == nil && x.Add(p, id) {
				policies[id], texts[id] = p, text
			}
			if old := g.IntN(60); g.IntN(3) == 0 && policies[old] != nil {
				x.Remove(policies[old], old)
				delete(policies, old)
			}
		}
		for range 40 {
			body, attributes := g.body(), g.attributes()
			all := x.candidates(g.scope, body, attributes)
			for id, p := range policies {
				got := g.scope == MessageBody && p.MatchBody([]byte(body)) || g.scope == MessageAttributes && matchAttributes(p, attributes)
				if got && !slices.Contains(all, id) {
					t.Fatalf("seed %d: %s matches %s%v and was not found", seed, texts[id], body, attributes)
				}
				looked++
				if got {
					matched++
				}
				if slices.Contains(all, id) {
					found++
				}
			}
			for _, id := range all {
				if policies[id] == nil {
					t.Fatalf("seed %d: a policy that was removed was found", seed)
				}
			}
		}
		for id, p := range policies {
			x.Remove(p, id)
		}
		if x.HasAttributes() || x.HasBodies() || len(x.layout.fields) > 0 {
			t.Fatalf("seed %d: an emptied index has keys", seed)
		}
	}
	t.Logf("%d policies looked for, %d found, %d match", looked, found, matched)
	if looked < 10_000 || matched < looked/100 || found > looked/2 {
		t.Errorf("%d looked for, %d found, %d match: these show little", looked, found, matched)
	}
}

func TestIndexAnchors(t *testing.T) {
	f := func(scope Scope, policy string, want bool) {
		t.Helper()
		var x Index[string]
		if got := x.Add(compile(t, policy, scope), "id"); got != want {
			t.Errorf("%s: got %v", policy, got)
		}
	}
	for _, scope := range []Scope{MessageAttributes, MessageBody} {
		f(scope, `{"a":["x",1,null]}`, true)
		f(scope, `{"a":[{"prefix":"x"}],"b":["y"]}`, true)
		f(scope, `{"a":["x",{"prefix":"x"}]}`, false)
		f(scope, `{"a":["x",{"exists":false}]}`, false)
		f(scope, `{"$or":[{"a":["x"]},{"b":["x"]}]}`, false)
		f(scope, `{"$or":[{"a":["x"]},{"b":["x"]}],"c":[1]}`, true)
		f(scope, `{}`, false)
	}
	// Only so many keys of bodies are looked for.
	var x Index[int]
	for i := range pathsMax {
		if !x.Add(compile(t, fmt.Sprintf(`{"k%d":[1]}`, i), MessageBody), i) {
			t.Fatalf("key %d was refused", i)
		}
	}
	if x.Add(compile(t, `{"more":[1]}`, MessageBody), 1) || !x.Add(compile(t, `{"k7":[2]}`, MessageBody), 2) {
		t.Error("the bound does not hold")
	}
	if got, told := x.AppendBody(nil, []byte(`{"k7":2.0}`)); !slices.Equal(got, []int{2}) || !told {
		t.Errorf("got %v, %v", got, told)
	}
	// Of a message with too many values it cannot tell.
	many := func(n int) []byte { return []byte(`{"k7":[` + strings.Repeat("3,", n-1) + "2]}") }
	if got, told := x.AppendBody(nil, many(listedMax)); !slices.Equal(got, []int{2}) || !told {
		t.Errorf("got %v, %v", got, told)
	}
	if _, told := x.AppendBody(nil, many(listedMax+1)); told {
		t.Error("the index tells of a message with too many values")
	}
}

func TestIndexFindsLongNumbersWithAPoint(t *testing.T) {
	digits := strings.Repeat("1", canonicalMax)
	p, err := Compile([]byte(`{"n":[`+digits+`]}`), MessageBody)
	if err != nil {
		t.Fatal(err)
	}
	var x Index[int]
	if !x.Add(p, 1) {
		t.Fatal("the policy cannot be found")
	}
	body := `{"n":` + digits[:1] + "." + digits[1:] + fmt.Sprintf("e%d}", canonicalMax-1)
	if !p.MatchBody([]byte(body)) || !slices.Contains(x.candidates(MessageBody, body, nil), 1) {
		t.Fatalf("%s is not found", body)
	}
}
