package pebblestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// guardFS stands between Pebble and the file system, and is the fuse of the store.
//
// Pebble has no way back from a failed write: it ends the process (the MANIFEST), panics (a log that cannot be
// closed or begun, a directory that cannot be synced), or tries again in a tight loop (the flush of a memtable).
// So it is never told. The first write, sync, creation, renaming or removal that fails is handed to fail, before the
// call returns, and from then on nothing reaches the disk any more: Pebble believes all went well, comes to rest and can be
// closed, while every batch is refused and no wait ends well (Store.Err). What the disk holds is then what a power cut at that
// moment would have left, and is judged by opening the store anew, in this process or another.
//
// The output of compactions is the exception: it only ever copies what is stored, so Pebble may be told and try again. It is
// made to wait before it does, since it would not by itself.
type guardFS struct {
	vfs.FS
	fail  func(error)   // told about the first failed write
	stop  chan struct{} // closed when the store closes
	fence *fence
	blown atomic.Bool
}

// compactionCategory is what Pebble calls the output of compactions that are no flushes.
const compactionCategory = "pebble-compaction"

// compactionPause is how long a compaction that failed waits before Pebble may begin the next.
const compactionPause = 250 * time.Millisecond

// errBlown answers what cannot be answered after the first failed write. It must not be mistaken for a missing file,
// over which Pebble would end the process.
var errBlown = errors.New("pebblestore: a write has failed before; the store has to be opened anew")

// done judges how a write ended. It is true when the caller is to hand the result on: it went well.
func (g *guardFS) done(op, name string, err error) bool {
	if err == nil {
		return true
	}
	g.blow(fmt.Errorf("pebblestore: %s %s: %w", op, name, err))
	return false
}

func (g *guardFS) blow(err error) {
	g.fail(err)
	g.blown.Store(true)
}

// retryLater waits until a compaction may be tried again, and hands its error on.
func (g *guardFS) retryLater(err error) error {
	if err != nil {
		pause := time.NewTimer(compactionPause)
		defer pause.Stop()
		select {
		case <-g.stop:
		case <-pause.C:
		}
	}
	return err
}

func (g *guardFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if g.blown.Load() {
		return nowhere{}, nil
	}
	f, err := g.FS.Create(name, category)
	if category == compactionCategory {
		if err != nil {
			return nil, g.retryLater(err)
		}
		return &guardFile{File: f, fs: g, name: name, lenient: true}, nil
	}
	if !g.done("create", name, err) {
		return nowhere{}, nil
	}
	return g.file(f, name), nil
}

// file wraps a file that was opened for writing.
func (g *guardFS) file(f vfs.File, name string) vfs.File {
	base := g.PathBase(name)
	g.fence.created(base)
	file := &guardFile{File: f, fs: g, name: name}
	if strings.HasPrefix(base, manifestPrefix) {
		file.sum = xxhash.New()
	}
	return file
}

func (g *guardFS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if g.blown.Load() || !g.done("fence", oldName, g.fence.removing(g.PathBase(oldName))) {
		return nowhere{}, nil
	}
	f, err := g.FS.ReuseForWrite(oldName, newName, category)
	if !g.done("reuse as "+newName, oldName, err) {
		return nowhere{}, nil
	}
	return g.file(f, newName), nil
}

func (g *guardFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if g.blown.Load() {
		return nowhere{}, nil
	}
	f, err := g.FS.OpenReadWrite(name, category, opts...)
	if !g.done("open", name, err) {
		return nowhere{}, nil
	}
	return g.file(f, name), nil
}

func (g *guardFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if g.blown.Load() {
		return nil, errBlown // a file that Pebble believes in may be missing, or short
	}
	return g.FS.Open(name, opts...)
}

func (g *guardFS) Stat(name string) (vfs.FileInfo, error) {
	if g.blown.Load() {
		return nil, errBlown
	}
	return g.FS.Stat(name)
}

// OpenDir opens a directory for syncing. It opens as a read does, and syncs as a write does.
func (g *guardFS) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &guardFile{File: f, fs: g, name: name}, nil
}

func (g *guardFS) Remove(name string) error {
	if g.blown.Load() || !g.done("fence", name, g.fence.removing(g.PathBase(name))) {
		return nil
	}
	err := g.FS.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	g.done("remove", name, err)
	return nil
}

func (g *guardFS) RemoveAll(name string) error {
	if !g.blown.Load() {
		g.done("remove", name, g.FS.RemoveAll(name))
	}
	return nil
}

func (g *guardFS) Rename(oldName, newName string) error {
	if !g.blown.Load() {
		g.done("rename to "+newName, oldName, g.FS.Rename(oldName, newName))
	}
	return nil
}

func (g *guardFS) Link(oldName, newName string) error {
	if !g.blown.Load() {
		g.done("link to "+newName, oldName, g.FS.Link(oldName, newName))
	}
	return nil
}

func (g *guardFS) MkdirAll(name string, perm os.FileMode) error {
	if !g.blown.Load() {
		g.done("make directory", name, g.FS.MkdirAll(name, perm))
	}
	return nil
}

// Unwrap hands the file system below to vfs.Root.
func (g *guardFS) Unwrap() vfs.FS { return g.FS }

// guardFile is a file, or directory, that the guard watches. Pebble uses each from one goroutine at a time.
type guardFile struct {
	vfs.File
	fs      *guardFS
	name    string
	lenient bool // of a compaction: Pebble is told
	written int64
	sum     *xxhash.Digest // of what was written, for a MANIFEST
}

// did judges how a write ended, and returns what Pebble is told.
func (f *guardFile) did(op string, err error) error {
	if f.lenient {
		return f.fs.retryLater(err)
	}
	f.fs.done(op, f.name, err)
	return nil
}

func (f *guardFile) Write(p []byte) (int, error) {
	if f.fs.blown.Load() {
		return len(p), nil
	}
	if f.sum != nil {
		_, _ = f.sum.Write(p) // first: a file may use the buffer as its own
	}
	n, err := f.File.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	f.written += int64(n)
	if err := f.did("write", err); err != nil {
		return n, err
	}
	return len(p), nil
}

func (f *guardFile) WriteAt(p []byte, at int64) (int, error) {
	if f.fs.blown.Load() {
		return len(p), nil
	}
	n, err := f.File.WriteAt(p, at)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err := f.did("write", err); err != nil {
		return n, err
	}
	return len(p), nil
}

// Preallocate is a hint, and unknown to some file systems: Pebble does not mind its error.
func (f *guardFile) Preallocate(offset, length int64) error {
	if f.fs.blown.Load() {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

// Stat is asked of a log that was just begun, where Pebble would panic over an error.
func (f *guardFile) Stat() (vfs.FileInfo, error) {
	if f.fs.blown.Load() {
		return nowhereInfo{}, nil
	}
	info, err := f.File.Stat()
	if err != nil && !f.lenient {
		f.fs.done("stat", f.name, err)
		return nowhereInfo{}, nil
	}
	return info, err
}

func (f *guardFile) Sync() error {
	if f.fs.blown.Load() {
		return nil
	}
	err := f.File.Sync()
	if f.sum != nil && err == nil {
		f.fs.fence.manifestSynced(f.fs.PathBase(f.name), prefix{f.written, f.sum.Sum64()})
	}
	return f.did("sync", err)
}

func (f *guardFile) SyncData() error {
	if f.fs.blown.Load() {
		return nil
	}
	return f.did("sync", f.File.SyncData())
}

func (f *guardFile) SyncTo(length int64) (fullSync bool, err error) {
	if f.fs.blown.Load() {
		return true, nil
	}
	fullSync, err = f.File.SyncTo(length)
	return fullSync, f.did("sync", err)
}

func (f *guardFile) Close() error {
	err := f.File.Close()
	if f.fs.blown.Load() {
		return nil
	}
	return f.did("close", err)
}

// nowhere is a file that Pebble makes after the first failed write: what is written to it is forgotten.
type nowhere struct {
	vfs.File // nil: whatever is not below is not asked of a file that is being written
}

func (nowhere) Read([]byte) (int, error)          { return 0, errBlown }
func (nowhere) ReadAt([]byte, int64) (int, error) { return 0, errBlown }
func (nowhere) Prefetch(int64, int64) error       { return nil }
func (nowhere) Preallocate(int64, int64) error    { return nil }
func (nowhere) Sync() error                       { return nil }
func (nowhere) SyncData() error                   { return nil }
func (nowhere) SyncTo(int64) (bool, error)        { return true, nil }
func (nowhere) Close() error                      { return nil }
func (nowhere) Fd() uintptr                       { return vfs.InvalidFd }
func (nowhere) Stat() (vfs.FileInfo, error)       { return nowhereInfo{}, nil }

func (nowhere) Write(p []byte) (int, error)            { return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// nowhereInfo describes it.
type nowhereInfo struct{}

func (nowhereInfo) Name() string           { return "" }
func (nowhereInfo) Size() int64            { return 0 }
func (nowhereInfo) Mode() fs.FileMode      { return 0 }
func (nowhereInfo) ModTime() time.Time     { return time.Time{} }
func (nowhereInfo) IsDir() bool            { return false }
func (nowhereInfo) Sys() any               { return nil }
func (nowhereInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
