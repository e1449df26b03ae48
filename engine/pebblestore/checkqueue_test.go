package pebblestore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The ids that queued gives.
const (
	standardQueue = 1
	fifoQueue     = 2
	fifoTopic     = 3
)

// queued writes a store with queues, as an engine does: each queue got 10 messages, of which 4 were received and 2 of
// those, the second and the third, deleted.
func queued(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	s := open(t, small(fs))
	e, err := engine.New(engine.Options{Store: s, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(nobody{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	defer func() {
		e.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	publish := func(topic *engine.Topic, i int, due int64) {
		m := engine.NewMessage()
		defer m.Release()
		m.Set(engine.FieldBody, fmt.Append(nil, "body ", i))
		m.Set(engine.FieldGroup, []byte("group"))
		m.SetDeliverAt(due)
		if err := e.Publish(topic, m); err != nil {
			t.Fatal(err)
		}
	}
	for _, config := range []engine.QueueConfig{engine.NewQueueConfig("standard"), engine.NewQueueConfig("fifo")} {
		if config.Name == "fifo" {
			config.FIFO = &engine.FIFO{ByContent: true}
		}
		q, _, err := e.CreateQueue(config)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			publish(q.Topic(), i, 0)
		}
		got, err := q.Receive(engine.ReceiveRequest{Max: 4, Visibility: engine.VisibilityMax}, nil)
		if err != nil || len(got) != 4 {
			t.Fatalf("%d messages, %v; want 4", len(got), err)
		}
		errs := make([]error, 2)
		q.Delete([]engine.Receipt{got[1].Receipt, got[2].Receipt}, errs)
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		for _, g := range got {
			g.Message.Release()
		}
	}
	q := e.Queue([]byte("standard"))
	publish(q.Topic(), 10, 1<<43)
	topic, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "ordered", FIFO: &engine.FIFO{ByContent: true}})
	if err != nil {
		t.Fatal(err)
	}
	publish(topic, 0, 0)
	return fs
}

func TestCheckOfQueues(t *testing.T) {
	r, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: queued(t)})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Sound() || len(r.Leftovers) != 0 {
		t.Fatalf("damages %v, leftovers %v", r.Damages, r.Leftovers)
	}
	var got []string
	for _, q := range r.Queues {
		got = append(got, fmt.Sprint(q.ID, q.Name, q.FIFO, q.Messages, q.Bytes > 0, q.Received, q.Scheduled, q.High, q.Known))
	}
	for _, tc := range r.Topics {
		got = append(got, fmt.Sprint(tc.ID, tc.Name, tc.FIFO, tc.Messages, tc.Known))
	}
	got = append(got, fmt.Sprint(r.MessageCount))
	want := []string{"1 standard false 8 true 2 1 10 0", "2 fifo true 8 true 2 0 10 10", "3 ordered true 1 1", "17"}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
		got[i] = strings.ReplaceAll(got[i], " ", "")
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the report says %v, want %v", got, want)
	}
}

func TestCheckNamesEachDamageOfQueues(t *testing.T) {
	state := func(topic uint64, kind engine.StateKind, seq uint64) []byte {
		return append(append(key('s', topic), byte(kind)), key(0, seq)[1:]...)
	}
	progress := func(next, high engine.Sequence) []byte {
		return (&engine.QueueProgress{Next: next, High: high}).AppendBytes(nil)
	}
	checkDamages(t, queued, []damage{
		{"a record", flip(key('m', standardQueue, 7)), "m 1 7"},
		{"a record of a FIFO queue", flip(key('m', fifoQueue, 7)), "m 2 7"},
		{"a received message that is gone", unset(key('m', standardQueue, 1)), `message 1 of queue "standard" is lost`},
		{"the last received message of a FIFO queue", unset(key('m', fifoQueue, 4)), `message 4 of queue "fifo" is lost`},
		{"a state that is gone", unset(state(standardQueue, engine.StateReceived, 4)), `message 4 of queue "standard" is not received`},
		{"a FIFO queue that is too far", set(key('p', fifoQueue), progress(5, 10)), `message 4 of queue "fifo" is not received`},
		{"a queue that is too far", set(key('p', standardQueue), progress(12, 10)), "but has only had 10 messages"},
		{"progress", flip(key('p', standardQueue)), "p 1"},
		{"progress of a subscription", set(key('p', fifoQueue), (&engine.Progress{Floor: 3}).AppendBytes(nil)), "no progress of a queue"},
		{"no progress", unset(key('p', fifoQueue)), "the queue has no progress"},
		{"what is known of a received message", flip(state(fifoQueue, engine.StateReceived, 1)), "s 2 1 1"},
		{"what is known of a published message", flip(state(fifoQueue, engine.StatePublished, 3)), "s 2 2 3"},
		{"what is known of a topic's message", flip(state(fifoTopic, engine.StatePublished, 1)), "s 3 2 1"},
		{"a state of an unknown kind", set(state(fifoTopic, 9, 1), []byte("x")), "s 3 9 1"},
		{"a state without a sequence", set(key('s', fifoTopic), []byte("x")), "not a key of a state"},
		{"a queue's entry", set([]byte("cq/1"), []byte("{")), "c q/1"},
		{"settings of a queue", set([]byte("cq/1"), []byte(`{"name":"standard","visibility":-1}`)), "c q/1"},
		{"two queues of a name", set([]byte("cq/1"), []byte(`{"name":"fifo","visibility":1,"retention":3600000000000,"message_max":1024}`)), "queue 1 has the same name"},
		{"a queue with the id of a topic", set([]byte("cq/3"), []byte(`{"name":"other","visibility":1,"retention":3600000000000,"message_max":1024}`)), `topic "ordered" has the same id`},
		{"the last id", set([]byte("cid"), []byte("1")), "but q/2 exists"},
		{"a subscription of a queue", set([]byte("cs/3"), []byte(`{"topic":1,"config":{}}`)), "topic 1, which does not exist"},
		{"progress of a queue that was deleted", set(key('p', 44), progress(3, 4)), ""},
		{"a state of a queue that was deleted", duplicate(state(fifoQueue, engine.StateReceived, 1), state(44, engine.StateReceived, 1)), ""},
	})
}
