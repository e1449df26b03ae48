package engine_test

import (
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/schedule"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// counter is an egress that counts what it is handed.
type counter struct {
	taker
	n    atomic.Int64
	last engine.Sequence // the dispatcher only
	gaps atomic.Int64
}

func (c *counter) Dispatch(m *engine.Message) {
	if m.Sequence() != c.last+1 {
		c.gaps.Add(1)
	}
	c.last = m.Sequence()
	c.n.Add(1)
}

// Far more messages than a ring has slots become due in one millisecond: each is dispatched once, in bounded
// memory, and in a time that is the committer's and not that of waiting.
func TestBurstOfDelayedMessages(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 20_000
	}
	store := openStore(t, vfs.NewMem())
	defer store.Close()
	c := &counter{}
	e, stop := launch(t, store, c, func(*engine.Engine) {})
	defer stop()
	tp := topic(t, e, "orders")
	due := time.Now().Add(3 * time.Second)
	body := make([]byte, 200)
	const group = 1000
	messages, errs := make([]*engine.Message, group), make([]error, group)
	for range n / group {
		for i := range messages {
			messages[i] = engine.NewMessage()
			messages[i].Set(engine.FieldBody, body)
			messages[i].SetDeliverAt(due.UnixMilli())
		}
		e.PublishGroup(tp, messages, errs)
		for i, m := range messages {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			m.Release()
		}
	}
	t.Logf("publishing took %v", 3*time.Second-time.Until(due))
	if waiting := e.Stats().Timers; waiting > schedule.WaitingMax {
		t.Errorf("%d entries are in memory, the bound is %d", waiting, schedule.WaitingMax)
	}
	if early := c.n.Load(); early > 0 && time.Now().Before(due) {
		t.Errorf("%d were dispatched before their time", early)
	}
	waitUntil(t, func() bool { return c.n.Load() >= int64(n) })
	took := time.Since(due)
	waitUntil(t, func() bool { return timerEntries(t, store) == 0 && e.Stats().Timers == 0 })
	stop()
	t.Logf("%d messages due in one millisecond were dispatched within %v, %.0f/s", n, took, float64(n)/took.Seconds())
	if c.n.Load() != int64(n) || c.gaps.Load() != 0 || int(tp.High()) != n {
		t.Errorf("%d were dispatched with %d gaps, %d are in the topic; want %d", c.n.Load(), c.gaps.Load(), tp.High(), n)
	}
}
