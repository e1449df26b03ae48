package egress_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

// listen makes a topic with a subscription that takes everything, and returns what arrives there, in order.
func (b *bubble) listen(topic string) (*engine.Topic, func() []*http.Request) {
	b.t.Helper()
	t := b.Engine.Topic([]byte(topic))
	if t == nil {
		t = b.house.topic(topic)
	}
	var got []*http.Request
	url := b.hostOf(topic+"-end", func(_ string, header http.Header, _ string) answer {
		b.mu.Lock()
		defer b.mu.Unlock()
		got = append(got, &http.Request{Header: header})
		return answer{200, "", ""}
	})
	if _, _, err := b.Engine.PutSubscription(t, engine.SubscriptionConfig{Name: "end", Endpoint: url}); err != nil {
		b.t.Fatal(err)
	}
	return t, func() []*http.Request {
		b.mu.Lock()
		defer b.mu.Unlock()
		return got
	}
}

// stored are the messages a topic holds, with their attributes by name.
func (h *house) stored(t *engine.Topic) (all []map[string]string) {
	h.t.Helper()
	err := h.Engine.ReadTopic(t, 1, t.High(), func(_ engine.Sequence, m *engine.Message) bool {
		one := map[string]string{"body": string(m.Body()), "id": string(m.ID().AppendUUID(nil))}
		for it := m.Attributes(); it.Next(); {
			one[string(it.Name)] = string(it.Value)
		}
		all = append(all, one)
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// keep makes a topic keep what is settled, for the test to look at.
func (h *house) keep(name string) *engine.Topic {
	h.t.Helper()
	t, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: name, Retention: engine.Retention{Age: 1000 * time.Hour}})
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

// TestDeadLetterIsPublishedToTheTopic once per death, with what it died of and where, and behind its own attributes.
func TestDeadLetterIsPublishedToTheTopic(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		dead := b.keep("dead")
		_, arrived := b.listen("dead")
		config := engine.SubscriptionConfig{
			Name: "s", Endpoint: b.host("h", func(message string, _ int) answer {
				if message == "m-1-m" {
					return answer{410, "", ""}
				}
				return answer{503, "", ""}
			}),
			Retry: engine.RetryPolicy{MaxAttempts: 3}, DeadLetters: engine.DeadLetterPlace{Topic: "dead"},
		}
		s := b.put(config)
		config.Name = "twin"
		twin := b.put(config)
		m := engine.NewMessage()
		m.Set(engine.FieldBody, []byte("m-1-m"))
		m.SetExpiresAt(time.Now().Add(time.Minute).UnixMilli())
		m.AddAttribute([]byte("colour"), []byte("String"), []byte("red"), false)
		id := string(m.ID().AppendUUID(nil))
		if err := b.Engine.Publish(b.topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
		b.pass(time.Hour)
		b.send(2)
		b.pass(time.Hour)
		if got := arrived(); len(got) != 4 {
			t.Errorf("%d letters were pushed, want 4", len(got))
		}
		got := b.stored(dead)
		if len(got) != 4 {
			t.Fatalf("%d letters, want 4: %v", len(got), got)
		}
		seen := map[string]map[string]string{}
		for _, one := range got {
			seen[one["body"]+" "+one["fanfare.dead_letter.subscription"]] = one
		}
		for _, name := range []string{"s", "twin"} {
			want := map[string]string{
				"body": "m-1-m", "id": id, "colour": "red",
				"fanfare.dead_letter.reason": "refused", "fanfare.dead_letter.topic": "orders", "fanfare.dead_letter.subscription": name,
				"fanfare.dead_letter.sequence": "1", "fanfare.dead_letter.attempts": "1", "fanfare.dead_letter.status": "410",
			}
			if diff := cmp.Diff(want, seen["m-1-m "+name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			late := seen["m-2-m "+name]
			if late["fanfare.dead_letter.reason"] != "max_attempts" || late["fanfare.dead_letter.attempts"] != "3" || late["fanfare.dead_letter.status"] != "503" || late["fanfare.dead_letter.sequence"] != "2" {
				t.Errorf("%s: %v", name, late)
			}
		}
		if len(b.letters(s))+len(b.letters(twin)) != 0 {
			t.Error("the list has letters, too")
		}
	})
}

// TestDeadLetterOfADeadLetter ends on the list of the subscription that did not get it.
func TestDeadLetterOfADeadLetter(t *testing.T) {
	inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
		dead := b.keep("dead")
		url := b.host("h", always(answer{410, "", ""}))
		first := b.put(engine.SubscriptionConfig{Name: "s", Endpoint: url, DeadLetters: engine.DeadLetterPlace{Topic: "dead"}})
		// In a circle: what dies here would go back to where it came from.
		second, _, err := b.Engine.PutSubscription(dead, engine.SubscriptionConfig{Name: "s", Endpoint: url, DeadLetters: engine.DeadLetterPlace{Topic: "orders"}})
		if err != nil {
			t.Fatal(err)
		}
		message := b.send(1)
		b.pass(time.Hour)
		if got := b.letters(second); len(got) != 1 || got[message].Reason != engine.ReasonRefused {
			t.Errorf("the list has %v", got)
		}
		if got := len(b.letters(first)); got != 0 || b.topic.High() != 1 || dead.High() != 1 || len(b.attempts("h", message)) != 2 {
			t.Errorf("%d letters, %d and %d messages, %d attempts", got, b.topic.High(), dead.High(), len(b.attempts("h", message)))
		}
	})
}

// TestNoTopicForDeadLetters falls back to the list: the topic is missing, or is the subscription's own.
func TestNoTopicForDeadLetters(t *testing.T) {
	for _, place := range []string{"missing", "orders"} {
		inBubble(t, egress.Options{BreakerFailures: never}, func(t *testing.T, b *bubble) {
			s := b.put(engine.SubscriptionConfig{Name: "s", Endpoint: b.host("h", always(answer{410, "", ""})), DeadLetters: engine.DeadLetterPlace{Topic: place}})
			message := b.send(1)
			b.pass(time.Hour)
			if d := b.letters(s)[message]; d.Reason != engine.ReasonRefused || d.Status != 410 || b.topic.High() != 1 {
				t.Errorf("%s: dead letter %+v, %d messages", place, d, b.topic.High())
			}
		})
	}
}

// TestDeadLetterSurvivesARestart between its death and its publish: the timer, which publishes it, runs behind the
// restart only.
func TestDeadLetterSurvivesARestart(t *testing.T) {
	fs := vfs.NewMem()
	open := func() engine.Store {
		t.Helper()
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	refused := make(chan struct{}, 16)
	r := newRecorder(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.WriteHeader(http.StatusGone)
		refused <- struct{}{}
		return false
	})
	good := newRecorder(t, nil)

	store := open()
	e, err := engine.New(engine.Options{Store: store, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := egress.New(e, egress.Options{Kinds: []egress.Kind{plain{}}})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	e.Start() // but not Run
	h := &house{t: t, Engine: e, Egress: g}
	topic, dead := h.topic("orders"), h.topic("dead")
	h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: r.URL, DeadLetters: engine.DeadLetterPlace{Topic: "dead"}})
	h.subscribe(dead, engine.SubscriptionConfig{Name: "end", Endpoint: good.URL})
	for _, body := range []string{"m-1-m", "m-2-m"} {
		h.publish(topic, body)
	}
	<-refused
	<-refused
	e.Close()
	drain, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if err := g.Drain(drain); err != nil {
		t.Fatal(err)
	}
	if n := g.Stats().Buried; n != 2 || dead.High() != 0 {
		t.Fatalf("%d buried, %d published before the restart", n, dead.High())
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the second start has nothing left to publish
		store = open()
		h = newHouse(t, store, egress.Options{})
		good.waitFor(t, 2)
		h.publish(h.Engine.Topic([]byte("dead")), "marker")
		good.waitFor(t, 3)
		h.close()
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]int{"m-1-m": 1, "m-2-m": 1, "marker": 2}, good.seen); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if len(refused) != 0 {
		t.Errorf("%d more pushes of what was dead", len(refused))
	}
}
