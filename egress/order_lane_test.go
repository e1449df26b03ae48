package egress

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
)

// handLane is an ordered lane that is worked by hand: its pushers are counted and do nothing.
type handLane struct {
	*lane
	t    testing.TB
	next uint64
}

func newHandLane(t testing.TB, update func(*engine.SubscriptionConfig)) *handLane {
	t.Helper()
	l := stillLane(t)
	e := l.egress
	e.pushers.New = func() any { return &pusher{egress: e, run: e.running.Done} }
	err := e.engine.UpdateSubscription(l.sub, func(c *engine.SubscriptionConfig) {
		c.Ordered = true
		update(c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return &handLane{lane: l, t: t}
}

// offer offers messages, whose names begin with their group and a dash; with the dash alone they are in none.
func (h *handLane) offer(names ...string) {
	for _, name := range names {
		m := engine.NewMessage()
		if group, _, _ := strings.Cut(name, "-"); group != "" {
			m.Set(engine.FieldGroup, []byte(group))
		}
		m.Set(engine.FieldBody, []byte(name))
		m.SetPublishedAt(time.Now().UnixMilli())
		h.offerMessage(m)
		m.Release()
	}
}

// offerMessage offers a message as the next of the topic.
func (h *handLane) offerMessage(m *engine.Message) {
	h.next++
	binary.LittleEndian.PutUint64(m.Record()[8:], h.next)
	h.Offer(m)
}

// take does what a pusher does, up to the push.
func (h *handLane) take(want ...string) []delivery {
	h.t.Helper()
	batch, _, _ := h.batch(nil)
	var got []string
	for _, d := range batch {
		got = append(got, string(d.m.Body()))
	}
	if !slices.Equal(got, want) {
		h.t.Fatalf("taken: %q, want %q", got, want)
	}
	return batch
}

// end does what a pusher does behind it, with an outcome for each: one letter, 'd' for delivered, 'r' for retry,
// 'x' for refused, 'u' for untried.
func (h *handLane) end(batch []delivery, outcomes string) {
	results := make([]result, len(batch))
	for i, o := range outcomes {
		results[i] = map[rune]result{'d': {}, 'r': {outcome: Retry}, 'x': {outcome: Dead}, 'u': {untried: true}}[o]
	}
	h.finish(batch, results)
}

func slowRetry(c *engine.SubscriptionConfig) {
	c.Retry = engine.RetryPolicy{MinDelay: time.Hour, MaxDelay: time.Hour, Jitter: engine.JitterNone}
}

// Where pushes are taken in order a batch carries several of a group, and what was not taken goes again in order.
func TestSerialBatch(t *testing.T) {
	h := newHandLane(t, func(c *engine.SubscriptionConfig) { c.Pipeline = 8; slowRetry(c) })
	h.settings.serial = true
	h.offer("a-1", "a-2", "b-1", "a-3", "b-2", "a-4", "c-1")
	first := h.take("a-1", "a-2", "a-3", "a-4", "b-1", "b-2", "c-1")
	h.offer("a-5", "b-3", "d-1")
	second := h.take("d-1")
	h.end(first[:4], "druu") // one batch ends at once; in parts it shows that a group waits for all of it
	h.take()
	h.end(first[4:], "uuu")
	third := h.take("c-1", "b-1", "b-2", "b-3")
	h.end(third[:2], "dd")
	h.take()
	h.end(third[2:], "dd")
	h.end(second, "d")
	h.mu.Lock()
	if n := h.groups.wake(time.Now().Add(2 * time.Hour).UnixMilli()); n != 1 {
		t.Errorf("%d groups rested", n)
	}
	h.mu.Unlock()
	h.end(h.take("a-2", "a-3", "a-4", "a-5"), "dxuu")
	h.take() // until the dead letter is written
	h.worker.write()
	h.end(h.take("a-4", "a-5"), "dd")
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held != 0 || h.groups.count != 0 || h.progress.Floor != engine.Sequence(h.next) {
		t.Errorf("%d held in %d groups, floor %d of %d", h.held, h.groups.count, h.progress.Floor, h.next)
	}
}

// What can be pushed in parallel is: groups that become ready together start as many pushers as may run.
func TestReadyGroupsStartPushers(t *testing.T) {
	h := newHandLane(t, func(c *engine.SubscriptionConfig) { c.Pipeline, c.MaxInFlight = 4, 16; slowRetry(c) })
	pushers := func(want int, when string) {
		t.Helper()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.pushers != want {
			t.Errorf("%s: %d pushers, want %d", when, h.pushers, want)
		}
	}
	h.offer("a-1", "b-1", "c-1", "d-1")
	pushers(4, "four groups")
	batch := h.take("a-1", "b-1", "c-1", "d-1")
	for n := range 3 {
		h.take()
		pushers(3-n, "nothing is left for the others")
	}
	h.shallow = true
	h.end(batch, "uuuu")
	for i, name := range []string{"a-1", "b-1", "c-1", "d-1"} {
		// Untried ones come to the list of the ready groups from the last to the first.
		h.take([]string{"d-1", "c-1", "b-1", "a-1"}[i])
		pushers(min(i+2, 4), "one more for each that is left, behind "+name)
	}
}

// Neither what is in a group nor what is in none waits for the end of the other.
func TestGroupsAndOthersTakeTurns(t *testing.T) {
	h := newHandLane(t, func(c *engine.SubscriptionConfig) { c.Pipeline = 6 })
	h.offer("-1", "-2", "-3", "-4", "a-1", "b-1", "c-1", "d-1")
	h.take("-1", "a-1", "-2", "b-1", "-3", "c-1")
	h.take("-4", "d-1")
}

// No timer is left behind the end.
func TestDrainedLaneIsSilent(t *testing.T) {
	for _, when := range []string{"before", "behind"} {
		h := newHandLane(t, slowRetry)
		h.offer("a-1", "a-2")
		batch := h.take("a-1")
		if when == "before" {
			h.end(batch, "r")
			h.mu.Lock()
			if h.alarmAt == 0 {
				t.Error("a group rests, and no alarm is set")
			}
			h.mu.Unlock()
		}
		if err := h.egress.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if when == "behind" {
			h.end(batch, "r")
		}
		h.mu.Lock()
		if h.alarmAt != 0 || h.alarm != nil && h.alarm.Stop() {
			t.Errorf("a failure %s the end: the alarm is set", when)
		}
		h.mu.Unlock()
	}
}

// What a delivery costs in a lane, from the offer until it is settled, with two per group on the way.
func BenchmarkLane(b *testing.B) {
	f := func(name string, config engine.SubscriptionConfig) {
		b.Run(name, func(b *testing.B) {
			h := newHandLane(b, func(c *engine.SubscriptionConfig) { c.Pipeline, c.Ordered = 64, config.Ordered })
			var messages []*engine.Message
			for i := range 128 {
				m := engine.NewMessage()
				m.Set(engine.FieldGroup, fmt.Append(nil, "group ", i%64))
				m.Set(engine.FieldBody, make([]byte, 1024))
				m.SetPublishedAt(time.Now().UnixMilli())
				messages = append(messages, m)
			}
			var batch []delivery
			results := make([]result, 64)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.offerMessage(messages[i%128])
				if i%128 == 127 {
					for range 2 {
						batch, _, _ = h.batch(batch[:0])
						h.finish(batch, results)
					}
				}
			}
		})
	}
	f("unordered", engine.SubscriptionConfig{})
	f("ordered", engine.SubscriptionConfig{Ordered: true})
}
