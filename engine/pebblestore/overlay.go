package pebblestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// overlayFS reads from one file system and writes into memory: opening a store on it replays its logs, and so on, without
// changing a byte of it. What is written is the size of the logs at most, since nothing is compacted.
type overlayFS struct {
	vfs.FS // what is read; never written
	top    *vfs.MemFS

	mu   sync.Mutex
	gone map[string]bool // guarded by mu: names below that were removed, or renamed
}

func newOverlay(base vfs.FS, dir string) (*overlayFS, error) {
	o := &overlayFS{FS: base, top: vfs.NewMem(), gone: map[string]bool{}}
	return o, o.top.MkdirAll(dir, 0o700)
}

// above reports whether the name is in memory.
func (o *overlayFS) above(name string) bool {
	_, err := o.top.Stat(name)
	return err == nil
}

// hide removes a name below, and reports whether it was there.
func (o *overlayFS) hide(name string) bool {
	if o.hidden(name) {
		return false
	}
	_, err := o.FS.Stat(name)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[name] = true
	return err == nil
}

func (o *overlayFS) hidden(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone[name]
}

func notExist(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

func (o *overlayFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return o.top.Create(name, c)
}

func (o *overlayFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	switch {
	case o.above(name):
		return o.top.Open(name)
	case o.hidden(name):
		return nil, notExist("open", name)
	}
	return o.FS.Open(name, opts...)
}

func (o *overlayFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := o.lift(name, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return o.top.OpenReadWrite(name, c, opts...)
}

// lift copies a file from below into memory, unless it is there already.
func (o *overlayFS) lift(from, to string) error {
	if o.above(from) {
		return nil
	}
	file, err := o.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	copied, err := o.top.Create(to, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.Copy(copied, file)
	return errors.Join(err, copied.Close())
}

func (o *overlayFS) OpenDir(name string) (vfs.File, error) {
	if _, err := o.FS.Stat(name); err != nil {
		return nil, err
	}
	if err := o.top.MkdirAll(name, 0o700); err != nil {
		return nil, err
	}
	return o.top.OpenDir(name)
}

func (o *overlayFS) Remove(name string) error {
	below := o.hide(name)
	if err := o.top.Remove(name); err != nil && (!below || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	return nil
}

func (o *overlayFS) RemoveAll(name string) error { return o.Remove(name) }

func (o *overlayFS) Rename(from, to string) error {
	if o.above(from) {
		o.hide(from)
		return o.top.Rename(from, to)
	}
	if err := o.lift(from, to); err != nil {
		return err
	}
	o.hide(from)
	return nil
}

func (o *overlayFS) Link(from, to string) error { return o.lift(from, to) }

func (o *overlayFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := o.Remove(from); err != nil {
		return nil, err
	}
	return o.top.Create(to, c)
}

func (o *overlayFS) MkdirAll(name string, perm os.FileMode) error { return o.top.MkdirAll(name, perm) }

func (o *overlayFS) List(dir string) ([]string, error) {
	names, err := o.FS.List(dir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return o.hidden(o.PathJoin(dir, name)) })
	above, err := o.top.List(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range above {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (o *overlayFS) Stat(name string) (vfs.FileInfo, error) {
	switch {
	case o.above(name):
		return o.top.Stat(name)
	case o.hidden(name):
		return nil, notExist("stat", name)
	}
	return o.FS.Stat(name)
}

// Lock takes the lock below, which exists and is empty. What nobody can write needs none.
func (o *overlayFS) Lock(name string) (io.Closer, error) {
	if _, err := o.FS.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	lock, err := o.FS.Lock(name)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EAGAIN) {
		return io.NopCloser(nil), nil
	}
	return lock, err
}

func (o *overlayFS) Unwrap() vfs.FS { return o.FS }

// OpenCopy opens what a directory holds without changing a byte of it, for Check and for exports: what would be written stays in
// memory. There must be a store in the directory, and no process that has it open.
func OpenCopy(opts Options) (*Store, error) {
	opts.setDefaults()
	if opts.FS == vfs.Default {
		dir, err := filepath.Abs(opts.Dir)
		if err != nil {
			return nil, err
		}
		opts.Dir = dir
	}
	names, err := opts.FS.List(opts.Dir)
	if err != nil {
		return nil, &openError{dir: opts.Dir, kind: ErrNotStore, err: err, advice: "name the directory of a store"}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return name != "LOCK" && name != "lost+found" }) {
		return nil, &openError{dir: opts.Dir, kind: ErrNotStore, err: errors.New("holds no store"), advice: "name the directory of a store"}
	}
	overlay, err := newOverlay(opts.FS, opts.Dir)
	if err != nil {
		return nil, err
	}
	opts.FS, opts.scratch = overlay, true
	return Open(opts)
}

// Lost returns what the store should hold and does not, as far as opening it tells. Only one that OpenCopy opened can be open
// with such a loss.
func (s *Store) Lost() error {
	if len(s.lost) == 0 {
		return nil
	}
	return &openError{dir: s.opts.Dir, kind: ErrDamaged, err: fmt.Errorf("is damaged: %w", errors.Join(s.lost...)), advice: adviceFence}
}
