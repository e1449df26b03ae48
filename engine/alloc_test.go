//go:build !race && !invariant

package engine_test

import (
	"strconv"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
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

// A FIFO topic looks for a duplicate, and remembers what is none, at no cost of memory but for that of its window.
func TestFIFOPublishAllocatesNothing(t *testing.T) {
	store, err := pebblestore.Open(pebblestore.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Options{Store: store, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(&quiet{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	defer func() {
		e.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	tp, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "orders.fifo", FIFO: &engine.FIFO{ByContent: true, PerGroup: true}})
	if err != nil {
		t.Fatal(err)
	}
	n, body := 0, make([]byte, 1024)
	publish := func(step int) func() {
		return func() {
			n += step
			m := engine.NewMessage()
			m.Set(engine.FieldBody, strconv.AppendInt(body[:0], int64(n), 10))
			m.Set(engine.FieldGroup, []byte("a group"))
			if err := e.Publish(tp, m); err != nil || m.Duplicate() != (step == 0) {
				t.Fatalf("published: %v, duplicate: %v", err, m.Duplicate())
			}
			m.Release()
		}
	}
	for range 2000 {
		publish(1)()
	}
	for name, step := range map[string]int{"new": 1, "duplicate": 0} {
		if n := testing.AllocsPerRun(2000, publish(step)); n != 0 {
			t.Errorf("%s: %v allocations per message", name, n)
		}
	}
}
