package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// Why a directory is not opened.
var (
	ErrInUse    = errors.New("pebblestore: in use by another process")
	ErrDamaged  = errors.New("pebblestore: damaged")
	ErrNotStore = errors.New("pebblestore: not a store")
	ErrVersion  = errors.New("pebblestore: of another version")
)

// openError is an error that says which directory, what is wrong and what to do.
type openError struct {
	dir    string
	advice string
	kind   error // one of the above, nil for none
	err    error
}

func (e *openError) Error() string {
	text := "pebblestore: " + e.dir + " " + e.err.Error()
	if e.advice != "" {
		text += "; " + e.advice
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *openError) Unwrap() []error { return []error{e.kind, e.err} }

const (
	adviceDamaged = `restore the directory from a copy of the whole, or look at it with "fanfare check"`
	adviceFence   = "restore the directory from a copy of the whole, or, to go on with what is there, remove the file " + fenceName + " in it: whatever is gone stays lost"
)

// Open opens the store in the directory, making it when there is none.
func Open(opts Options) (*Store, error) {
	opts.setDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: opts, stop: make(chan struct{}), fence: newFence(opts.FS, opts.Dir)}
	s.guard = &guardFS{FS: opts.FS, fail: func(err error) { _ = s.fail(err) }, stop: s.stop, fence: s.fence}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if err := s.openDB(); err != nil {
		return nil, errors.Join(err, s.unlock())
	}
	if err := s.verify(); err != nil {
		close(s.stop)
		return nil, errors.Join(err, s.db.Close(), s.unlock())
	}
	s.start()
	return s, nil
}

// prepare locks a directory that exists and looks at what it holds, before Pebble does: Pebble makes a new database where
// its marker is missing, and deletes whatever else there is.
func (s *Store) prepare() error {
	dir, disk := s.opts.Dir, s.opts.FS
	info, err := disk.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.opts.Log.Info().Str("data", dir).Msg("there is no store yet, a new one is made")
		return nil
	}
	if err != nil {
		return &openError{dir: dir, err: fmt.Errorf("cannot be looked at: %w", err), advice: "check its path and its permissions"}
	}
	if !info.IsDir() {
		return &openError{dir: dir, kind: ErrNotStore, err: errors.New("is not a directory"), advice: "name a directory, which need not exist yet"}
	}
	if s.lock, err = pebble.LockDirectory(dir, disk); err != nil {
		return s.openError(err)
	}
	names, err := disk.List(dir)
	if err != nil {
		return s.openError(err)
	}
	if err := s.survey(names); err != nil {
		return err
	}
	if err := s.fence.load(names); err != nil {
		return s.behindFence(err)
	}
	if !s.fence.exists && len(names) > 1 {
		s.opts.Log.Warn().Str("data", dir).Msg("the file " + fenceName + " is missing: whether the store is whole cannot be told")
	}
	return nil
}

// survey refuses a directory that is no store, or that lost its marker.
func (s *Store) survey(names []string) error {
	marker, data, foreign := false, "", ""
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, markerPrefix):
			marker = true
		case strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, logSuffix), name == fenceName:
			data = name
		case name == "LOCK", name == "lost+found", name == fenceTempName, strings.HasPrefix(name, "."), strings.HasPrefix(name, manifestPrefix),
			strings.HasPrefix(name, "OPTIONS-"), strings.HasPrefix(name, "marker."), strings.HasSuffix(name, ".dbtmp"):
		default:
			foreign = name
		}
	}
	switch {
	case marker:
		return nil
	case data != "":
		return &openError{
			dir: s.opts.Dir, kind: ErrDamaged, advice: adviceDamaged,
			err: fmt.Errorf("is damaged: it holds %s, but the file %s* that every store has is missing", data, markerPrefix),
		}
	case foreign != "":
		return &openError{
			dir: s.opts.Dir, kind: ErrNotStore, advice: "name an empty directory, or one that does not exist yet",
			err: fmt.Errorf("is not a store: it holds %s", foreign),
		}
	}
	return nil
}

// openDB opens Pebble. Whatever fails to be written shows in Err.
func (s *Store) openDB() error {
	cache := pebble.NewCache(s.opts.CacheBytes)
	defer cache.Unref()
	log := s.opts.Log
	db, err := pebble.Open(s.opts.Dir, &pebble.Options{
		Cache:                       cache,
		FS:                          s.guard,
		Lock:                        s.lock,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      logger{log, s.opts.Fatal},
		MemTableSize:                uint64(s.opts.MemTableBytes),
		MemTableStopWritesThreshold: memTables,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		BytesPerSync:                1 << 20,
		DisableAutomaticCompactions: s.opts.scratch,
		// An Open that fails late closes what compactions and the collection of statistics still use, and that ends the
		// process. So the first begin when all is open, and the others, which are for the choice of compactions, do
		// not: what was trimmed is compacted by reclaim.
		DisableTableStats: true,
		CompactionConcurrencyRange: func() (lower, upper int) {
			if s.opened.Load() {
				return 1, 1
			}
			return 0, 1
		},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { log.Error().Err(err).Msg("a compaction or a flush of the store failed") },
			// Whoever reads what is damaged gets the error; that is no reason to end the process.
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				log.Error().Str("file", info.Path).Err(info.Details).Msg("a file of the store is damaged")
			},
		},
	})
	if failed := s.Err(); failed != nil {
		if db != nil {
			failed = errors.Join(failed, db.Close())
		}
		return s.openError(failed)
	}
	if err != nil {
		return s.openError(err)
	}
	s.db = db
	s.opened.Store(true)
	return nil
}

// openError says what an error of opening means.
func (s *Store) openError(err error) error {
	e := &openError{dir: s.opts.Dir}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.err, e.advice = fmt.Errorf("cannot be written: %w", err), "give the user of this process the right to write there"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.err, e.advice = fmt.Errorf("has no room: %w", err), "make room; everything that was acknowledged is still there"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.err, e.advice = fmt.Errorf("cannot be opened: %w", err), "raise the limit of open files"
	case errors.Is(err, syscall.EAGAIN), strings.Contains(err.Error(), "lock held"):
		e.kind, e.err, e.advice = ErrInUse, fmt.Errorf("is in use by another process: %w", err), "end that process, or name another directory"
	case s.Err() != nil:
		e.err, e.advice = fmt.Errorf("cannot be written: %w", err), "see to the disk; everything that was acknowledged before is still there"
	default:
		e.kind, e.err, e.advice = ErrDamaged, fmt.Errorf("is damaged or cannot be read: %w", err), adviceDamaged
	}
	return e
}

// verify compares what was opened with what it must be: our layout, and no less than the fence says.
func (s *Store) verify() error {
	if err := s.verifyPosition(); err != nil {
		return err
	}
	if err := s.checkVersion(); err != nil {
		return err
	}
	s.loadMarked(&s.marked, prefixMark)
	s.loadMarked(&s.stated, prefixState)
	if s.opts.scratch {
		return nil
	}
	// Whether the directory's own name is durable is known to nobody when an earlier start ended half-way.
	if parent, err := s.guard.OpenDir(s.opts.FS.PathDir(s.opts.Dir)); err == nil {
		_ = parent.Sync() // an error blows the fuse
		_ = parent.Close()
	}
	s.written.Store(true) // so that a log that cannot be synced shows now
	s.writeFence()
	if err := s.Err(); err != nil {
		return s.openError(err)
	}
	return nil
}

func (s *Store) verifyPosition() error {
	wanted, found := s.fence.position(), uint64(0)
	value, ok, err := s.get([]byte{prefixFence}, nil)
	if err != nil {
		return s.openError(err)
	}
	if ok && len(value) == 8 {
		found = binary.BigEndian.Uint64(value)
	}
	s.fence.reached(found)
	if found < wanted {
		return s.behindFence(fmt.Errorf("the end of its log is missing: it holds position %d, and held position %d already", found, wanted))
	}
	return nil
}

// behindFence refuses a store that holds less than the fence says. One that is only looked at is opened all the same.
func (s *Store) behindFence(err error) error {
	if s.opts.scratch {
		s.lost = append(s.lost, err)
		return nil
	}
	return &openError{dir: s.opts.Dir, kind: ErrDamaged, err: fmt.Errorf("is damaged: %w", err), advice: adviceFence}
}

func (s *Store) checkVersion() error {
	key := []byte{prefixVersion}
	value, ok, err := s.get(key, nil)
	switch {
	case err != nil:
		return s.openError(err)
	case !ok:
		return s.initialize(key)
	case slices.Equal(value, []byte{layoutVersion}):
		return nil
	case len(value) != 1:
		return &openError{dir: s.opts.Dir, kind: ErrDamaged, err: fmt.Errorf("is damaged: the version of its layout is %x", value), advice: adviceDamaged}
	}
	e := &openError{dir: s.opts.Dir, kind: ErrVersion}
	if value[0] > layoutVersion {
		e.err = fmt.Errorf("was written by a newer program: its layout is version %d, and this program knows version %d", value[0], layoutVersion)
		e.advice = `start that program, or move the data with its "fanfare export" and this program's "fanfare import"`
	} else {
		e.err = fmt.Errorf("was written by an older program: its layout is version %d, and this program knows version %d", value[0], layoutVersion)
		e.advice = `move the data with that program's "fanfare export" and this program's "fanfare import"`
	}
	return e
}

// initialize marks a new store as ours.
func (s *Store) initialize(key []byte) error {
	empty := true
	if err := s.scan(nil, nil, func([]byte, []byte) (bool, error) { empty = false; return false, nil }); err != nil {
		return s.openError(err)
	}
	if !empty {
		return &openError{
			dir: s.opts.Dir, kind: ErrNotStore, advice: "name an empty directory, or one that does not exist yet",
			err: errors.New("is not a store of this program: what it holds has no version"),
		}
	}
	b := s.db.NewBatch()
	if err := b.Set(key, []byte{layoutVersion}, nil); err != nil {
		return err
	}
	return s.sync(b)
}
