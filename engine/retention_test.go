package engine_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Retention by age: what may go is what lies before a mark that is older. The marks are written as a committer would
// have done it, one every ten minutes; the age of what lies behind the last counts from the start.
func TestReleasableByAge(t *testing.T) {
	store := memstore.New(memstore.Options{})
	e, stop := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	tp, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Age: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	base := time.Now()
	b := store.NewBatch()
	for i := 1; i <= 20; i++ { // the last was published 10 minutes ago, the 15th an hour ago
		b.AppendMessage(tp.ID, engine.Sequence(i), []byte("x"))
		at := base.Add(time.Duration(i-21) * 10 * time.Minute)
		b.PutMark(tp.ID, engine.Mark{Sequence: engine.Sequence(i), At: at.UnixMilli(), Bytes: uint64(i - 1)})
	}
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	e, stop = start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	defer stop()
	tp = e.Topic([]byte("orders"))
	f := func(in time.Duration, want engine.Sequence) {
		t.Helper()
		if got := tp.Releasable(base.Add(in)); got != want {
			t.Errorf("in %v: up to %d may go, want %d", in, got, want)
		}
	}
	f(-time.Second, 13)
	f(time.Second, 14)
	f(10*time.Minute+time.Second, 15)
	f(59*time.Minute, 19)
	f(2*time.Hour, 20)
}

func TestReleasableBySize(t *testing.T) {
	const size, limit = 10 << 10, 200 << 10
	store := memstore.New(memstore.Options{})
	e, stop := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	tp, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Bytes: limit}})
	if err != nil {
		t.Fatal(err)
	}
	kept := func(published int) int { return (published - int(tp.Releasable(time.Now()))) * size }
	for i := range 100 {
		if err := publish(e, tp, strings.Repeat("x", size)); err != nil {
			t.Fatal(err)
		}
		if got, want := kept(i+1), min(i+1, limit/size)*size; got < want-2*size || got > want+2*size {
			t.Fatalf("behind %d messages %d bytes are kept, want about %d", i+1, got, want)
		}
	}
	before := tp.Releasable(time.Now())
	stop()
	e, stop = start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	defer stop()
	tp = e.Topic([]byte("orders"))
	if after := tp.Releasable(time.Now()); after != before {
		t.Errorf("before the restart up to %d might go, behind it up to %d", before, after)
	}
	for range 50 {
		if err := publish(e, tp, strings.Repeat("x", size)); err != nil {
			t.Fatal(err)
		}
	}
	if got := kept(150); got < limit-2*size || got > limit+2*size {
		t.Errorf("behind the restart and 50 more messages %d bytes are kept", got)
	}
}

// With both limits, what either gives up may go.
func TestReleasableByBoth(t *testing.T) {
	e, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1}, newRecorder())
	defer stop()
	tp, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "orders", Retention: engine.Retention{Age: time.Hour, Bytes: 64 << 10}})
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if err := publish(e, tp, strings.Repeat("x", 2<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if got := tp.Releasable(time.Now()); got < 30 || got > 34 {
		t.Errorf("by size up to %d may go", got)
	}
	if got := tp.Releasable(time.Now().Add(2 * time.Hour)); got != 64 {
		t.Errorf("by age up to %d may go", got)
	}
}

// Without a retention everything may go; one that is turned on, for the first time or again, begins there.
func TestRetentionOnAndOff(t *testing.T) {
	const age = 20 * time.Millisecond
	e, stop := start(t, engine.Options{Store: memstore.New(memstore.Options{}), Shards: 1}, newRecorder())
	defer stop()
	tp := topic(t, e, "orders")
	want := func(when string, at time.Time, want engine.Sequence) {
		t.Helper()
		if got := tp.Releasable(at); got != want {
			t.Errorf("%s: up to %d may go, want %d", when, got, want)
		}
	}
	set := func(r engine.Retention) {
		t.Helper()
		if err := e.SetRetention(tp, r); err != nil {
			t.Fatal(err)
		}
	}
	say := func() {
		t.Helper()
		if err := publish(e, tp, "x"); err != nil {
			t.Fatal(err)
		}
	}
	say()
	want("without one", time.Now(), 1)
	begin := time.Now()
	set(engine.Retention{Age: age})
	want("on", begin, 0)
	say()
	want("an age later", time.Now().Add(2*age), 2)
	set(engine.Retention{})
	want("off", time.Now(), 2)
	<-time.After(3 * age) // what was appended before is too old now
	say()
	begin = time.Now()
	set(engine.Retention{Age: age})
	if got := tp.Releasable(begin); got > 1 {
		t.Errorf("on again: up to %d may go, the last of which is new", got)
	}
	want("on again, an age later", time.Now().Add(2*age), 3)

	for _, bad := range []engine.Retention{{Age: -1}, {Bytes: -1}, {Age: engine.RetentionAgeMax + 1}, {Bytes: engine.RetentionBytesMax + 1}} {
		if _, _, err := e.CreateTopicWith(engine.TopicConfig{Name: "x", Retention: bad}); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// SequenceAt finds the first message of a time, and is not led astray by one that cannot be read.
func TestSequenceAt(t *testing.T) {
	store, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem()}) // the one that overwrites a record
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	e, stop := start(t, engine.Options{Store: store, Shards: 1}, newRecorder())
	defer stop()
	tp := topic(t, e, "orders")
	for i := 1; i <= 9; i++ {
		m := engine.NewMessage()
		m.SetPublishedAt(int64(i) * 1000)
		m.Set(engine.FieldBody, []byte("x"))
		if err := e.Publish(tp, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
	f := func(ms int64, want engine.Sequence) {
		t.Helper()
		if got, err := e.SequenceAt(tp, time.UnixMilli(ms)); got != want || err != nil {
			t.Errorf("at %d: %d, want %d (%v)", ms, got, want, err)
		}
	}
	all := func() {
		t.Helper()
		for i := range 9 {
			if seq := engine.Sequence(i + 1); seq != 5 && seq != 6 { // the damaged one may be given for the one behind it
				f(int64(seq)*1000, seq)
			}
		}
		f(0, 1)
		f(3500, 4)
		f(9500, 10)
	}
	all()
	f(5000, 5)
	f(6000, 6)
	b := store.NewBatch()
	b.AppendMessage(tp.ID, 5, []byte("torn"))
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	all()
	b.Reset()
	b.TrimTopic(tp.ID, 0, 3)
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	f(1000, 1) // a rewind goes on from there to what is stored
	f(8000, 8)
}
