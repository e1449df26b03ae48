package sqs

import (
	"errors"
	"testing"

	"fanfare/egress"
	"fanfare/egress/kindtest"
	"fanfare/egress/sns"
	"fanfare/engine"
)

func newKind() *Kind { return New(Options{Documents: sns.New(sns.Options{})}) }

func TestConformance(t *testing.T) {
	kindtest.Run(t, kindtest.Suite{
		Kind: newKind(), Envelopes: []string{SNS, Raw}, Path: "/base/000000000000/orders", Target: "/base",
		Refusal: `{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`,
	})
}

func TestCheck(t *testing.T) {
	f := func(k *Kind, c engine.SubscriptionConfig, field string) {
		t.Helper()
		err := k.Check(&c)
		var fault *engine.FieldError
		if errors.As(err, &fault) != (field != "") || fault != nil && fault.Field != field {
			t.Errorf("%+v: %v, want a fault of %q", c, err, field)
		}
	}
	k := newKind()
	f(k, engine.SubscriptionConfig{Endpoint: "queue:orders"}, "")
	f(k, engine.SubscriptionConfig{Endpoint: "queue:orders.fifo", Envelope: Raw}, "")
	f(k, engine.SubscriptionConfig{Endpoint: queueURL}, "")
	f(k, engine.SubscriptionConfig{Endpoint: "queue:"}, "endpoint")
	f(k, engine.SubscriptionConfig{Endpoint: "queue:a b"}, "endpoint")
	f(k, engine.SubscriptionConfig{Endpoint: "http://127.0.0.1/hook"}, "endpoint")
	f(k, engine.SubscriptionConfig{Endpoint: "queue:orders", Envelope: "json"}, "envelope")
	f(New(Options{}), engine.SubscriptionConfig{Endpoint: "queue:orders"}, "kind")

	var c engine.SubscriptionConfig
	c.Endpoint = "queue:orders"
	if err := egress.CheckKind(k, &c); err != nil || c.Protocol != "sqs" || c.Retry.MaxAttempts != 100_016 {
		t.Errorf("%v: %+v", err, c)
	}
	if err := egress.CheckKind(sns.New(sns.Options{}), &c); err == nil {
		t.Error("a queue of ours is an endpoint of the kind sns")
	}
}

func TestLearn(t *testing.T) {
	const jsonError, xmlError = `{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`, `<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>`
	f := func(speaks, second bool, status int, body string, learnt, speaksThen bool) {
		t.Helper()
		var d dialect
		if speaks {
			d.Learn(false, 404, nil)
		}
		if got := d.Learn(second, status, []byte(body)); got != learnt || d.speaksForm() != speaksThen {
			t.Errorf("%v %v %d %s: learnt %v, speaks forms %v", speaks, second, status, body, got, d.speaksForm())
		}
	}
	f(false, false, 200, `{"MessageId":"x"}`, false, false)
	f(false, false, 200, `<SendMessageResponse/>`, false, false)
	f(false, false, 400, jsonError, false, false)
	f(false, false, 404, jsonError, false, false)
	f(false, false, 400, " \n"+jsonError, false, false)
	f(false, false, 400, xmlError, true, true)
	f(false, false, 404, "", true, true)
	f(false, false, 405, "no", true, true)
	f(false, false, 415, "no", true, true)
	f(false, false, 501, "no", true, true)
	f(false, false, 403, "no", false, false)
	f(false, false, 500, "no", false, false)
	f(false, false, 503, "", false, false)
	f(false, false, 400, `{"__type":"com.amazon.coral.service#UnknownOperationException"}`, true, true)
	f(false, false, 400, `{"__type":"MissingAction"}`, true, true)
	f(true, true, 400, xmlError, false, true)
	f(true, true, 404, "", false, true)
	f(true, true, 200, "<SendMessageResponse/>", false, true)
	f(true, true, 200, "{}", false, true)
	f(true, false, 404, "", true, true)
	f(true, false, 200, "{}", false, false)
	f(true, false, 500, "", false, true)
}
