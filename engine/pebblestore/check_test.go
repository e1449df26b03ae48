package pebblestore_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// records makes sealed records of the engine, as it stores them.
func records(t testing.TB, count int) [][]byte {
	t.Helper()
	s := memstore.New(memstore.Options{})
	e, err := engine.New(engine.Options{Store: s, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(nobody{}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	defer e.Close()
	topic, _, err := e.CreateTopic("t", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		m := engine.NewMessage()
		m.Set(engine.FieldBody, fmt.Append(nil, "body ", i))
		if i%2 == 0 {
			m.Set(engine.FieldTag, []byte("tag"))
			m.SumBody()
		}
		if i%3 == 0 {
			m.AddAttribute([]byte("n"), []byte("String"), fmt.Append(nil, i), i%2 == 0)
		}
		m.SetExpiresAt(int64(i))
		if err := e.Publish(topic, m); err != nil {
			t.Fatal(err)
		}
		m.Release()
	}
	var all [][]byte
	err = s.ReadTopic(topic.ID, 1, engine.Sequence(count), func(_ engine.Sequence, r []byte) bool {
		all = append(all, slices.Clone(r))
		return true
	})
	if err != nil || len(all) != count {
		t.Fatalf("%d records, %v; want %d", len(all), err, count)
	}
	return all
}

// Every bit of a thousand records, flipped: the record is refused, or says that it is another sequence than its key does,
// which whoever reads it compares.
func TestEveryBitOfRecords(t *testing.T) {
	flips := 0
	for i, record := range records(t, 1000) {
		for bit := range 8 * len(record) {
			record[bit/8] ^= 1 << (bit % 8)
			m, err := engine.DecodeMessage(record)
			if err == nil && m.Sequence() == engine.Sequence(i+1) {
				t.Errorf("bit %d of record %d: not noticed", bit, i)
			}
			if err == nil {
				m.Release()
			}
			record[bit/8] ^= 1 << (bit % 8)
			flips++
		}
	}
	t.Logf("%d bits", flips)
}

// A dead letter's record is under its checksum wherever the head ends; the head itself has none of its own, and is
// under that of the table's block alone. The test keeps the count of what that leaves open.
func TestEveryBitOfDeadLetters(t *testing.T) {
	record := records(t, 1)[0]
	d := engine.DeadLetter{At: 1, Attempts: 2, Status: 500, Reason: engine.ReasonAttempts, Failure: "status 500", Answer: []byte("no")}
	head := engine.AppendDeadLetterHead(nil, &d)
	value := append(slices.Clone(head), record...)
	unnoticed := 0
	for bit := range 8 * len(value) {
		value[bit/8] ^= 1 << (bit % 8)
		_, m, err := engine.ParseDeadLetter(1, value)
		if err == nil && m.Sequence() == 1 {
			unnoticed++
			if bit/8 >= len(head) {
				t.Errorf("bit %d of the record: not noticed", bit-8*len(head))
			}
		}
		if err == nil {
			m.Release()
		}
		value[bit/8] ^= 1 << (bit % 8)
	}
	t.Logf("%d of the %d bits of the head have no checksum but the block's", unnoticed, 8*len(head))
}

// raw writes entries behind the store's back.
func raw(t *testing.T, fs vfs.FS, write func(db *pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open("store", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(string, ...any)     {}
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

func key(prefix byte, numbers ...uint64) []byte {
	k := []byte{prefix}
	for _, n := range numbers {
		k = binary.BigEndian.AppendUint64(k, n)
	}
	return k
}

// sound writes a store with something of everything in it.
func sound(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	s := open(t, small(fs))
	b := s.NewBatch()
	b.PutCatalog("id", []byte("3"))
	b.PutCatalog("d/sns.app/GCM/shop", []byte(`{"Enabled":"true"}`))
	b.PutCatalog("t/1", []byte(`{"name":"orders"}`))
	b.PutCatalog("s/2", []byte(`{"topic":1,"config":{"name":"a","kind":"webhook","endpoint":"http://a.example/","envelope":"raw","max_in_flight":1,"pipeline":1,
		"retry":{"backoff":"doubling","jitter":"full","min_delay":1000000000,"max_delay":600000000000,"max_age":259200000000000}}}`))
	b.PutCatalog("s/3", []byte(strings.ReplaceAll(`{"topic":1,"config":{"name":"b","kind":"webhook","endpoint":"http://b.example/","envelope":"raw","filter_tag":"tag","max_in_flight":1,"pipeline":1,
		"retry":{"backoff":"doubling","jitter":"full","min_delay":1000000000,"max_delay":600000000000,"max_age":259200000000000}}}`, "\n", "")))
	all := records(t, 10)
	for i, r := range all {
		b.AppendMessage(1, engine.Sequence(i+1), r)
	}
	b.TrimTopic(1, 0, 2)
	b.PutMark(1, engine.Mark{Sequence: 5, At: 1, Bytes: 1})
	a, c := engine.Progress{Floor: 4}, engine.Progress{Floor: 2}
	a.Settle(6)
	b.SaveProgress(2, a.AppendBytes(nil))
	b.SaveProgress(3, c.AppendBytes(nil))
	b.PutTimer(engine.TimerKey{Due: 60_000, ID: 1}, engine.AppendDeliveryHead(nil, 2, engine.Parked{Attempts: 1}), all[5])
	b.PutTimer(engine.TimerKey{Due: 70_000, ID: 2}, engine.AppendDeliveryHead(nil, 2, engine.Parked{Attempts: 1}), all[5])
	b.PutTimer(engine.TimerKey{Due: 50_000, ID: 3}, engine.AppendPublishHead(nil, 1), all[7])
	d := engine.DeadLetter{At: 1, Reason: engine.ReasonAttempts}
	b.PutDeadLetter(2, 1, engine.AppendDeadLetterHead(nil, &d), all[0])
	if err := errors.Join(b.Apply(true), b.Wait(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestCheckOfASoundStore(t *testing.T) {
	fs := sound(t)
	before := takeImage(t, fs)
	r, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Sound() || len(r.Leftovers) != 0 {
		t.Fatalf("damages %v, leftovers %v", r.Damages, r.Leftovers)
	}
	a, b := r.Subscriptions[0], r.Subscriptions[1]
	got := fmt.Sprint(r.MessageCount, r.Topics[0].First, r.Topics[0].High, r.Topics[0].Marks, a.Name, a.Floor, a.Owed, a.Scheduled, a.DeadLetters, b.Name, b.Owed)
	// Of messages 3 to 10, a has settled 3, 4 and 6; b wants those with the tag, which are 3, 5, 7 and 9.
	if want := fmt.Sprint(8, 3, 10, 1, "a", 4, 5, 2, map[string]uint64{"max_attempts": 1}, "b", 4); got != want {
		t.Errorf("the report says %s, want %s", got, want)
	}
	if len(r.Timers) != 2 || r.Timers[0].Kind != "deliver" || r.Timers[0].Count != 2 || !r.Timers[0].Next.Equal(time.UnixMilli(60_000)) || r.Timers[1].Kind != "publish" {
		t.Errorf("the timers are %+v", r.Timers)
	}
	for name, content := range takeImage(t, fs) {
		if string(before[name]) != string(content) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestCheckNamesEachDamage(t *testing.T) {
	checkDamages(t, sound, []damage{
		{"a record", set(key('m', 1, 5), []byte("garbage")), "m 1 5"},
		{"a record of another sequence", duplicate(key('m', 1, 5), key('m', 1, 6)), "m 1 6"},
		{"a missing message", unset(key('m', 1, 7)), "messages 7 to 7"},
		{"progress", set(key('p', 2), []byte{9, 9}), "p 2"},
		{"no progress", unset(key('p', 3)), "has no progress"},
		{"progress ahead", set(key('p', 3), (&engine.Progress{Floor: 99}).AppendBytes(nil)), "all up to 99 is settled"},
		{"a timer's head", set(key('t', 1<<63, 9), []byte{7, 0, 0}), "t 8000"},
		{"a timer's record", set(key('t', 1<<63, 9), append(engine.AppendPublishHead(nil, 1), 1, 2, 3)), "t 8000"},
		{"a dead letter", set(key('d', 2, 8), []byte{2, 0}), "d 2 8"},
		{"a mark", set(key('i', 1, 8), []byte{2, 0}), "want 16"},
		{"a high-water mark", set(key('h', 1), []byte{2, 0}), "want 8"},
		{"a topic's entry", set([]byte("ct/1"), []byte("{")), "c t/1"},
		{"a subscription's entry", set([]byte("cs/2"), []byte("{")), "c s/2"},
		{"an unknown entry", set([]byte("cx/2"), []byte("{}")), "c x/2"},
		{"a subscription without a topic", unset([]byte("ct/1")), "topic 1, which does not exist"},
		{"the last id", set([]byte("cid"), []byte("2")), "last id given is 2"},
		{"progress of nobody", set(key('p', 44), (&engine.Progress{}).AppendBytes(nil)), ""},
		{"a message of no topic", set(key('m', 44, 1), []byte("x")), ""},
		{"a mark of no topic", set(key('i', 44, 1), make([]byte, 16)), ""},
	})
}

// A table with a flipped bit is named, and what can still be read is.
func TestCheckOfADamagedTable(t *testing.T) {
	fs := sound(t)
	raw(t, fs, func(db *pebble.DB) error { return db.Flush() })
	img := takeImage(t, fs)
	for name, content := range img {
		if fileKind(name) == "table" {
			content[20] ^= 1
		}
	}
	r, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: img.fs(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sound() {
		t.Error("a table with a flipped bit is sound")
	}
}

func TestCheckOfWhatIsNoStore(t *testing.T) {
	for _, make := range []func(fs vfs.FS) error{
		func(vfs.FS) error { return nil },
		func(fs vfs.FS) error { return fs.MkdirAll("store", 0o700) },
	} {
		fs := vfs.NewMem()
		if err := make(fs); err != nil {
			t.Fatal(err)
		}
		if _, err := pebblestore.Check(pebblestore.Options{Dir: "store", FS: fs}); !errors.Is(err, pebblestore.ErrNotStore) {
			t.Errorf("the error is %v, want ErrNotStore", err)
		}
	}
}
