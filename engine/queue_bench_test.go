//go:build !race && !invariant

package engine_test

import (
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// BenchmarkQueue sends, receives and deletes messages of 1 KiB in tens, on a store in memory.
func BenchmarkQueue(b *testing.B) {
	for name, fifo := range map[string]*engine.FIFO{"standard": nil, "fifo": {ByContent: true}} {
		b.Run(name, func(b *testing.B) {
			store, err := pebblestore.Open(pebblestore.Options{Dir: "data", FS: vfs.NewMem(), FreeBytesMin: -1})
			if err != nil {
				b.Fatal(err)
			}
			e, err := engine.New(engine.Options{Store: store, Shards: 1})
			if err != nil {
				b.Fatal(err)
			}
			if err := e.Attach(&quiet{}); err != nil {
				b.Fatal(err)
			}
			e.Start()
			defer func() {
				e.Close()
				if err := store.Close(); err != nil {
					b.Error(err)
				}
			}()
			config := engine.NewQueueConfig("jobs")
			config.FIFO = fifo
			q, _, err := e.CreateQueue(config)
			if err != nil {
				b.Fatal(err)
			}
			messages, errs := make([]*engine.Message, 10), make([]error, 10)
			body := make([]byte, 1024)
			var got []engine.Received
			var receipts []engine.Receipt
			b.ReportAllocs()
			for b.Loop() {
				for i := range messages {
					messages[i] = engine.NewMessage()
					id := messages[i].ID()
					messages[i].Set(engine.FieldBody, append(body[:1008], id[:]...))
					messages[i].Set(engine.FieldGroup, id[:4])
				}
				e.PublishGroup(q.Topic(), messages, errs)
				for i, m := range messages {
					if errs[i] != nil {
						b.Fatal(errs[i])
					}
					m.Release()
				}
				got, receipts = got[:0], receipts[:0]
				for len(got) < 10 {
					if got, err = q.Receive(engine.ReceiveRequest{Max: 10 - len(got), Visibility: -1, Wait: time.Second}, got); err != nil {
						b.Fatal(err)
					}
				}
				for _, g := range got {
					receipts = append(receipts, g.Receipt)
					g.Message.Release()
				}
				q.Delete(receipts, errs)
				for _, err := range errs {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
