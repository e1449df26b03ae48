package pebblestore_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"fanfare/engine"
	"fanfare/engine/pebblestore"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// image is the content of a store's directory.
type image map[string][]byte

func takeImage(t testing.TB, fs vfs.FS) image {
	t.Helper()
	names, err := fs.List("store")
	if err != nil {
		t.Fatal(err)
	}
	img := image{}
	for _, name := range names {
		f, err := fs.Open("store/" + name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		img[name] = content
	}
	return img
}

// fs makes a file system of the image, with some files replaced; a nil one is left out.
func (img image) fs(t testing.TB, replaced image) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	err := fs.MkdirAll("store", 0o700)
	write := func(name string, content []byte) {
		f, e := fs.Create("store/"+name, vfs.WriteCategoryUnspecified)
		if e == nil {
			_, e = f.Write(append([]byte(nil), content...))
			e = errors.Join(e, f.Close())
		}
		err = errors.Join(err, e)
	}
	for name, content := range img {
		if _, other := replaced[name]; !other {
			write(name, content)
		}
	}
	for name, content := range replaced {
		if content != nil {
			write(name, content)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// images are a store in three states: closed, with its newest writes in the log alone; with tables and several
// logs, as a crash leaves it a second behind the last write; and closed with hardly anything in its log.
type images struct {
	name  string
	image image
	older image // of the same store, earlier
	acked acked
}

func makeImages(t testing.TB) []images {
	t.Helper()
	return []images{makeImage(t, "closed", 10, 12, true), makeImage(t, "crashed", 24, 32, false), makeImage(t, "closed with tables", 40, 34, true)}
}

func makeImage(t testing.TB, name string, before, behind int, orderly bool) images {
	t.Helper()
	fs := vfs.NewCrashableMem()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := pebblestore.Open(small(fs))
	must(err)
	a, err := load(s, before, 0)
	must(err)
	must(s.Close())
	i := images{name: name, older: takeImage(t, fs)}
	s, err = pebblestore.Open(small(fs))
	must(err)
	more, err := load(s, behind, a.high)
	must(err)
	more.trimmed = max(more.trimmed, a.trimmed)
	i.acked = more
	if !orderly {
		// The fence is written once a second.
		written := string(takeFile(fs, "fanfare.fence"))
		for range 3 { // what was waited for last is in the second that begins behind it
			waitFor(t, func() bool { return string(takeFile(fs, "fanfare.fence")) != written })
			b := s.NewBatch()
			b.SaveProgress(7, []byte(more.progress))
			must(errors.Join(b.Apply(true), b.Wait()))
			written = string(takeFile(fs, "fanfare.fence"))
		}
		waitFor(t, func() bool { return string(takeFile(fs, "fanfare.fence")) != written })
		i.image = takeImage(t, fs.CrashClone(vfs.CrashCloneCfg{}))
	}
	must(s.Close())
	if orderly {
		i.image = takeImage(t, fs)
	}
	return i
}

func takeFile(fs vfs.FS, name string) []byte {
	f, err := fs.Open("store/" + name)
	if err != nil {
		return nil
	}
	defer f.Close()
	content, _ := io.ReadAll(f)
	return content
}

// outcome is what became of a damaged store.
type outcome string

const (
	refused  outcome = "refused"
	reported outcome = "reported on reading"
	whole    outcome = "whole"
	silent   outcome = "SILENT LOSS"
)

// judge opens a store and says what became of it.
func judge(t testing.TB, fs vfs.FS, a acked) (outcome, error) {
	t.Helper()
	o := small(fs)
	o.Fatal = func(msg string) { panic("Fatal: " + msg) }
	s, err := pebblestore.Open(o)
	if err != nil {
		if !strings.Contains(err.Error(), "store") || !strings.Contains(err.Error(), ";") {
			t.Errorf("the refusal %q does not say which directory and what to do", err)
		}
		return refused, err
	}
	defer s.Close()
	if err := readErrors(s); err != nil {
		return reported, err
	}
	if err := verify(s, a); err != nil {
		return silent, err
	}
	return whole, nil
}

// readErrors reads everything and returns the store's own errors alone.
func readErrors(s *pebblestore.Store) error {
	_, err := s.HighWater(1)
	_, progressErr := s.ReadProgress(7)
	return errors.Join(err, progressErr, s.ReadTopic(1, 0, math.MaxUint64, func(engine.Sequence, []byte) bool { return true }))
}

func waitFor(t testing.TB, holds func() bool) {
	t.Helper()
	if tt, ok := t.(*testing.T); ok {
		eventually(tt, "the fence", holds)
	}
}

type tally map[string]map[outcome]int

func (c tally) add(kind string, o outcome) {
	if c[kind] == nil {
		c[kind] = map[outcome]int{}
	}
	c[kind][o]++
}

func (c tally) total() (n int) {
	for _, k := range c {
		for _, count := range k {
			n += count
		}
	}
	return n
}

func (c tally) String() string { return fmt.Sprint(map[string]map[outcome]int(c)) }
