package egress_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/engine"
)

// resting counts the goroutines that wait for the slot of a push.
func resting() int {
	buf := make([]byte, 4<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "egress.(*pusher).rest(")
}

// TestThrottledLaneRestsOnce: one goroutine waits, however many messages do. (lane.batch hands out a slot to a pusher
// that comes back while another one rests.)
func TestThrottledLaneRestsOnce(t *testing.T) {
	inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
		b.put(engine.SubscriptionConfig{Name: "s", Endpoint: b.host("h", always(answer{200, "", ""})), MaxPerSecond: 1})
		for i := range 100 {
			b.send(i)
		}
		b.pass(10 * time.Millisecond)
		for range 5 {
			if n := resting(); n != 1 {
				t.Errorf("%d goroutines wait", n)
			}
			b.pass(time.Second)
		}
	})
}

// TestBreakerKeepsThePolicy: a probe of the breaker counts as an attempt, so a message whose policy lasts a day is dead
// within hours when the endpoint is down. (lane.failedLocked counts every probe; the wait of the policy is dropped.)
func TestBreakerKeepsThePolicy(t *testing.T) {
	inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
		s := b.put(engine.SubscriptionConfig{
			Name: "s", Kind: "smq", Endpoint: b.host("h", always(answer{503, "", ""})),
			Retry: engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: time.Second, MaxDelay: 512 * time.Second, MaxAttempts: 177, Deaf: true},
		})
		message, begin := b.send(1), time.Now()
		b.pass(48 * time.Hour)
		d := b.letters(s)[message]
		if age := time.UnixMilli(d.At).Sub(begin); d.Attempts != 177 || age < 86_015*time.Second {
			t.Errorf("dead after %v and %d attempts, want 177 within %v", age, d.Attempts, 86_015*time.Second)
		}
	})
}

// TestLetterOfAgeTellsTheLastAnswer: when the age is over while the delivery waits, the letter has neither status nor
// answer. (lane.batch buries it with the lane's last failure only.)
func TestLetterOfAgeTellsTheLastAnswer(t *testing.T) {
	inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
		s := b.put(engine.SubscriptionConfig{
			Name: "s", Endpoint: b.host("h", always(answer{503, "", "busy"})),
			Retry: engine.RetryPolicy{Jitter: engine.JitterNone, MinDelay: time.Minute, MaxDelay: time.Minute, MaxAge: 150 * time.Second},
		})
		message := b.send(1)
		b.pass(time.Hour)
		if d := b.letters(s)[message]; d.Reason != engine.ReasonAge || d.Status != 503 || string(d.Answer) != "busy" {
			t.Errorf("dead letter %+v", d)
		}
	})
}

// TestDeadLetterIsYoung: a letter that died of its age is published with the old time, so a subscription of the topic
// for dead letters tries it once and no more. (Message.AppendDeadLetter keeps the time of the publish.)
func TestDeadLetterIsYoung(t *testing.T) {
	inBubble(t, egress.Options{}, func(t *testing.T, b *bubble) {
		dead := b.keep("dead")
		b.put(engine.SubscriptionConfig{
			Name: "s", Endpoint: b.host("h", always(answer{503, "", ""})), DeadLetters: engine.DeadLetterPlace{Topic: "dead"},
			Retry: engine.RetryPolicy{MinDelay: time.Minute, MaxDelay: time.Minute, MaxAge: time.Hour},
		})
		end, _, err := b.Engine.PutSubscription(dead, engine.SubscriptionConfig{
			Name: "end", Endpoint: b.host("end", func(_ string, n int) answer { return answer{map[bool]int{true: 503, false: 200}[n < 3], "", ""} }),
			Retry: engine.RetryPolicy{MaxAge: time.Hour},
		})
		if err != nil {
			t.Fatal(err)
		}
		message := b.send(1)
		b.pass(24 * time.Hour)
		if n := len(b.attempts("end", message)); n != 3 || len(b.letters(end)) != 0 {
			t.Errorf("%d attempts, letters %v", n, b.letters(end))
		}
	})
}

// TestDeadLetterOutlivesItsTopic: the topic for dead letters is deleted between a death and its publish, and the letter
// is lost. (timers.publish drops an entry whose topic is gone.)
func TestDeadLetterOutlivesItsTopic(t *testing.T) {
	e, err := engine.New(engine.Options{Store: newMemory(), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := egress.New(e, egress.Options{Kinds: []egress.Kind{plain{}}})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	e.Start()
	h := &house{t: t, Engine: e, Egress: g}
	refuse := newRecorder(t, refuseAll)
	topic := h.topic("orders")
	h.topic("dead")
	s := h.subscribe(topic, engine.SubscriptionConfig{Name: "s", Endpoint: refuse.URL, DeadLetters: engine.DeadLetterPlace{Topic: "dead"}})
	h.publish(topic, "m-1-m")
	reaches(t, func() bool { return g.Stats().Buried == 1 })
	if err := e.DeleteTopic("dead"); err != nil {
		t.Fatal(err)
	}
	runFor(t, e, func() bool { return len(h.letters(s)) == 1 })
	e.Close()
	if err := g.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}
