package pebblestore_test

import (
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/pebblestore"
	"fanfare/engine/storetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestConformance(t *testing.T) {
	for _, durability := range []engine.Durability{engine.DurabilitySync, engine.DurabilityAsync} {
		t.Run(string(durability), func(t *testing.T) {
			file := map[string]*vfs.MemFS{}
			storetest.Run(t, true, func(t *testing.T) engine.Store {
				fs := file[t.Name()]
				if fs == nil {
					fs = vfs.NewMem()
					file[t.Name()] = fs
				}
				return open(t, pebblestore.Options{Dir: "store", FS: fs, Durability: durability})
			})
		})
	}
}

func open(t *testing.T, opts pebblestore.Options) *pebblestore.Store {
	t.Helper()
	s, err := pebblestore.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, pebblestore.Options{Dir: dir})
	defer s.Close()
	if _, err := pebblestore.Open(pebblestore.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("opening the directory twice: %v, want an error that says it is in use", err)
	}
}

// wantHighAfterCut cuts the power and wants the first topic to have come so far.
func wantHighAfterCut(t *testing.T, fs *vfs.MemFS, s *pebblestore.Store, want engine.Sequence) {
	t.Helper()
	after := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, pebblestore.Options{Dir: "store", FS: after})
	defer s.Close()
	if high, err := s.HighWater(1); high != want || err != nil {
		t.Fatalf("HighWater = %d, %v; want %d", high, err, want)
	}
}

// After a power cut everything that was waited for is there.
func TestWaitSurvivesPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, pebblestore.Options{Dir: "store", FS: fs})
	b := s.NewBatch()
	for i := 1; i <= 50; i++ {
		b.Reset()
		b.AppendMessage(1, engine.Sequence(i), []byte("record"))
		if err := b.Apply(true); err != nil {
			t.Fatal(err)
		}
		if err := b.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	wantHighAfterCut(t, fs, s, 50)
}

// A batch that is waited for saves what was applied before it, also when it is empty.
func TestEmptyBatchSavesWhatWasBefore(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, pebblestore.Options{Dir: "store", FS: fs})
	b := s.NewBatch()
	b.AppendMessage(1, 1, []byte("record"))
	if err := b.Apply(false); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := b.Apply(true); err != nil {
		t.Fatal(err)
	}
	if err := b.Wait(); err != nil {
		t.Fatal(err)
	}
	wantHighAfterCut(t, fs, s, 1)
}
