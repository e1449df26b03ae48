package egress_test

import (
	"testing"
	"time"

	"fanfare/egress"
	"fanfare/egress/smn"
	"fanfare/egress/smq"
	"fanfare/egress/sns"
	"fanfare/egress/webhook"
	"fanfare/engine"

	"github.com/google/go-cmp/cmp"
)

// TestDefaultPolicies has what each cloud does when a subscription says nothing, as the sources put it: what the waits
// lie between, in seconds, and how long an attempt may take.
func TestDefaultPolicies(t *testing.T) {
	type span struct{ Least, Most float64 }
	same := func(waits ...float64) (all []span) {
		for _, w := range waits {
			all = append(all, span{w, w})
		}
		return all
	}
	f := func(kind egress.Kind, timeout time.Duration, jitter engine.Jitter, deaf bool, want []span) {
		t.Helper()
		h := newHouse(t, newMemory(), egress.Options{Kinds: []egress.Kind{kind}})
		s, _, err := h.Engine.PutSubscription(h.topic("orders"), engine.SubscriptionConfig{Name: "s", Kind: kind.Name(), Endpoint: "http://127.0.0.1:9/"})
		if err != nil {
			t.Fatal(err)
		}
		p := s.Config().Retry
		var got []span
		for n := 1; !p.Exhausted(n) && n <= 12; n++ {
			least, most := p.Range(n)
			got = append(got, span{least.Seconds(), most.Seconds()})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind.Name(), diff)
		}
		if p.Jitter != jitter || p.Deaf != deaf || p.MaxAge != 72*time.Hour || kind.Timeout() != timeout {
			t.Errorf("%s: %+v, timeout %v", kind.Name(), p, kind.Timeout())
		}
	}
	f(sns.New(sns.Options{}), 15*time.Second, engine.JitterNone, true, same(20, 20, 20))
	f(smq.New(smq.Options{}), 5*time.Second, engine.JitterNone, true, []span{{10, 20}, {10, 20}, {10, 20}})
	f(smn.New(smn.Options{}), 5*time.Second, engine.JitterHalf, true, same(1, 5, 15, 30, 60, 120))
	f(webhook.New(webhook.Options{}), 30*time.Second, engine.JitterFull, false, same(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600))
}
