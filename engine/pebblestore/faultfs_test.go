package pebblestore_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// errShort makes a write write half of what it was given, and say so.
var errShort = errors.New("short write")

// faultFS asks before each operation that changes the disk whether it fails.
type faultFS struct {
	vfs.FS
	fault atomic.Pointer[func(op, base string) error]
}

// set replaces the judge; nil lets everything pass.
func (f *faultFS) set(fault func(op, base string) error) {
	if fault == nil {
		f.fault.Store(nil)
		return
	}
	f.fault.Store(&fault)
}

func (f *faultFS) ask(op, name string) error {
	if fault := f.fault.Load(); fault != nil {
		return (*fault)(op, f.PathBase(name))
	}
	return nil
}

func (f *faultFS) wrap(op, name string, open func() (vfs.File, error)) (vfs.File, error) {
	if err := f.ask(op, name); err != nil {
		return nil, err
	}
	file, err := open()
	if err != nil {
		return nil, err
	}
	return &faultFile{file, f, name}, nil
}

func (f *faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap("create", name, func() (vfs.File, error) { return f.FS.Create(name, c) })
}

func (f *faultFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return f.wrap("reuse", to, func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, c) })
}

func (f *faultFS) OpenDir(name string) (vfs.File, error) {
	return f.wrap("opendir", name, func() (vfs.File, error) { return f.FS.OpenDir(name) })
}

func (f *faultFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := f.ask("open", name); err != nil {
		return nil, err
	}
	return f.FS.Open(name, opts...)
}

func (f *faultFS) Remove(name string) error {
	if err := f.ask("remove", name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.ask("rename", to); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

func (f *faultFS) MkdirAll(name string, perm os.FileMode) error {
	if err := f.ask("mkdir", name); err != nil {
		return err
	}
	return f.FS.MkdirAll(name, perm)
}

func (f *faultFS) Unwrap() vfs.FS { return f.FS }

type faultFile struct {
	vfs.File
	fs   *faultFS
	name string
}

func (f *faultFile) Write(p []byte) (int, error) {
	err := f.fs.ask("write", f.name)
	if errors.Is(err, errShort) {
		return f.File.Write(p[:len(p)/2])
	}
	if err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *faultFile) Sync() error {
	if err := f.fs.ask("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) SyncData() error {
	if err := f.fs.ask("sync", f.name); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f *faultFile) SyncTo(length int64) (bool, error) {
	if err := f.fs.ask("sync", f.name); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}

func (f *faultFile) Stat() (vfs.FileInfo, error) {
	if err := f.fs.ask("stat", f.name); err != nil {
		return nil, err
	}
	return f.File.Stat()
}

func (f *faultFile) Close() error {
	// The file is closed whatever close answers, as the operating system does it.
	return errors.Join(f.fs.ask("close", f.name), f.File.Close())
}

// fileKind sorts the files of a store.
func fileKind(base string) string {
	switch {
	case strings.HasSuffix(base, ".log"):
		return "log"
	case strings.HasSuffix(base, ".sst"):
		return "table"
	case strings.HasPrefix(base, "MANIFEST-"):
		return "manifest"
	case strings.HasPrefix(base, "OPTIONS-"), strings.HasSuffix(base, ".dbtmp"):
		return "options"
	case strings.HasPrefix(base, "marker."):
		return "marker"
	case strings.HasPrefix(base, "fanfare.fence"):
		return "fence"
	}
	return "directory"
}

// at returns a judge that lets the k-th operation on files of a kind fail, and each later one too if it lasts.
func at(kind string, k int, fault error, lasts bool) (judge func(op, base string) error, hit func() bool) {
	var mu sync.Mutex
	n := 0
	judge = func(op, base string) error {
		if kind != "any" && fileKind(base) != kind {
			return nil
		}
		if errors.Is(fault, errShort) && op != "write" || op == "open" {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		if n == k || n > k && lasts {
			return &os.PathError{Op: op, Path: base, Err: fault}
		}
		return nil
	}
	return judge, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return n >= k
	}
}
