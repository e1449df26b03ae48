package engine

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func compiled(t testing.TB, c SubscriptionConfig) *SubscriptionConfig {
	t.Helper()
	if err := c.CompileFilter(); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestFilterPolicyMatches(t *testing.T) {
	f := func(c SubscriptionConfig, fill func(m *Message), want bool) {
		t.Helper()
		m := NewMessage()
		defer m.Release()
		fill(m)
		m.seal()
		stored, err := DecodeMessage(m.Record())
		if err != nil {
			t.Fatal(err)
		}
		defer stored.Release()
		if got := compiled(t, c).Matches(stored); got != want {
			t.Errorf("%s %s: got %v", c.FilterPolicyScope, c.FilterPolicy, got)
		}
	}
	text := func(name, dataType, value string) func(m *Message) {
		return func(m *Message) { m.AddAttribute([]byte(name), []byte(dataType), []byte(value), false) }
	}
	body := func(text string) func(m *Message) { return func(m *Message) { m.Set(FieldBody, []byte(text)) } }
	red := SubscriptionConfig{FilterPolicy: `{"colour":["red"]}`}
	f(SubscriptionConfig{}, body("x"), true)
	f(red, text("colour", "String", "red"), true)
	f(red, text("colour", "String", "blue"), false)
	f(red, text("size", "String", "red"), false)
	f(red, body(`{"colour":"red"}`), false)
	f(SubscriptionConfig{FilterPolicy: `{"colour":[{"exists":true}]}`},
		func(m *Message) { m.AddAttribute([]byte("colour"), []byte("String"), []byte("x"), true) }, false)
	red.FilterPolicyScope = "MessageAttributes"
	f(red, text("colour", "String.Array", `["blue","red"]`), true)
	red.FilterPolicyScope = "MessageBody"
	f(red, body(`{"colour":"red"}`), true)
	f(red, body(`colour`), false)
	f(red, text("colour", "String", "red"), false)
	structured := func(object string) func(m *Message) {
		return func(m *Message) {
			m.Set(FieldStructure, []byte(object))
			m.Set(FieldBody, []byte(`{"colour":"green"}`)) // the default
		}
	}
	red.Protocol = "http"
	f(red, structured(`{"default":"{\"colour\":\"green\"}","http":"{\"colour\":\"r\\u0065d\"}"}`), true)
	f(red, structured(`{"default":"{\"colour\":\"green\"}","https":"{\"colour\":\"red\"}"}`), false)
	red.FilterPolicy = `{"colour":["green"]}`
	f(red, structured(`{"default":"{\"colour\":\"green\"}"}`), true)
	red.FilterTag = "t"
	f(red, structured(`{"default":"{\"colour\":\"green\"}"}`), false)
}

func TestFilterPolicyFaults(t *testing.T) {
	f := func(c SubscriptionConfig, field string) {
		t.Helper()
		err := c.CompileFilter()
		if err == nil || err.Field != field || !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: got %v", c, err)
		}
		found := false
		for _, fault := range c.Validate() {
			found = found || fault.Field == field
		}
		if !found {
			t.Errorf("%+v: Validate found nothing", c)
		}
	}
	f(SubscriptionConfig{FilterPolicy: `{"a":"b"}`}, "filter_policy")
	f(SubscriptionConfig{FilterPolicy: `{"a":{"b":["c"]}}`}, "filter_policy")
	f(SubscriptionConfig{FilterPolicy: `{"a":["b"]}`, FilterPolicyScope: "Body"}, "filter_policy_scope")
	f(SubscriptionConfig{FilterPolicyScope: "x"}, "filter_policy_scope")
	if compiled(t, SubscriptionConfig{FilterPolicy: `{"a":{"b":["c"]}}`, FilterPolicyScope: "MessageBody"}).Filter.use == nil {
		t.Error("nothing was compiled")
	}
}

// A copy keeps what was compiled until the policy or its scope is changed.
func TestFilterPolicyIsCompiledOnce(t *testing.T) {
	c := compiled(t, SubscriptionConfig{FilterPolicy: `{"a":["b"]}`})
	d := c.Clone()
	d.MaxInFlight = 7
	if compiled(t, *d).Filter.use != c.Filter.use {
		t.Error("the policy was compiled again")
	}
	d.FilterPolicyScope = "MessageBody"
	if got := compiled(t, *d).Filter.use; got == c.Filter.use || got == nil {
		t.Error("the change of the scope was not followed")
	}
	d.FilterPolicy, d.FilterPolicyScope = "", ""
	if compiled(t, *d).Filter.use != nil {
		t.Error("the policy was not removed")
	}
}

// A policy from the store that is not understood loses nothing: everything passes, it is said, and other settings can
// still be changed.
func TestStoredPolicyThatIsNotUnderstood(t *testing.T) {
	var log bytes.Buffer
	e := &Engine{opts: Options{Log: zerolog.New(&log)}}
	topic := &Topic{}
	topic.config.Store(&TopicConfig{Name: "orders"})
	c := SubscriptionConfig{Name: "s", FilterPolicy: `{"a":[{"operator-of-the-future":1}]}`}
	e.compileStored(topic, &c)
	for _, part := range []string{`"level":"error"`, `"topic":"orders"`, `"subscription":"s"`, "operator-of-the-future"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log lacks %s: %s", part, log.String())
		}
	}
	m := NewMessage()
	defer m.Release()
	if !c.Matches(m) {
		t.Error("a message does not match")
	}
	changed := c.Clone()
	changed.MaxInFlight = 3
	if err := changed.CompileFilter(); err != nil {
		t.Error(err)
	}
	changed.FilterPolicy = `{"a":[{"another":1}]}`
	if changed.CompileFilter() == nil {
		t.Error("a new policy that is not understood was taken")
	}
	log.Reset()
	c = SubscriptionConfig{FilterPolicy: `{"a":["b"]}`}
	if e.compileStored(topic, &c); c.Matches(m) || log.Len() > 0 {
		t.Errorf("a policy that is understood: %s", log.String())
	}
}
