package transfer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/memstore"
	"fanfare/engine/pebblestore"
	"fanfare/engine/transfer"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

func longForm() bool { return os.Getenv("FANFARE_LONG") == "1" }

// stores are the kinds to move between.
var stores = []struct {
	name string
	open func(t testing.TB) engine.Store
}{
	{"memory", func(testing.TB) engine.Store { return memstore.New(memstore.Options{}) }},
	{"pebble", func(t testing.TB) engine.Store {
		s, err := pebblestore.Open(pebblestore.Options{Dir: "store", FS: vfs.NewMem(), MemTableBytes: 256 << 10, CacheBytes: 1 << 20, FreeBytesMin: -1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}},
}

// fill writes a random store: topics of all kinds, trimmed in part or whole, with and without marks, and so on.
func fill(t testing.TB, s engine.Store, r *rand.Rand) {
	t.Helper()
	b := s.NewBatch()
	id := uint64(0)
	text := func(most int) []byte {
		b := make([]byte, r.IntN(most))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for range r.IntN(5) {
		id++
		topic := engine.TopicID(id)
		b.PutCatalog(fmt.Sprint("t/", id), text(100))
		high := engine.Sequence(r.IntN(30))
		for seq := engine.Sequence(1); seq <= high; seq++ {
			b.AppendMessage(topic, seq, text(2000))
			if r.IntN(4) == 0 {
				b.PutMark(topic, engine.Mark{Sequence: seq, At: r.Int64(), Bytes: r.Uint64()})
			}
		}
		if trim := engine.Sequence(r.IntN(int(high) + 1)); r.IntN(2) == 0 && trim > 0 {
			b.TrimTopic(topic, 0, trim)
		} else if r.IntN(3) == 0 && high > 0 {
			b.TrimTopic(topic, 0, high)
		}
		putStates(b, r, topic, high, text)
		for range r.IntN(3) {
			id++
			sub := engine.SubscriptionID(id)
			b.PutCatalog(fmt.Sprint("s/", id), text(300))
			if r.IntN(4) > 0 {
				b.SaveProgress(sub, append(text(30), 1))
			}
			for range r.IntN(4) {
				b.PutDeadLetter(sub, engine.Sequence(1+r.IntN(100)), text(30), text(300))
			}
		}
	}
	for range r.IntN(4) {
		id++
		b.PutCatalog(fmt.Sprint("q/", id), text(100))
		fillQueue(b, r, engine.TopicID(id), text)
	}
	if id > 0 {
		b.PutCatalog("id", fmt.Append(nil, id))
	}
	for range r.IntN(3) {
		b.PutCatalog(fmt.Sprint("d/face.document/", r.IntN(100)), text(300))
	}
	for range r.IntN(10) {
		b.PutTimer(engine.TimerKey{Due: r.Int64() - math.MaxInt64/2, ID: r.Uint64()}, text(21), text(400))
	}
	if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
		t.Fatal(err)
	}
}

// fillQueue writes a queue of which any messages are gone, and that has come as far as it may.
func fillQueue(b engine.Batch, r *rand.Rand, queue engine.TopicID, text func(int) []byte) {
	high := engine.Sequence(r.IntN(30))
	p := engine.QueueProgress{Next: 1 + engine.Sequence(r.IntN(int(high)+1)), High: high}
	for seq := engine.Sequence(1); seq <= high; seq++ {
		b.AppendMessage(queue, seq, text(2000))
	}
	for seq := engine.Sequence(1); seq <= high; seq++ {
		if r.IntN(3) == 0 {
			b.DeleteMessage(queue, seq)
			p.Gone++
		}
	}
	putStates(b, r, queue, high, text)
	if p.Gone > 0 || r.IntN(2) == 0 {
		b.SaveProgress(engine.SubscriptionID(queue), p.AppendBytes(nil))
	}
}

func putStates(b engine.Batch, r *rand.Rand, topic engine.TopicID, high engine.Sequence, text func(int) []byte) {
	for _, kind := range []engine.StateKind{engine.StateReceived, engine.StatePublished} {
		if r.IntN(2) == 0 {
			continue
		}
		for seq := engine.Sequence(1); seq <= high; seq++ {
			if r.IntN(2) == 0 {
				b.PutState(topic, kind, seq, text(50))
			}
		}
	}
}

func exported(t testing.TB, s engine.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	counts, err := transfer.Export(s, &b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Bytes != uint64(b.Len()) {
		t.Errorf("%d bytes were counted, %d written", counts.Bytes, b.Len())
	}
	return b.Bytes()
}

// Whatever a store holds: exported, imported and exported again it is the same bytes, and all reads answer the same.
func TestExportImportExport(t *testing.T) {
	rounds := 40
	if longForm() {
		rounds = 2000
	}
	for seed := range rounds {
		for _, from := range stores {
			for _, to := range stores {
				r := rand.New(rand.NewPCG(uint64(seed), 1))
				a, b := from.open(t), to.open(t)
				fill(t, a, r)
				first := exported(t, a)
				if _, err := transfer.Import(b, bytes.NewReader(first), func(transfer.Counts) {}); err != nil {
					t.Fatalf("seed %d, %s to %s: %v", seed, from.name, to.name, err)
				}
				if !bytes.Equal(first, exported(t, b)) {
					t.Fatalf("seed %d, %s to %s: the second export differs", seed, from.name, to.name)
				}
				if diff := cmp.Diff(dump(t, a), dump(t, b)); diff != "" {
					t.Fatalf("seed %d, %s to %s:\n%s", seed, from.name, to.name, diff)
				}
				if err := errors.Join(a.Close(), b.Close()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// dump reads all of a store through its interface.
func dump(t testing.TB, s engine.Store) (all []string) {
	t.Helper()
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	queues := map[string]bool{}
	err := s.ReadCatalog(func(key string, value []byte) error {
		add("c %s %x", key, value)
		queues[key] = true
		return nil
	})
	for id := range uint64(32) {
		high, e := s.HighWater(engine.TopicID(id))
		progress, e2 := s.ReadProgress(engine.SubscriptionID(id))
		if p, ok := engine.ParseQueueProgress(progress); ok && queues[fmt.Sprint("q/", id)] {
			// The store may forget it with the last message, and need not have said how far it came before the first was received.
			high = max(high, p.High)
			p.High = high
			progress = p.AppendBytes(nil)
		}
		add("h %d %d", id, high)
		add("p %d %x", id, progress)
		err = errors.Join(err, e, e2, s.ReadTopic(engine.TopicID(id), 1, math.MaxUint64, func(seq engine.Sequence, r []byte) bool {
			add("m %d %d %x", id, seq, r)
			return true
		}), s.ReadMarks(engine.TopicID(id), func(m engine.Mark) { add("i %d %v", id, m) }))
		for _, kind := range []engine.StateKind{engine.StateReceived, engine.StatePublished} {
			err = errors.Join(err, s.ReadStates(engine.TopicID(id), kind, 0, func(seq engine.Sequence, v []byte) bool {
				add("s %d %d %d %x", id, kind, seq, v)
				return true
			}))
		}
		err = errors.Join(err, s.ReadDeadLetters(engine.SubscriptionID(id), 0, func(seq engine.Sequence, v []byte) bool {
			add("d %d %d %x", id, seq, v)
			return true
		}))
	}
	err = errors.Join(err, s.ReadTimers(engine.TimerKey{Due: math.MinInt64}, engine.TimerKeyMax, func(k engine.TimerKey) bool {
		v, ok, e := s.ReadTimer(k, nil)
		add("w %v %x %v %v", k, v, ok, e)
		return true
	}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sample is the export of a store with something of each kind in it.
func sample(t testing.TB) []byte {
	t.Helper()
	s := memstore.New(memstore.Options{})
	b := s.NewBatch()
	b.PutCatalog("id", []byte("4"))
	b.PutCatalog("q/4", []byte("{}"))
	b.PutCatalog("s/2", []byte("{}"))
	b.PutCatalog("t/1", []byte("{}"))
	b.PutCatalog("t/3", []byte("{}"))
	for seq := engine.Sequence(1); seq <= 4; seq++ {
		b.AppendMessage(1, seq, fmt.Append(nil, "message ", seq))
	}
	b.TrimTopic(1, 0, 1)
	b.PutMark(1, engine.Mark{Sequence: 3, At: 5, Bytes: 7})
	b.PutState(1, engine.StatePublished, 3, []byte("published"))
	for _, seq := range []engine.Sequence{2, 5} {
		b.AppendMessage(4, seq, fmt.Append(nil, "message ", seq))
	}
	b.PutState(4, engine.StateReceived, 2, []byte("received"))
	b.PutState(4, engine.StatePublished, 1, []byte("published"))
	b.SaveProgress(4, (&engine.QueueProgress{Next: 3, Gone: 5, High: 7}).AppendBytes(nil))
	b.SaveProgress(2, []byte("progress"))
	b.PutDeadLetter(2, 3, []byte("head"), []byte("record"))
	b.PutTimer(engine.TimerKey{Due: 9, ID: 9}, []byte("head"), []byte("record"))
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	return exported(t, s)
}

// empty reports whether a store holds nothing that an import could have left.
func empty(t testing.TB, s engine.Store) bool {
	t.Helper()
	for _, line := range dump(t, s) {
		switch {
		case strings.HasPrefix(line, "h ") && strings.HasSuffix(line, " 0"):
		case strings.HasPrefix(line, "p ") && strings.HasSuffix(line, " "):
		default:
			return false
		}
	}
	return true
}

// Cut anywhere, or with any bit changed, an export is refused and leaves the store empty.
func TestDamagedExportIsRefused(t *testing.T) {
	whole := sample(t)
	refuse := func(what string, stream []byte) {
		t.Helper()
		s := memstore.New(memstore.Options{})
		if _, err := transfer.Import(s, bytes.NewReader(stream), nil); !errors.Is(err, transfer.ErrFormat) {
			t.Fatalf("%s: %v, want ErrFormat", what, err)
		}
		if !empty(t, s) {
			t.Fatalf("%s: the store is not empty behind the failed import", what)
		}
	}
	for n := range whole {
		refuse(fmt.Sprintf("cut behind %d bytes", n), whole[:n])
	}
	for n := range 8 * len(whole) {
		flipped := bytes.Clone(whole)
		flipped[n/8] ^= 1 << (n % 8)
		refuse(fmt.Sprintf("bit %d flipped", n), flipped)
	}
	refuse("a byte more", append(bytes.Clone(whole), 0))
	refuse("twice", append(bytes.Clone(whole), whole...))
	entries := split(whole)
	for i := range entries {
		refuse(fmt.Sprintf("without entry %d", i), bytes.Join(append(append([][]byte{}, entries[:i]...), entries[i+1:]...), nil))
		refuse(fmt.Sprintf("with entry %d twice", i), bytes.Join(append(append([][]byte{}, entries[:i+1]...), entries[i:]...), nil))
	}
}

// split cuts a stream into its title and entries.
func split(stream []byte) (parts [][]byte) {
	at := len("fanfare export\n") + 1
	parts = append(parts, stream[:at])
	for at < len(stream) {
		end := at + 5 + int(binary.BigEndian.Uint32(stream[at+1:])) + 8
		parts = append(parts, stream[at:end])
		at = end
	}
	return parts
}

func TestImportIntoWhatIsNotEmpty(t *testing.T) {
	for _, put := range []func(engine.Batch){
		func(b engine.Batch) { b.PutCatalog("id", []byte("1")) },
		func(b engine.Batch) { b.PutTimer(engine.TimerKey{Due: -5, ID: 1}, nil, []byte("x")) },
	} {
		s := memstore.New(memstore.Options{})
		b := s.NewBatch()
		put(b)
		if err := b.Apply(false); err != nil {
			t.Fatal(err)
		}
		before := dump(t, s)
		if _, err := transfer.Import(s, bytes.NewReader(sample(t)), nil); !errors.Is(err, transfer.ErrNotEmpty) {
			t.Errorf("the error is %v, want ErrNotEmpty", err)
		}
		if diff := cmp.Diff(before, dump(t, s)); diff != "" {
			t.Errorf("the store was changed:\n%s", diff)
		}
	}
}

// failing is a store whose writes fail from the n-th batch on.
type failing struct {
	engine.Store
	left int
}

type failingBatch struct {
	engine.Batch
	store *failing
}

var errDisk = errors.New("disk")

func (f *failing) NewBatch() engine.Batch { return &failingBatch{f.Store.NewBatch(), f} }

func (b *failingBatch) Apply(durable bool) error {
	if b.store.left--; b.store.left < 0 {
		return errDisk
	}
	return b.Batch.Apply(durable)
}

func TestImportThatCannotBeTakenBackSaysSo(t *testing.T) {
	a := memstore.New(memstore.Options{})
	b := a.NewBatch()
	b.PutCatalog("t/1", nil)
	for seq := engine.Sequence(1); seq <= 20_000; seq++ {
		b.AppendMessage(1, seq, []byte("x"))
	}
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	s := &failing{memstore.New(memstore.Options{}), 2}
	_, err := transfer.Import(s, bytes.NewReader(exported(t, a)), nil)
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "delete the store") {
		t.Errorf("the error is %v, want one that says to delete the store", err)
	}
}

func TestExportOfAGapIsRefused(t *testing.T) {
	s := stores[1].open(t)
	defer s.Close()
	b := s.NewBatch()
	b.PutCatalog("t/1", nil)
	for _, seq := range []engine.Sequence{1, 2, 4} {
		b.AppendMessage(1, seq, nil)
	}
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Export(s, io.Discard, nil); !errors.Is(err, transfer.ErrIncomplete) {
		t.Errorf("the error is %v, want ErrIncomplete", err)
	}
}

// imported checks what an import of a stream did: all, or nothing.
func imported(t *testing.T, stream []byte) {
	t.Helper()
	s := memstore.New(memstore.Options{})
	_, err := transfer.Import(s, bytes.NewReader(stream), nil)
	if err != nil {
		if !empty(t, s) {
			t.Fatalf("behind %v the store is not empty", err)
		}
		return
	}
	if again := exported(t, s); stream[len("fanfare export\n")] == again[len("fanfare export\n")] && !bytes.Equal(again, stream) {
		t.Fatal("what was imported is exported otherwise")
	}
}

// seal makes a stream of entries, given as kind, length and payload, with checksums and an end that fit.
func seal(version byte, entries []byte) []byte {
	stream := append([]byte("fanfare export\n"), version)
	sum, counts := uint64(0), map[byte]uint64{}
	add := func(kind byte, payload []byte) {
		head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
		counts[kind]++
		sum = xxhash.Sum64(bytes.Join([][]byte{binary.BigEndian.AppendUint64(nil, sum), head, payload}, nil))
		stream = binary.BigEndian.AppendUint64(append(append(stream, head...), payload...), sum)
	}
	for len(entries) >= 2 {
		kind, size := entries[0], min(int(entries[1]), len(entries)-2)
		add(kind, entries[2:2+size])
		entries = entries[2+size:]
	}
	var end []byte
	kinds := "ctqmispdw"
	if version == 1 {
		kinds = "ctmipdw"
	}
	for _, kind := range []byte(kinds) {
		end = binary.BigEndian.AppendUint64(end, counts[kind])
	}
	add('e', end)
	return stream
}

// unseal is the way back.
func unseal(stream []byte) (entries []byte) {
	parts := split(stream)
	for _, p := range parts[1 : len(parts)-1] {
		payload := p[5 : len(p)-8]
		entries = append(append(entries, p[0], byte(len(payload))), payload...)
	}
	return entries
}

// Entries in any order and of any content, with checksums that fit.
func FuzzImportSealed(f *testing.F) {
	whole := sample(f)
	if !bytes.Equal(seal(2, unseal(whole)), whole) {
		f.Fatal("seal does not write what Export does")
	}
	f.Add(unseal(whole))
	f.Fuzz(func(t *testing.T, entries []byte) {
		imported(t, seal(2, entries))
		imported(t, seal(1, entries))
	})
}

// Whatever the bytes: an import ends, and leaves all or nothing.
func FuzzImport(f *testing.F) {
	whole := sample(f)
	f.Add(whole)
	f.Add(whole[:40])
	f.Add([]byte("fanfare export\n\x02c\xff\xff\xff\xff"))
	f.Fuzz(imported)
}
