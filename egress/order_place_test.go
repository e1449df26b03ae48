package egress_test

import (
	"fmt"
	"sync"
	"testing"

	"fanfare/engine"
)

// What a FIFO topic hands on to a FIFO queue, many of a group at a time, keeps the order of each group.
func TestPlacedGroupsKeepTheirOrder(t *testing.T) {
	const groups, each = 5, 200
	opts := placing()
	opts.WindowMessages = 256
	h := newHouse(t, newMemory(), opts)
	topic, _, err := h.Engine.CreateTopicWith(engine.TopicConfig{Name: "f.fifo", FIFO: &engine.FIFO{ByContent: true}})
	if err != nil {
		t.Fatal(err)
	}
	q := h.queue(engine.QueueConfig{Name: "q.fifo", FIFO: &engine.FIFO{}})
	s := h.into(topic, engine.SubscriptionConfig{Name: "s", Endpoint: "queue:q.fifo", Envelope: "raw"})
	var publishers sync.WaitGroup
	for g := range groups {
		publishers.Go(func() {
			for i := range each {
				h.fill(topic, func(m *engine.Message) {
					m.Set(engine.FieldGroup, fmt.Append(nil, g))
					m.Set(engine.FieldBody, fmt.Appendf(nil, "%d/%d", g, i))
				})
			}
		})
	}
	publishers.Wait()
	next := map[string]int{}
	for _, g := range drainQueue(t, q, groups*each) {
		group, number := split(t, g.Body)
		if number != next[group] {
			t.Errorf("%s is received when %d is next", g.Body, next[group])
		}
		next[group]++
	}
	wantEmpty(t, q)
	eventually(t, "settled", func() bool { return settled(s) })
}
