package pebblestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// longForm asks for the full form of a test.
func longForm() bool { return os.Getenv("FANFARE_LONG") == "1" }

// within fails the test if fn hangs.
func within(t *testing.T, limit time.Duration, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(limit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s hangs\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// small are options with which little data makes many files.
func small(fs vfs.FS) pebblestore.Options {
	return pebblestore.Options{Dir: "store", FS: fs, MemTableBytes: 256 << 10, CacheBytes: 1 << 20, SpaceEvery: time.Millisecond}
}

// body is a record of a message that nobody could confuse with another's.
func body(seq engine.Sequence) []byte {
	return append(fmt.Appendf(nil, "message %d ", seq), bytes.Repeat([]byte{byte(seq)}, 12<<10)...)
}

// acked is what was waited for with success.
type acked struct {
	high, trimmed engine.Sequence
	progress      string
}

// load writes groups of messages, with a trim and progress now and then, until a write fails.
func load(s *pebblestore.Store, groups int, from engine.Sequence) (a acked, err error) {
	a.high = from
	b := s.NewBatch()
	for i := range groups {
		b.Reset()
		next := a
		for range 3 {
			next.high++
			b.AppendMessage(1, next.high, body(next.high))
		}
		if i%16 == 15 {
			b.TrimTopic(1, next.trimmed, next.high-8)
			next.trimmed = next.high - 8
		}
		next.progress = fmt.Sprint("progress ", next.high)
		b.SaveProgress(7, []byte(next.progress))
		if err := b.Apply(true); err != nil {
			return a, err
		}
		if err := b.Wait(); err != nil {
			return a, err
		}
		a = next
	}
	return a, nil
}

// verify compares what a store holds with what it acknowledged: more of it may be there, in whole groups.
func verify(s *pebblestore.Store, a acked) error {
	high, err := s.HighWater(1)
	if err != nil {
		return err
	}
	if high < a.high || (high-a.high)%3 != 0 {
		return fmt.Errorf("the last message is %d, and %d was acknowledged, in groups of 3", high, a.high)
	}
	next, fault := engine.Sequence(0), error(nil)
	err = s.ReadTopic(1, 1, math.MaxUint64, func(seq engine.Sequence, record []byte) bool {
		if next == 0 {
			next = seq
		}
		if seq != next || !bytes.Equal(record, body(seq)) {
			fault = fmt.Errorf("message %d is not what was written, or another is missing before it", seq)
		}
		next++
		return fault == nil
	})
	if err = errors.Join(err, fault); err != nil {
		return err
	}
	if first := next - 1; next != 0 && first != high {
		return fmt.Errorf("the messages end at %d, the topic at %d", first, high)
	}
	kept := uint64(0)
	_ = s.ReadTopic(1, a.trimmed+1, a.high, func(engine.Sequence, []byte) bool { kept++; return true })
	if extra := uint64(high - a.high); kept+extra < uint64(a.high-a.trimmed) && extra == 0 {
		return fmt.Errorf("%d of %d acknowledged messages are there", kept, a.high-a.trimmed)
	}
	progress, err := s.ReadProgress(7)
	if err != nil {
		return err
	}
	if a.progress != "" && high == a.high && string(progress) != a.progress {
		return fmt.Errorf("the progress is %q, %q was acknowledged", progress, a.progress)
	}
	return nil
}

// reopen opens a store, which must work, verifies it and closes it.
func reopen(fs vfs.FS, a acked) error {
	s, err := pebblestore.Open(small(fs))
	if err != nil {
		return err
	}
	return errors.Join(verify(s, a), s.Close())
}

var faults = []struct {
	name string
	err  error
}{
	{"EIO", syscall.EIO}, {"ENOSPC", syscall.ENOSPC}, {"EROFS", syscall.EROFS}, {"EMFILE", syscall.EMFILE}, {"EDQUOT", syscall.EDQUOT}, {"short", errShort},
}

// The k-th operation that changes the disk fails, of every kind of file, with every error, once or from then on. Whatever
// was acknowledged is there when the store is opened anew on what a power cut would have left, and in the same
// process; and nothing hangs, panics or ends the process.
func TestFaultAtEveryOperation(t *testing.T) {
	cases, failed := 0, 0
	for _, kind := range []string{"log", "table", "manifest", "options", "marker", "fence", "directory", "any"} {
		reached := 0
		for k := 1; k <= 5000; k = nextFault(kind, k) {
			f := faults[(k+cases)%len(faults)]
			hit := faultCase(t, kind, k, f.err, cases%2 == 0, &failed)
			if t.Failed() {
				t.Fatalf("replay: kind %s, operation %d, error %s, lasting %v", kind, k, f.name, cases%2 == 0)
			}
			cases++
			if !hit && !errors.Is(f.err, errShort) {
				break
			}
			reached = k
		}
		if reached == 0 {
			t.Errorf("no operation on a %s was met", kind)
		}
		t.Logf("%s: up to operation %d", kind, reached)
	}
	t.Logf("%d cases, in %d of them the store failed", cases, failed)
	if failed < cases/2 {
		t.Errorf("the store failed in %d of %d cases only: the faults do not reach it", failed, cases)
	}
}

// nextFault is the operation to try next: each up to 500 of any kind, fewer of the single kinds further on.
func nextFault(kind string, k int) int {
	switch {
	case longForm() || kind == "any" && k < 500 && !testing.Short():
		return k + 1
	case kind == "any" && !testing.Short():
		return k + 50
	}
	return k + 1 + (k-1)/12*7
}

func faultCase(t *testing.T, kind string, k int, fault error, lasts bool, failed *int) (hit bool) {
	t.Helper()
	mem := vfs.NewCrashableMem()
	fs := &faultFS{FS: mem}
	within(t, time.Minute, "the store", func() {
		// Half of the cases begin with a store that exists, half with none.
		var a acked
		if k%2 == 0 {
			s, err := pebblestore.Open(small(fs))
			if err != nil {
				t.Error(err)
				return
			}
			if a, err = load(s, 20, 0); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		judge, wasHit := at(kind, k, fault, lasts)
		fs.set(judge)
		s, err := pebblestore.Open(small(fs))
		var cut *vfs.MemFS
		if err == nil {
			var more acked
			more, err = load(s, 60, a.high)
			if more.high > a.high {
				a.high, a.progress, a.trimmed = more.high, more.progress, max(a.trimmed, more.trimmed)
			}
			if err != nil && s.Err() == nil {
				t.Errorf("a write failed with %v, and the store does not know", err)
			}
			if err != nil {
				b := s.NewBatch()
				b.SaveProgress(9, []byte("late"))
				if b.Apply(true) == nil && b.Wait() == nil {
					t.Error("a write was acknowledged behind a failed one")
				}
			}
			cut = mem.CrashClone(vfs.CrashCloneCfg{})
			err = errors.Join(err, s.Close())
		}
		if err != nil {
			*failed++
		}
		hit = wasHit()
		fs.set(nil)
		if cut == nil {
			cut = mem.CrashClone(vfs.CrashCloneCfg{})
		}
		if err := reopen(cut, a); err != nil {
			t.Errorf("behind a power cut: %v", err)
		}
		if err := reopen(mem.CrashClone(vfs.CrashCloneCfg{}), a); err != nil {
			t.Errorf("behind a power cut after closing: %v", err)
		}
		if err := reopen(fs, a); err != nil {
			t.Errorf("opened anew: %v", err)
		}
	})
	return hit
}

// The case of the design: a sync of the log fails, the store is closed and opened in the same process.
func TestFailedSyncThenReopenInProcess(t *testing.T) {
	fs := &faultFS{FS: vfs.NewCrashableMem()}
	s := open(t, small(fs))
	a, err := load(s, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	fs.set(func(op, base string) error {
		if op == "sync" && fileKind(base) == "log" {
			return syscall.EIO
		}
		return nil
	})
	if _, err := load(s, 1, a.high); !errors.Is(err, syscall.EIO) {
		t.Fatalf("a write whose sync fails: %v, want EIO", err)
	}
	if !errors.Is(s.Err(), syscall.EIO) {
		t.Errorf("Err is %v, want EIO", s.Err())
	}
	within(t, 10*time.Second, "Close", func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close behind a failed sync: %v", err)
		}
	})
	if _, err := pebblestore.Open(small(fs)); !errors.Is(err, syscall.EIO) {
		t.Errorf("opening while syncs fail: %v, want EIO", err)
	}
	fs.set(nil)
	if err := reopen(fs, a); err != nil {
		t.Error(err)
	}
}
