package crashtest

import (
	"path"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// names remembers new files that were synced while the directory was not. The crashable file system in memory
// forgets the name of such a file; the file systems in use (ext4, XFS, Btrfs) save it with the file, and Pebble
// relies on it: it moves the marker of a new manifest right behind the sync of the manifest, and syncs the
// directory once, behind both.
type names struct {
	mu    sync.Mutex
	fresh map[string]bool   // guarded by mu: created, and its directory not synced since
	saved map[string][]byte // guarded by mu: of them, what was last synced
}

func newNames() *names { return &names{fresh: map[string]bool{}, saved: map[string][]byte{}} }

func (n *names) created(name string) {
	n.mu.Lock()
	n.fresh[name] = true
	delete(n.saved, name)
	n.mu.Unlock()
}

func (n *names) removed(name string) {
	n.mu.Lock()
	n.forgetLocked(name)
	n.mu.Unlock()
}

func (n *names) forgetLocked(name string) {
	delete(n.fresh, name)
	delete(n.saved, name)
}

// sync syncs a file or directory, in one step as far as clones are concerned.
func (n *names) sync(fs vfs.FS, name string, sync func() error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := sync(); err != nil {
		return err
	}
	if n.fresh[name] {
		n.saved[name] = contents(fs, name)
		return nil
	}
	for other := range n.fresh {
		if path.Dir(other) == name {
			n.forgetLocked(other)
		}
	}
	return nil
}

func contents(fs vfs.FS, name string) []byte {
	f, err := fs.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	b := make([]byte, info.Size())
	k, _ := f.ReadAt(b, 0)
	return b[:k]
}

// clone is what the disk holds after a power cut at this moment.
func (n *names) clone(fs *vfs.MemFS, config vfs.CrashCloneCfg) *vfs.MemFS {
	n.mu.Lock()
	defer n.mu.Unlock()
	after := fs.CrashClone(config)
	for name, data := range n.saved {
		if _, err := after.Stat(name); err != nil {
			restore(after, name, data)
		}
	}
	return after
}

func restore(fs *vfs.MemFS, name string, data []byte) {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return // its directory is not there either
	}
	_, _ = f.Write(slices.Clone(data)) // in race builds a file in memory spoils what it is given, and the next clone wants it, too
	_, _ = f.Sync(), f.Close()
	if dir, err := fs.OpenDir(path.Dir(name)); err == nil {
		_, _ = dir.Sync(), dir.Close()
	}
}
