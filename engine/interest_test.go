package engine_test

import (
	"slices"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// Whatever becomes of subscriptions, the ones a message may concern are found, and from a number on no others.
func TestInterested(t *testing.T) {
	e, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1, FindFrom: 3}, newRecorder())
	defer stop()
	topic, _, err := e.CreateTopic("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	subs := map[string]*engine.Subscription{}
	put := func(name string, c engine.SubscriptionConfig) {
		t.Helper()
		c.Name, c.Kind, c.Endpoint = name, "k", "http://127.0.0.1/"
		s, _, err := e.PutSubscription(topic, c)
		if err != nil {
			t.Fatal(err)
		}
		subs[name] = s
	}
	f := func(fill func(m *engine.Message), want string, wantAll bool) {
		t.Helper()
		m := engine.NewMessage()
		defer m.Release()
		fill(m)
		found, all := topic.Interested(nil, m)
		var names []string
		for _, s := range found {
			names = append(names, s.Name())
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want || all != wantAll {
			t.Errorf("got %q, all %v, want %q, %v", got, all, want, wantAll)
		}
	}
	tagged := func(tag string) func(m *engine.Message) {
		return func(m *engine.Message) { m.Set(engine.FieldTag, []byte(tag)) }
	}
	coloured := func(colour string) func(m *engine.Message) {
		return func(m *engine.Message) {
			m.AddAttribute([]byte("colour"), []byte("String"), []byte(colour), false)
		}
	}
	body := func(text string) func(m *engine.Message) {
		return func(m *engine.Message) { m.Set(engine.FieldBody, []byte(text)) }
	}
	put("everything", engine.SubscriptionConfig{})
	put("red-tag", engine.SubscriptionConfig{FilterTag: "red"})
	put("red", engine.SubscriptionConfig{FilterPolicy: `{"colour":["red"]}`})
	f(tagged("blue"), "everything red red-tag", true) // not worth it yet
	put("seven", engine.SubscriptionConfig{FilterPolicy: `{"n":[7]}`, FilterPolicyScope: "MessageBody"})
	put("long", engine.SubscriptionConfig{FilterPolicy: `{"colour":[{"prefix":"r"}]}`})
	f(tagged("blue"), "everything long", false)
	f(tagged("red"), "everything long red-tag", false)
	f(coloured("red"), "everything long red", false)
	f(coloured("blue"), "everything long", false)
	f(body(`{"n":7.0}`), "everything long seven", false)
	f(body(`{"n":"7"}`), "everything long", false)
	f(func(m *engine.Message) { m.AddAttribute([]byte("colour"), []byte("Binary"), []byte("red"), true) }, "everything long", false)
	f(func(m *engine.Message) { m.Set(engine.FieldStructure, []byte(`{"http":"{\"n\":7}"}`)) }, "everything long red red-tag seven", true)

	// Changes are followed at once.
	put("red-tag", engine.SubscriptionConfig{FilterTag: "blue"})
	f(tagged("red"), "everything long", false)
	f(tagged("blue"), "everything long red-tag", false)
	if err := e.UpdateSubscription(subs["red"], func(c *engine.SubscriptionConfig) { c.FilterPolicy = "" }); err != nil {
		t.Fatal(err)
	}
	f(coloured("blue"), "everything long red", false)
	if err := e.UpdateSubscription(subs["everything"], func(c *engine.SubscriptionConfig) { c.FilterPolicy = `{"colour":["green"]}` }); err != nil {
		t.Fatal(err)
	}
	f(coloured("blue"), "long red", false)
	f(coloured("green"), "everything long red", false)
	if err := e.DeleteSubscription(subs["red-tag"]); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteSubscription(subs["long"]); err != nil {
		t.Fatal(err)
	}
	f(tagged("blue"), "red", false)
	if err := e.DeleteTopic("orders"); err != nil {
		t.Fatal(err)
	}
	f(coloured("green"), "", false)
}
