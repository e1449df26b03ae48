//go:build !race && !invariant

package engine_test

import (
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
)

// quiet counts, and keeps nothing.
type quiet struct{ recorder }

func (*quiet) Dispatch(*engine.Message) {}

func TestPublishAllocatesNothing(t *testing.T) {
	e, err := engine.New(engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(&quiet{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	defer e.Close()
	tp := topic(t, e, "orders")
	body := make([]byte, 1024)
	for _, size := range []int{1, 10} {
		messages, errs := make([]*engine.Message, size), make([]error, size)
		group := func() {
			for i := range messages {
				messages[i] = engine.NewMessage()
				messages[i].Set(engine.FieldBody, body)
			}
			e.PublishGroup(tp, messages, errs)
			for i, m := range messages {
				if errs[i] != nil {
					t.Fatal(errs[i])
				}
				m.Release()
			}
		}
		for range 1000 {
			group()
		}
		if n := testing.AllocsPerRun(5000, group); n != 0 {
			t.Errorf("groups of %d: %v allocations per group", size, n)
		}
	}
}
