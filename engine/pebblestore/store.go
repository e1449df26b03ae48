package pebblestore

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
)

// Options of a Store. Dir is required; the zero value of the others works.
type Options struct {
	Dir        string
	Durability engine.Durability // sync (default) or async
	SyncEvery  time.Duration     // with async: how often the log is synced; default 100 ms
	CacheBytes int64             // for blocks that lagging subscriptions read; default 64 MiB
	TableBytes int               // writes kept in memory before they become a file; default 64 MiB
	FS         vfs.FS            // default: the operating system's
	Log        zerolog.Logger    // silent by default
	Fatal      func(msg string)  // told when Pebble gives up; must not return; default: log and exit with 1
}

// Store is an engine.Store on Pebble. Use Open.
type Store struct {
	opts Options
	db   *pebble.DB

	failure atomic.Pointer[error] // the first failed write, final
	once    sync.Once
	stop    chan struct{}
	syncer  sync.WaitGroup
}

// Open opens the store in the directory, making it when there is none.
func Open(opts Options) (*Store, error) {
	if opts.SyncEvery == 0 {
		opts.SyncEvery = 100 * time.Millisecond
	}
	if opts.CacheBytes == 0 {
		opts.CacheBytes = 64 << 20
	}
	if opts.TableBytes == 0 {
		opts.TableBytes = 64 << 20
	}
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.Durability == "" {
		opts.Durability = engine.DurabilitySync
	}
	if opts.Fatal == nil {
		log := opts.Log
		opts.Fatal = func(msg string) {
			log.Error().Str("err", msg).Msg("the store gave up; the process ends so that nothing is answered that is not saved")
			os.Exit(1)
		}
	}
	s := &Store{opts: opts, stop: make(chan struct{})}
	cache := pebble.NewCache(opts.CacheBytes)
	defer cache.Unref()
	db, err := pebble.Open(opts.Dir, &pebble.Options{
		Cache:                       cache,
		FS:                          opts.FS,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      logger{opts.Log, opts.Fatal},
		MemTableSize:                uint64(opts.TableBytes),
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		BytesPerSync:                1 << 20,
	})
	if err != nil {
		if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
			return nil, fmt.Errorf("pebblestore: %s is in use by another process: %w", opts.Dir, err)
		}
		return nil, fmt.Errorf("pebblestore: open %s: %w", opts.Dir, err)
	}
	s.db = db
	if err := s.checkVersion(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if opts.Durability == engine.DurabilityAsync {
		s.syncer.Go(s.syncEvery)
	}
	return s, nil
}

func (s *Store) checkVersion() error {
	key := []byte{prefixVersion}
	value, ok, err := s.get(key, nil)
	switch {
	case err != nil:
		return err
	case !ok:
		b := s.db.NewBatch()
		if err := b.Set(key, []byte{layoutVersion}, nil); err != nil {
			return err
		}
		return s.sync(b)
	case len(value) != 1 || value[0] != layoutVersion:
		return fmt.Errorf("pebblestore: %s holds data of layout version %d, this program knows version %d; start the program that wrote it",
			s.opts.Dir, value, layoutVersion)
	}
	return nil
}

// sync applies a batch and waits for the disk, whatever the durability setting is.
func (s *Store) sync(b *pebble.Batch) error {
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return s.fail(fmt.Errorf("pebblestore: apply: %w", err))
	}
	if err := b.SyncWait(); err != nil {
		return s.fail(fmt.Errorf("pebblestore: sync: %w", err))
	}
	return b.Close()
}

// syncEvery syncs the log at the interval, for durability async.
func (s *Store) syncEvery() {
	tick := time.NewTicker(s.opts.SyncEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			if s.Err() == nil {
				_ = s.syncLog() // kept by fail
			}
		}
	}
}

func (s *Store) syncLog() error {
	b := s.db.NewBatch()
	if err := b.LogData(nil, nil); err != nil {
		return err
	}
	return s.sync(b)
}

// fail keeps the first failed write and returns it.
func (s *Store) fail(err error) error {
	s.failure.CompareAndSwap(nil, &err)
	return *s.failure.Load()
}

// Err returns the first failed write, nil while there was none.
func (s *Store) Err() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Metrics returns Pebble's own figures.
func (s *Store) Metrics() *pebble.Metrics { return s.db.Metrics() }

// Close syncs the log and closes the store.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.stop)
		s.syncer.Wait()
		if s.Err() == nil {
			err = s.syncLog()
		}
		err = errors.Join(err, s.db.Close())
	})
	return err
}

// logger hands Pebble's messages to ours.
type logger struct {
	log   zerolog.Logger
	fatal func(string)
}

func (l logger) Infof(format string, args ...any) { l.log.Debug().Msgf("pebble: "+format, args...) }

func (l logger) Errorf(format string, args ...any) { l.log.Error().Msgf("pebble: "+format, args...) }

func (l logger) Fatalf(format string, args ...any) {
	l.fatal(fmt.Sprintf("pebble: "+format, args...))
	panic("BUG: pebblestore: Fatal returned")
}
