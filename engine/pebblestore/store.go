package pebblestore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/engine"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
)

// Options of a Store. Dir is required; the zero value of the others works.
//
// The memory of a store is CacheBytes, and MemTableBytes times memTables (4) when the disk does not keep up: writes wait
// when so many are full. One memtable's worth of log is one file, and up to one more than memTables of them are kept to be
// written over. So a container with 128 MiB gets along with 4 MiB for each of the two, and about 50 MiB of disk beside what is
// owed; what it pays is smaller tables, and more of them to merge. Memtables smaller than twice the engine's GroupBytesMax work,
// but a group of more than half a memtable costs a new log.
type Options struct {
	Dir        string
	Durability engine.Durability // sync (default) or async
	SyncEvery  time.Duration     // with async: how often the log is synced; default 100 ms

	CacheBytes    int64 // for blocks that lagging subscriptions read; default 64 MiB
	MemTableBytes int64 // of writes that are gathered before they become a table; default 16 MiB, 16 KiB to 1 GiB

	// Below FreeBytesMin of free disk no message is accepted; default 256 MiB, negative for no such floor. Accepting
	// resumes when a quarter of it, 64 MiB at least, is free on top.
	FreeBytesMin   int64
	StoredBytesMax int64         // on the disk: at so much no message is accepted, until it is an eighth less; default 0: no bound
	SpaceEvery     time.Duration // how often both are looked at; default 250 ms

	FS    vfs.FS           // default: the operating system's
	Log   zerolog.Logger   // silent by default
	Fatal func(msg string) // told when Pebble gives up; must not return; default: log and exit with 1

	scratch bool // nothing is worth a compaction, or a look at the space: for Check
}

// memTables is how many memtables there may be before writes wait.
const memTables = 4

func (o *Options) setDefaults() {
	o.Durability = cmp.Or(o.Durability, engine.DurabilitySync)
	o.SyncEvery = cmp.Or(o.SyncEvery, 100*time.Millisecond)
	o.CacheBytes = cmp.Or(o.CacheBytes, 64<<20)
	o.MemTableBytes = cmp.Or(o.MemTableBytes, 16<<20)
	o.FreeBytesMin = cmp.Or(o.FreeBytesMin, 256<<20)
	o.SpaceEvery = cmp.Or(o.SpaceEvery, 250*time.Millisecond)
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Fatal == nil {
		log := o.Log
		o.Fatal = func(msg string) {
			log.Error().Str("err", msg).Msg("the store gave up; the process ends so that nothing is answered that is not saved")
			os.Exit(1)
		}
	}
}

// Validate reports every bad option at once.
func (o Options) Validate() error {
	var faults []error
	between := func(name string, v, low, high int64) {
		if v < low || v > high {
			faults = append(faults, fmt.Errorf("pebblestore: %s is %d, must be between %d and %d", name, v, low, high))
		}
	}
	o.setDefaults()
	if o.Dir == "" {
		faults = append(faults, errors.New("pebblestore: Dir must name a directory"))
	}
	between("CacheBytes", o.CacheBytes, 1<<20, 1<<40)
	between("MemTableBytes", o.MemTableBytes, 16<<10, 1<<30)
	between("StoredBytesMax", o.StoredBytesMax, 0, 1<<60)
	between("FreeBytesMin", max(o.FreeBytesMin, 0), 0, 1<<60)
	between("SyncEvery", int64(o.SyncEvery), int64(time.Millisecond), int64(time.Minute))
	between("SpaceEvery", int64(o.SpaceEvery), int64(time.Millisecond), int64(time.Minute))
	return errors.Join(faults...)
}

// Store is an engine.Store on Pebble. Use Open.
type Store struct {
	opts  Options
	db    *pebble.DB
	lock  *pebble.Lock // nil when Pebble holds it alone
	guard *guardFS
	fence *fence
	lost  []error // what the fence says and the store does not hold, of one that is only looked at

	opened  atomic.Bool           // Pebble is open: compactions may begin
	failure atomic.Pointer[error] // the first failed write, final
	written atomic.Bool           // something was applied since the fence was written
	full    atomic.Pointer[error] // why no message is accepted now
	unknown sync.Once             // told that the free space cannot be read
	trims   trims
	marked  marked // with marks
	stated  marked // with states
	users   users

	once   sync.Once
	stop   chan struct{}
	behind sync.WaitGroup // what runs behind the scenes, until stop is closed
}

// start begins what runs behind the scenes.
func (s *Store) start() {
	if s.opts.scratch {
		return
	}
	s.look() // so that the first message is judged as well
	s.behind.Go(func() { s.every(s.opts.SpaceEvery, s.look) })
	s.behind.Go(func() { s.every(fenceEvery, s.writeFence) })
	s.behind.Go(func() { s.every(reclaimEvery, s.reclaim) })
	if s.opts.Durability == engine.DurabilityAsync {
		s.behind.Go(func() { s.every(s.opts.SyncEvery, func() { _ = s.syncLog() }) }) // its error is kept by fail
	}
}

// every calls fn at an interval until the store closes or fails.
func (s *Store) every(interval time.Duration, fn func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			if s.Err() != nil {
				return
			}
			fn()
		}
	}
}

// fenceEvery is how often the fence is brought up to date.
const fenceEvery = time.Second

// writeFence brings the fence up to date, if anything was written since it was the last time.
func (s *Store) writeFence() {
	if s.written.Swap(false) && s.advance() != nil {
		return // kept by fail
	}
	if err := s.fence.write(); err != nil {
		s.guard.blow(fmt.Errorf("pebblestore: write %s: %w", fenceName, err))
	}
}

// advance makes a position durable that the fence may claim.
func (s *Store) advance() error {
	position := s.fence.position() + 1
	b := s.db.NewBatch()
	if err := b.Set([]byte{prefixFence}, binary.BigEndian.AppendUint64(nil, position), nil); err != nil {
		return err
	}
	if err := s.sync(b); err != nil {
		return err
	}
	s.fence.reached(position)
	return nil
}

// sync applies a batch and waits for the disk, whatever the durability setting is.
func (s *Store) sync(b *pebble.Batch) error {
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return s.fail(fmt.Errorf("pebblestore: apply: %w", err))
	}
	return errors.Join(s.wait(b), b.Close())
}

// wait waits for the sync of a batch that was applied for one.
func (s *Store) wait(b *pebble.Batch) error {
	if err := b.SyncWait(); err != nil {
		return s.fail(fmt.Errorf("pebblestore: sync: %w", err))
	}
	return s.Err() // of which Pebble was not told
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

// Close syncs the log and closes the store. Behind a failed write it leaves the disk alone, returns at once, and the
// directory can be opened anew. It waits for a write that is under way.
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.stop)
		s.behind.Wait()
		s.users.close()
		if s.Err() == nil {
			err = s.syncLog()
		}
		if s.Err() == nil && !s.opts.scratch {
			s.written.Store(true)
			s.writeFence()
		}
		failed := s.Err()
		err = errors.Join(err, s.db.Close(), s.unlock())
		if failed == nil {
			err = errors.Join(err, s.Err()) // it failed in the end
		}
	})
	return err
}

func (s *Store) unlock() error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
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
