package egress_test

import (
	"errors"
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/sqs"
	"fanfare/engine"
)

// TestDeadLetterGoesToTheQueue carries what the subscriber would have got, and says nothing of why it did not.
func TestDeadLetterGoesToTheQueue(t *testing.T) {
	inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
		config := refusing(b, q.url)
		s := b.put(config)
		first := b.send(1)
		b.pass(time.Second)
		got, _ := q.taken()
		if len(got) != 1 || got[0].MessageBody != snsBody(t, b, first) || len(got[0].MessageAttributes) != 0 {
			t.Fatalf("the queue has %+v", got)
		}
		config.Envelope = "raw"
		b.put(config)
		m := engine.NewMessage()
		m.Set(engine.FieldBody, []byte("m-2-m"))
		m.AddAttribute([]byte("colour"), []byte("String"), []byte("red"), false)
		if err := b.Engine.Publish(b.topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
		b.pass(time.Second)
		if got, _ = q.taken(); len(got) != 2 || got[1].MessageBody != "m-2-m" || len(got[1].MessageAttributes) != 1 || got[1].MessageAttributes["colour"].StringValue != "red" {
			t.Errorf("the queue has %+v", got)
		}
		if letters := b.letters(s); len(letters) != 0 {
			t.Errorf("the list has %v", letters)
		}
	})
}

// TestQueueOutage is survived: the letter is tried again by the queue's own policy, whatever the subscription's is,
// and arrives once.
func TestQueueOutage(t *testing.T) {
	for name, down := range map[string]answer{
		"503": {503, "", ""}, "throttled": {400, "", `{"__type":"com.amazonaws.sqs#RequestThrottled"}`}, "429": {429, "", ""},
	} {
		inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
			s := b.put(refusing(b, q.url))
			q.set(down)
			b.send(1)
			b.pass(5 * time.Hour)
			_, calls := q.taken()
			// 3 at once, 2 after 1 s, 10 exponential ones, then one every 20 s.
			if want := 1 + 3 + 2 + 10 + 5*3600/20; calls < want-10 || calls > want {
				t.Errorf("%s: %d calls, want about %d", name, calls, want)
			}
			q.set(answer{})
			b.pass(time.Minute)
			got, after := q.taken()
			if len(got) != 1 || after != calls+1 {
				t.Errorf("%s: the queue has %d letters behind %d further calls", name, len(got), after-calls)
			}
			if letters := b.letters(s); len(letters) != 0 {
				t.Errorf("%s: the list has %v", name, letters)
			}
		})
	}
}

// TestQueueRefuses puts the letter on the built-in list when the queue does not want it.
func TestQueueRefuses(t *testing.T) {
	for _, refusal := range []answer{
		{400, "", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"x"}`},
		{403, "", `{"__type":"AccessDenied"}`},
		{404, "", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`},
		{301, "Location: http://elsewhere/\r\n", ""},
	} {
		inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
			s := b.put(refusing(b, q.url))
			q.set(refusal)
			message := b.send(1)
			b.pass(time.Hour)
			_, calls := q.taken()
			d := b.letters(s)[message]
			if calls != 1 || d.Reason != engine.ReasonRefused || d.Status != refusal.status || string(d.Answer) != refusal.body {
				t.Errorf("%d: %d calls, dead letter %+v", refusal.status, calls, d)
			}
		})
	}
}

// TestOldQueueServer is spoken to in its own protocol, once it has shown that it knows no other; an hour later it is asked
// whether it has learnt.
func TestOldQueueServer(t *testing.T) {
	inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
		b.put(refusing(b, q.url))
		step := func(what string, old bool, message, calls, forms int) {
			t.Helper()
			q.mu.Lock()
			q.old = old
			beforeCalls, beforeForms, before := q.calls, q.forms, len(q.got)
			q.mu.Unlock()
			body := b.send(message)
			b.pass(time.Second)
			q.mu.Lock()
			defer q.mu.Unlock()
			if len(q.got) != before+1 || q.got[before].MessageBody != snsBody(t, b, body) {
				t.Fatalf("%s: the queue has %d letters, %d before", what, len(q.got), before)
			}
			if q.calls-beforeCalls != calls || q.forms-beforeForms != forms {
				t.Errorf("%s: %d calls, %d of them forms; want %d and %d", what, q.calls-beforeCalls, q.forms-beforeForms, calls, forms)
			}
		}
		step("first", true, 1, 2, 1)
		step("known", true, 2, 1, 1)
		b.pass(time.Hour)
		step("asked again", true, 3, 2, 1)
		step("known again", true, 4, 1, 1)
		b.pass(time.Hour)
		step("learnt", false, 5, 1, 0)
		step("knows", false, 6, 1, 0)
		for i, refusal := range []answer{
			{404, "", "<html>"}, {400, "", `{"__type":"com.amazon.coral.service#UnknownOperationException"}`},
		} {
			q.set(refusal)
			_, before := q.taken()
			b.send(10 + i)
			b.pass(time.Second)
			if _, calls := q.taken(); calls != before+2 {
				t.Errorf("%+v: %d calls, want one in each protocol", refusal, calls-before)
			}
			q.set(answer{})
			b.pass(2 * time.Hour)
			step("behind a refusal", false, 20+i, 1, 0)
		}
	})
}

// TestQueueIsTakenAway puts what is on its way there on the list.
func TestQueueIsTakenAway(t *testing.T) {
	inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
		config := refusing(b, q.url)
		s := b.put(config)
		q.set(answer{503, "", ""})
		message := b.send(1)
		b.pass(time.Minute)
		config.DeadLetters.Queue = ""
		b.put(config)
		b.pass(time.Minute)
		if d := b.letters(s)[message]; d.Reason != engine.ReasonRefused || d.Failure == "" {
			t.Errorf("dead letter %+v", d)
		}
	})
}

// TestConfirmationsAreNotDeadLettered anywhere.
func TestConfirmationsAreNotDeadLettered(t *testing.T) {
	inQueueBubble(t, func(t *testing.T, b *bubble, q *queueServer) {
		s := b.put(refusing(b, q.url))
		for _, kind := range []engine.MessageType{engine.SubscriptionConfirmation, engine.UnsubscribeConfirmation} {
			m := engine.NewMessage()
			m.SetType(kind)
			m.Set(engine.FieldBody, []byte("m-1-m"))
			m.Set(engine.FieldToken, []byte("00"))
			if err := b.Engine.Notify(s, m); err != nil {
				t.Fatal(err)
			}
			m.Release()
		}
		b.pass(time.Hour)
		_, calls := q.taken()
		if letters := b.letters(s); calls != 0 || len(letters) != 0 || len(b.attempts("refusing", "m-1-m")) != 2 {
			t.Errorf("%d calls, list %v", calls, letters)
		}
	})
}

// TestQueueURLIsChecked when the subscription is made.
func TestQueueURLIsChecked(t *testing.T) {
	f := func(queue egress.QueueKind, url, want string) {
		t.Helper()
		h := newHouse(t, newMemory(), egress.Options{Queue: queue})
		_, _, err := h.Engine.PutSubscription(h.topic("orders"), engine.SubscriptionConfig{
			Name: "s", Kind: "plain", Endpoint: "http://127.0.0.1:9/", DeadLetters: engine.DeadLetterPlace{Queue: url},
		})
		var field *engine.FieldError
		if got := errors.As(err, &field); got != (want != "") || got && field.Error() != "dead_letters.queue: "+want {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	k := sqs.New(sqs.Options{})
	f(k, "http://127.0.0.1:9324/000000000000/dead", "")
	f(k, "http://127.0.0.1:9324/dead", "must end in /ACCOUNT/NAME")
	f(k, "http://169.254.169.254/000000000000/dead", "pushes to this address are forbidden")
	f(k, "ftp://127.0.0.1/000000000000/dead", "must begin with http:// or https://")
	f(nil, "http://127.0.0.1:9324/000000000000/dead", "no queue is served")
}
