package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The fence is a small file beside Pebble's that says what the store must hold at least. Pebble opens without a word
// when its newest log is missing, cut off or zeroed, when one of several logs is missing, when the MANIFEST is zeroed from
// some record on, or when an older one was restored: to it, these are stores to which less was written. The fence makes each of them an error.
//
//	fanfare fence 2
//	manifest 000001 1234 0123456789abcdef
//	                         the MANIFEST of this number is at least so long, and so many bytes of it have this xxhash64,
//	                         unless there is a newer one
//	log 000002.log           this log is there; one line for each
//	position 12345           the entry "f" of the database is not below this number
//	sum 0123456789abcdef     xxhash64 of the lines above
//
// The position is a number that is counted up, and synced, before the fence claims it: a log is a sequence of writes, so where
// the number is, everything written before it is too. (Pebble's own sequence numbers would not do: its MANIFEST repeats
// numbers of writes that are in no table yet.)
//
// The fence claims only what is durable, and is written anew, to a temporary file that is synced and renamed: once a second
// while something changes, before a log is removed, and when the store is closed. So what was lost of the last second
// before a crash stays unnoticed, and whatever is lost behind an orderly end is noticed. A copy of the whole
// directory, the fence included, is a sound store of an earlier time.
const (
	fenceName      = "fanfare.fence"
	fenceTempName  = "fanfare.fence.new"
	fenceTitle     = "fanfare fence 2"
	fenceBytesMax  = 1 << 20
	manifestPrefix = "MANIFEST-"
	markerPrefix   = "marker.manifest."
	logSuffix      = ".log"
)

// fence is what is known to be durable.
type fence struct {
	fs  vfs.FS // below the guard
	dir string

	writing sync.Mutex // held while the file is written

	mu       sync.Mutex
	claim    claim             // guarded by mu: what may be claimed now
	marked   uint64            // guarded by mu: number of the MANIFEST that the newest marker names
	synced   map[uint64]prefix // guarded by mu: of MANIFESTs
	recorded claim             // guarded by writing: what the file says
	exists   bool              // guarded by writing
}

// prefix is the beginning of a file that is durable.
type prefix struct {
	length int64
	sum    uint64 // xxhash64
}

// claim is the content of the fence.
type claim struct {
	manifest uint64
	prefix   prefix // of the MANIFEST
	logs     map[string]bool
	position uint64
}

func (c *claim) equal(o *claim) bool {
	return c.manifest == o.manifest && c.prefix == o.prefix && c.position == o.position && maps.Equal(c.logs, o.logs)
}

func newFence(fs vfs.FS, dir string) *fence {
	return &fence{fs: fs, dir: dir, claim: claim{logs: map[string]bool{}}, synced: map[uint64]prefix{}}
}

// created tells that a file was made.
func (f *fence) created(base string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case strings.HasSuffix(base, logSuffix):
		f.claim.logs[base] = true
	case strings.HasPrefix(base, markerPrefix):
		f.marked = manifestNumber(base)
	}
}

// manifestSynced tells how much of a MANIFEST is durable.
func (f *fence) manifestSynced(base string, p prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.synced[manifestNumber(base)] = p
}

// removing tells that a file is about to be removed or renamed: the fence must not claim it any more.
func (f *fence) removing(base string) error {
	f.mu.Lock()
	if strings.HasPrefix(base, manifestPrefix) {
		delete(f.synced, manifestNumber(base))
	}
	delete(f.claim.logs, base)
	f.mu.Unlock()
	f.writing.Lock()
	defer f.writing.Unlock()
	if !f.recorded.logs[base] {
		return nil
	}
	return f.writeLocked()
}

// position is the last one that may be claimed.
func (f *fence) position() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.claim.position
}

// reached tells that a position is durable.
func (f *fence) reached(position uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claim.position = max(f.claim.position, position)
}

// write brings the file up to date.
func (f *fence) write() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.writeLocked()
}

func (f *fence) writeLocked() error {
	f.mu.Lock()
	next := f.claim
	next.logs = maps.Clone(f.claim.logs)
	if p, ok := f.synced[f.marked]; ok {
		next.manifest, next.prefix = f.marked, p
	}
	f.mu.Unlock()
	if f.exists && next.equal(&f.recorded) {
		return nil
	}
	// What is claimed was made before this sync, and what is claimed no more may be removed behind the next one.
	if err := f.syncDir(); err != nil {
		return err
	}
	if err := f.replace(next.appendText(nil)); err != nil {
		return err
	}
	f.recorded, f.exists = next, true
	return f.syncDir()
}

func (f *fence) replace(text []byte) error {
	temp := f.fs.PathJoin(f.dir, fenceTempName)
	file, err := f.fs.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	n, err := file.Write(text)
	if err == nil && n < len(text) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return f.fs.Rename(temp, f.fs.PathJoin(f.dir, fenceName))
}

func (f *fence) syncDir() error {
	dir, err := f.fs.OpenDir(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// load reads the file and compares it with the files of the directory. The position is left to the caller.
func (f *fence) load(names []string) error {
	text, err := readAll(f.fs, f.fs.PathJoin(f.dir, fenceName), fenceBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c, ok := parseClaim(text)
	if !ok {
		return fmt.Errorf("the file %s is damaged", fenceName)
	}
	f.claim, f.recorded, f.exists = c, c, true
	f.recorded.logs = maps.Clone(c.logs)
	newest := uint64(0)
	for _, name := range names {
		if strings.HasPrefix(name, markerPrefix) {
			newest = max(newest, manifestNumber(name))
		}
	}
	if newest < c.manifest {
		return fmt.Errorf("the list of files is %s%06d, and was %s%06d already", manifestPrefix, newest, manifestPrefix, c.manifest)
	}
	if newest > c.manifest {
		// A program that knows no fence had the store open, or this one ended right behind writing the MANIFEST anew.
		maps.DeleteFunc(f.claim.logs, func(name string, _ bool) bool { return !slices.Contains(names, name) })
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(c.logs)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the log %s is missing", name)
		}
	}
	name := fmt.Sprintf("%s%06d", manifestPrefix, c.manifest)
	have, err := f.prefixOf(name, c.prefix.length)
	switch {
	case err != nil:
		return err
	case have.length < c.prefix.length:
		return fmt.Errorf("the list of files, %s, has %d bytes, and had %d already", name, have.length, c.prefix.length)
	case have.sum != c.prefix.sum:
		return fmt.Errorf("the list of files, %s, is not what was written", name)
	}
	return nil
}

// prefixOf reads the beginning of a file.
func (f *fence) prefixOf(name string, length int64) (prefix, error) {
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, name))
	if err != nil {
		return prefix{}, err
	}
	sum := xxhash.New()
	n, err := io.Copy(sum, io.LimitReader(file, length))
	return prefix{n, sum.Sum64()}, errors.Join(err, file.Close())
}

// manifestNumber reads the number at the end of a MANIFEST's name, or of its marker's; 0 when there is none.
func manifestNumber(name string) uint64 {
	at := strings.LastIndex(name, manifestPrefix)
	if at < 0 {
		return 0
	}
	n, err := strconv.ParseUint(name[at+len(manifestPrefix):], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (c *claim) appendText(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, fenceTitle+"\n"...)
	dst = fmt.Appendf(dst, "manifest %06d %d %016x\n", c.manifest, c.prefix.length, c.prefix.sum)
	for _, name := range slices.Sorted(maps.Keys(c.logs)) {
		dst = fmt.Appendf(dst, "log %s\n", name)
	}
	dst = fmt.Appendf(dst, "position %d\n", c.position)
	return fmt.Appendf(dst, "sum %016x\n", xxhash.Sum64(dst[start:]))
}

// parseClaim reads what appendText wrote, and nothing else.
func parseClaim(text []byte) (c claim, ok bool) {
	c.logs = map[string]bool{}
	lines := strings.Split(string(text), "\n")
	for _, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		var err error
		switch key {
		case "manifest":
			_, err = fmt.Sscanf(value, "%d %d %x", &c.manifest, &c.prefix.length, &c.prefix.sum)
		case "log":
			c.logs[value] = true
		case "position":
			c.position, err = strconv.ParseUint(value, 10, 64)
		}
		if err != nil {
			return claim{}, false
		}
	}
	if !bytes.Equal(c.appendText(nil), text) {
		return claim{}, false
	}
	return c, true
}

func readAll(fs vfs.FS, name string, most int64) ([]byte, error) {
	file, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	return text, errors.Join(err, file.Close())
}
