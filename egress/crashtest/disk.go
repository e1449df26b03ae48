package crashtest

import (
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// op is a kind of operation on the disk.
type op uint8

const (
	opCreate op = iota
	opWrite
	opSync
	opRename
	opRemove
	opLink
	opReuse
	opMkdir
	opPreallocate
	opClose
	// The operations from here on change nothing.
	opOpen
	opRead
	opList
	opStat
	opLock
	ops
)

func (o op) String() string {
	return [...]string{
		"create", "write", "sync", "rename", "remove", "link", "reuse", "mkdir", "preallocate", "close",
		"open", "read", "list", "stat", "lock",
	}[o]
}

// moment is where in an operation something happens.
type moment uint8

const (
	beforeOp moment = iota
	withinOp        // half of a write was written
	afterOp
)

// plug is told about every operation. What it returns before an operation is its error: it then does nothing, but a
// write, of which half is done when the plug says so.
type plug func(o op, at moment, path string) (half bool, err error)

// disk is a file system whose every operation goes through a plug.
type disk struct {
	vfs.FS
	plug  plug
	names *names
}

func newDisk(fs vfs.FS, p plug) *disk { return &disk{FS: fs, plug: p, names: newNames()} }

// count gives every operation its number within its kind; the first is 1.
type count struct {
	mu sync.Mutex
	n  [ops]int // guarded by mu
}

func (c *count) next(o op) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[o]++
	return c.n[o]
}

// do surrounds an operation with the plug.
func (d *disk) do(o op, path string, fn func() error) error {
	if _, err := d.plug(o, beforeOp, path); err != nil {
		return &os.PathError{Op: o.String(), Path: path, Err: err}
	}
	err := fn()
	if err == nil {
		_, _ = d.plug(o, afterOp, path)
	}
	return err
}

func (d *disk) file(o op, path string, fn func() (vfs.File, error)) (f vfs.File, err error) {
	err = d.do(o, path, func() error {
		f, err = fn()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{File: f, disk: d, path: path}, nil
}

func (d *disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.file(opCreate, name, func() (vfs.File, error) {
		d.names.created(name)
		return d.FS.Create(name, c)
	})
}

func (d *disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.file(opReuse, to, func() (vfs.File, error) {
		d.names.removed(from)
		return d.FS.ReuseForWrite(from, to, c)
	})
}

func (d *disk) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.file(opOpen, name, func() (vfs.File, error) { return d.FS.Open(name, opts...) })
}

func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return d.file(opOpen, name, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, opts...) })
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	return d.file(opOpen, name, func() (vfs.File, error) { return d.FS.OpenDir(name) })
}

func (d *disk) Link(from, to string) error {
	return d.do(opLink, to, func() error { return d.FS.Link(from, to) })
}

func (d *disk) Rename(from, to string) error {
	return d.do(opRename, to, func() error {
		d.names.removed(from)
		d.names.removed(to)
		return d.FS.Rename(from, to)
	})
}

func (d *disk) Remove(name string) error {
	return d.do(opRemove, name, func() error {
		d.names.removed(name)
		return d.FS.Remove(name)
	})
}

func (d *disk) RemoveAll(name string) error {
	return d.do(opRemove, name, func() error { return d.FS.RemoveAll(name) })
}

func (d *disk) MkdirAll(name string, perm os.FileMode) error {
	return d.do(opMkdir, name, func() error { return d.FS.MkdirAll(name, perm) })
}

func (d *disk) Lock(name string) (c io.Closer, err error) {
	err = d.do(opLock, name, func() error {
		c, err = d.FS.Lock(name)
		return err
	})
	return c, err
}

func (d *disk) List(name string) (names []string, err error) {
	err = d.do(opList, name, func() error {
		names, err = d.FS.List(name)
		return err
	})
	return names, err
}

func (d *disk) Stat(name string) (info vfs.FileInfo, err error) {
	err = d.do(opStat, name, func() error {
		info, err = d.FS.Stat(name)
		return err
	})
	return info, err
}

func (d *disk) Unwrap() vfs.FS { return d.FS }

// file is an open file of a disk.
type file struct {
	vfs.File
	disk *disk
	path string
}

// Write is done in two halves, so that the power can go between them.
func (f *file) Write(p []byte) (n int, err error) {
	half, err := f.disk.plug(opWrite, beforeOp, f.path)
	if err != nil && !half {
		return 0, &os.PathError{Op: "write", Path: f.path, Err: err}
	}
	middle := len(p) / 2
	n, werr := f.File.Write(p[:middle])
	if err != nil || werr != nil {
		if werr != nil {
			err = werr
		}
		return n, &os.PathError{Op: "write", Path: f.path, Err: err}
	}
	_, _ = f.disk.plug(opWrite, withinOp, f.path)
	more, err := f.File.Write(p[middle:])
	if err == nil {
		_, _ = f.disk.plug(opWrite, afterOp, f.path)
	}
	return n + more, err
}

func (f *file) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.disk.do(opWrite, f.path, func() error {
		n, err = f.File.WriteAt(p, at)
		return err
	})
	return n, err
}

func (f *file) Read(p []byte) (n int, err error) {
	err = f.disk.do(opRead, f.path, func() error {
		n, err = f.File.Read(p)
		return err
	})
	return n, err
}

func (f *file) ReadAt(p []byte, at int64) (n int, err error) {
	err = f.disk.do(opRead, f.path, func() error {
		n, err = f.File.ReadAt(p, at)
		return err
	})
	return n, err
}

func (f *file) Sync() error { return f.sync(f.File.Sync) }

func (f *file) SyncData() error { return f.sync(f.File.SyncData) }

func (f *file) sync(fn func() error) error {
	return f.disk.do(opSync, f.path, func() error { return f.disk.names.sync(f.disk.FS, f.path, fn) })
}

func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.disk.do(opSync, f.path, func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

func (f *file) Preallocate(at, length int64) error {
	return f.disk.do(opPreallocate, f.path, func() error { return f.File.Preallocate(at, length) })
}

func (f *file) Stat() (info vfs.FileInfo, err error) {
	err = f.disk.do(opStat, f.path, func() error {
		info, err = f.File.Stat()
		return err
	})
	return info, err
}

// Close closes the file whatever the plug says, as the operating system does.
func (f *file) Close() error {
	_, err := f.disk.plug(opClose, beforeOp, f.path)
	closed := f.File.Close()
	if err != nil {
		return &os.PathError{Op: "close", Path: f.path, Err: err}
	}
	return closed
}
