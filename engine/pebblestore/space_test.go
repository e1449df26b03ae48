package pebblestore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s did not come true in a minute", what)
		}
	}
}

// usageFS answers how much of the disk is free.
type usageFS struct {
	vfs.FS
	free  atomic.Int64 // negative: it cannot be read
	asked atomic.Int64
}

func (f *usageFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	defer f.asked.Add(1)
	if free := f.free.Load(); free >= 0 {
		return vfs.DiskUsage{AvailBytes: uint64(free)}, nil
	}
	return vfs.DiskUsage{}, errors.New("no such figure")
}

func TestFreeSpaceFloor(t *testing.T) {
	const mib = 1 << 20
	fs := &usageFS{FS: vfs.NewMem()}
	fs.free.Store(1 << 40)
	s := open(t, pebblestore.Options{Dir: "store", FS: fs, SpaceEvery: time.Millisecond})
	defer s.Close()
	settle := func(free int64) {
		t.Helper()
		fs.free.Store(free)
		asked := fs.asked.Load()
		eventually(t, "two looks at the disk", func() bool { return fs.asked.Load() >= asked+2 })
	}
	for _, step := range []struct {
		free int64
		full bool
	}{
		{300 * mib, false}, // above the floor, though not above the mark of resuming
		{256 * mib, false}, // the floor itself
		{256*mib - 1, true},
		{300 * mib, true}, // not yet: it would come and go
		{320*mib - 1, true},
		{320 * mib, false},
		{256 * mib, false},
		{0, true},
		{-1, false}, // it cannot be read
		{10 * mib, true},
		{1 << 40, false},
	} {
		settle(step.free)
		eventually(t, fmt.Sprintf("full = %v with %d bytes free", step.full, step.free), func() bool { return (s.Full() != nil) == step.full })
		if err := s.Full(); err != nil && !strings.Contains(err.Error(), "MiB are free, messages are accepted from 320 MiB on") {
			t.Errorf("the reason is %q", err)
		}
	}
	// Full is advice to the engine: what frees space is written all the same.
	settle(0)
	b := s.NewBatch()
	b.SaveProgress(1, []byte("p"))
	if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
		t.Errorf("progress on a full disk: %v", err)
	}
}

func TestNoFloor(t *testing.T) {
	fs := &usageFS{FS: vfs.NewMem()} // nothing is free
	s := open(t, pebblestore.Options{Dir: "store", FS: fs, FreeBytesMin: -1, StoredBytesMax: 1 << 30, SpaceEvery: time.Millisecond})
	defer s.Close()
	b := s.NewBatch()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 20 {
		<-tick.C
		b.Reset()
		b.SaveProgress(1, []byte("p"))
		if err := errors.Join(b.Apply(true), b.Wait(), s.Full()); err != nil {
			t.Fatal(err)
		}
	}
}

// random returns bytes that do not compress.
func random(r *rand.ChaCha8, size int) []byte {
	b := make([]byte, size)
	_, _ = r.Read(b)
	return b
}

func dirBytes(t *testing.T, dir string) (size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else it was removed meanwhile
			size += info.Size()
		}
	}
	return size
}

// At the bound no message is accepted; trims make room on a real disk although nothing else is written, and accepting
// resumes by itself.
func TestStoredBytesBoundAndSpaceReturns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	const bound = 48 << 20
	s := open(t, pebblestore.Options{Dir: dir, MemTableBytes: 4 << 20, FreeBytesMin: -1, StoredBytesMax: bound, SpaceEvery: 5 * time.Millisecond})
	defer s.Close()
	r, b, high := rand.NewChaCha8([32]byte{}), s.NewBatch(), engine.Sequence(0)
	eventually(t, "full", func() bool {
		b.Reset()
		for range 16 {
			high++
			b.AppendMessage(1, high, random(r, 32<<10))
		}
		if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
			t.Fatal(err)
		}
		return s.Full() != nil
	})
	full := dirBytes(t, dir)
	if reason := s.Full(); !strings.Contains(fmt.Sprint(reason), "MiB are stored, messages are accepted below 42 MiB") {
		t.Errorf("the reason is %v", reason)
	}
	b.Reset()
	b.TrimTopic(1, 0, high)
	if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "room", func() bool { return s.Full() == nil })
	t.Logf("%d MiB when it was full, %d MiB behind the trim", full>>20, dirBytes(t, dir)>>20)
}

// What is published and delivered does not pile up: disk use follows what is owed. The long form moves 4 GiB.
func TestDeliveredDataDoesNotAccumulate(t *testing.T) {
	total, backlog := 192<<20, engine.Sequence(1024)
	if longForm() {
		total = 4 << 30
	}
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, pebblestore.Options{Dir: dir, MemTableBytes: 4 << 20, FreeBytesMin: -1})
	defer s.Close()
	r, b, high, trimmed, most := rand.NewChaCha8([32]byte{}), s.NewBatch(), engine.Sequence(0), engine.Sequence(0), int64(0)
	const size, group = 8 << 10, 256
	for written := 0; written < total; written += size * group {
		b.Reset()
		for range group {
			high++
			b.AppendMessage(1, high, random(r, size))
		}
		if high > trimmed+backlog+group {
			b.TrimTopic(1, trimmed, high-backlog)
			trimmed = high - backlog
		}
		if err := errors.Join(b.Apply(true), b.Wait()); err != nil {
			t.Fatal(err)
		}
		if written/(size*group)%8 == 0 {
			most = max(most, dirBytes(t, dir))
		}
	}
	tables := uint64(0)
	for _, level := range s.Metrics().Levels { // the total counts the log as well
		tables += level.TableBytesFlushed + level.TableBytesCompacted
	}
	t.Logf("%d MiB written, at most %d MiB of it owed; the directory had up to %d MiB; %.2f bytes of tables written per byte",
		total>>20, int(backlog)*size>>20, most>>20, float64(tables)/float64(total))
	// 8 MiB are owed, 4 memtables of 4 MiB and their logs, and the logs to be written over.
	if bound := int64(96 << 20); most > bound {
		t.Errorf("the directory had up to %d MiB, want at most %d", most>>20, bound>>20)
	}
}
